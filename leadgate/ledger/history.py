"""Everything that the ledger knows of one lead. Nothing here changes a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.engine import RowMapping

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.policies import policy_texts
from leadgate.ledger.schema import ATTEMPT, DECISION, OVERRIDE, attempts, decisions, entries, overrides, readings
from leadgate.ledger.source_health import standstills_of


@dataclass(frozen=True, slots=True)
class History:
    """One lead's entry with every decision and attempt, oldest first; None of them holds a person's data."""

    entry: RowMapping
    decisions: Sequence[RowMapping]
    attempts: Sequence[RowMapping]
    stopped: timedelta = timedelta()
    """For how long the clock of its deadline has stood still, since the source was not healthy."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """The text of the rules that decided, by version."""
    overrides: Sequence[RowMapping] = ()
    """What people said of it."""


def read_history(ledger: Ledger, lead_id: str) -> History | None:
    """Everything the ledger knows of one lead, or None where it knows nothing."""

    def rows(table: Table, *order: Any) -> Sequence[RowMapping]:  # noqa: ANN401 - columns to sort by
        query = select(table).where(table.c.pipeline == ledger.pipeline, table.c.lead_id == lead_id).order_by(*order)
        return connection.execute(query).mappings().all()

    with ledger.reading() as connection:
        found = rows(entries)
        if not found:
            return None
        decided = rows(decisions, DECISION.token)
        return History(
            entry=found[0],
            decisions=decided,
            attempts=rows(attempts, ATTEMPT.token, ATTEMPT.sent_at, ATTEMPT.request_id),
            stopped=_stopped(ledger, connection, found[0]["quarantined_at"]),
            policies=policy_texts(ledger, connection, {row["policy_version"] for row in decided}),
            overrides=rows(overrides, OVERRIDE.token),
        )


def _stopped(ledger: Ledger, connection: Connection, since: datetime) -> timedelta:
    """Add up the standstills since an instant; one that lasts counts up to the newest reading."""
    read_at = connection.scalar(select(readings.c.read_at).where(readings.c.pipeline == ledger.pipeline))
    stopped = timedelta()
    for span in standstills_of(ledger, connection):
        until = span.ended_at or read_at
        if until and until > since:
            stopped += until - max(span.began_at, since)
    return stopped
