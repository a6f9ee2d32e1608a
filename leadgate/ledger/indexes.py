"""The indexes of the ledger's tables.

A module of their own: their conditions make SQLAlchemy load PostgreSQL's dialect and SQLite's with all their drivers,
which only making tables is worth.
"""

from sqlalchemy import Index, Table, text

from leadgate.ledger.budgets import COUNTS
from leadgate.ledger.schema import attempts, decisions, entries, standstills


def _partial_index(table: Table, name: str, *columns: str, where: str, unique: bool = False) -> None:
    """Index a pipeline's rows that meet a condition, and no others."""
    keys = [table.c.pipeline, *(table.c[column] for column in columns)]
    Index(f"{table.name}_{name}", *keys, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


_partial_index(entries, "waiting", "lead_id", where="state = 'waiting'")
_partial_index(entries, "new", "lead_id", where="state = 'waiting' and missing is null")
_partial_index(entries, "held", "due_at", "lead_id", where="state = 'waiting' and due_at is not null")
_partial_index(entries, "by_age", "deadline", "quarantined_at", "lead_id", where="state = 'waiting' and due_at is null")
_partial_index(entries, "ready", "due_at", "lead_id", where="state = 'ready'")
_partial_index(entries, "leased", "lease_until", where="lease_until is not null")
_partial_index(entries, "unknown", "due_at", where="state = 'unknown'")
# SQLite uses the index for one of these states if they stand in an `or`, and not if they stand in a list.
_FOR_PEOPLE = "state = 'review' or state = 'failed' or state = 'withdrawn'"
_partial_index(entries, "for_people", "state", "lead_id", where=_FOR_PEOPLE)
_partial_index(entries, "absent", "absent_since", where="absent_since is not null")
_partial_index(entries, "in_doubt", "state", where="doubt_since is not null")
_partial_index(entries, "taken", "state", "settled_at", where="settled_at is not null")
_partial_index(attempts, "controls", "sent_at", where="kind = 'control'")
_partial_index(attempts, "acts", "action", "answered_at", "outcome", where=COUNTS)
Index("leadgate_decisions_made", decisions.c.pipeline, decisions.c.decided_at)
# One lead of one account belongs to one pipeline.
Index("leadgate_entries_account", entries.c.account, entries.c.lead_id, unique=True)
# A lead has one request in flight at most.
_partial_index(attempts, "open", "lead_id", where="outcome is null", unique=True)
_partial_index(standstills, "open", where="ended_at is null", unique=True)
