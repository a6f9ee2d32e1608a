"""The indexes of the ledger's tables.

A module of their own: their conditions make SQLAlchemy load PostgreSQL's dialect and SQLite's with all their drivers,
which only making tables is worth.
"""

from typing import Any

from sqlalchemy import Column, Index, text

from leadgate.ledger.budgets import COUNTS
from leadgate.ledger.schema import attempts, decisions, entries, standstills


def _partial_index(name: str, *columns: Column[Any], where: str, unique: bool = False) -> None:
    """Index the rows of a table that a condition names, and no others."""
    Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


_partial_index("leadgate_entries_waiting", entries.c.pipeline, entries.c.lead_id, where="state = 'waiting'")
_partial_index(
    "leadgate_entries_new", entries.c.pipeline, entries.c.lead_id, where="state = 'waiting' and missing is null"
)
_partial_index(
    "leadgate_entries_held",
    entries.c.pipeline,
    entries.c.due_at,
    entries.c.lead_id,
    where="state = 'waiting' and due_at is not null",
)
_partial_index(
    "leadgate_entries_by_age",
    entries.c.pipeline,
    entries.c.deadline,
    entries.c.quarantined_at,
    entries.c.lead_id,
    where="state = 'waiting' and due_at is null",
)
_partial_index(
    "leadgate_entries_ready", entries.c.pipeline, entries.c.due_at, entries.c.lead_id, where="state = 'ready'"
)
_partial_index("leadgate_entries_leased", entries.c.pipeline, entries.c.lease_until, where="lease_until is not null")
_partial_index("leadgate_entries_unknown", entries.c.pipeline, entries.c.due_at, where="state = 'unknown'")
_partial_index(
    "leadgate_entries_for_people",
    entries.c.pipeline,
    entries.c.state,
    entries.c.lead_id,
    # SQLite sees that one of them is in here, and of a list it does not.
    where="state = 'review' or state = 'failed' or state = 'withdrawn'",
)
_partial_index("leadgate_entries_absent", entries.c.pipeline, entries.c.absent_since, where="absent_since is not null")
_partial_index("leadgate_entries_in_doubt", entries.c.pipeline, entries.c.state, where="doubt_since is not null")
_partial_index(
    "leadgate_entries_taken", entries.c.pipeline, entries.c.state, entries.c.settled_at, where="settled_at is not null"
)
_partial_index("leadgate_attempts_controls", attempts.c.pipeline, attempts.c.sent_at, where="kind = 'control'")
_partial_index(
    "leadgate_attempts_acts",
    *(attempts.c[name] for name in ("pipeline", "action", "answered_at", "outcome")),
    where=COUNTS,
)
Index("leadgate_decisions_made", decisions.c.pipeline, decisions.c.decided_at)
# One lead of one account belongs to one pipeline.
Index("leadgate_entries_account", entries.c.account, entries.c.lead_id, unique=True)
# A lead has one request in flight at most.
_partial_index("leadgate_attempts_open", attempts.c.pipeline, attempts.c.lead_id, where="outcome is null", unique=True)
_partial_index("leadgate_standstills_open", standstills.c.pipeline, where="ended_at is null", unique=True)
