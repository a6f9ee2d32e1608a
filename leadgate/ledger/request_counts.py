"""What was sent, counted over the whole ledger for monitoring: one pass over the attempts, a row a kind of request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, extract, func, select
from sqlalchemy import literal_column as written

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import ATTEMPT

OUTCOMES = ("taken", "refused", "in_doubt", "gone")


@dataclass(frozen=True, slots=True)
class Sent:
    """Requests of one kind that were answered alike and took about as long."""

    kind: str
    status: int | None
    """The hundreds of LeadByte's HTTP status; None: no answer."""
    bar: int
    """Which of the `limits` they took less than; their number: longer than all."""
    requests: int
    seconds: float
    """How long they took together."""
    leads: dict[str, int]
    """How many leads of theirs met each of OUTCOMES."""


def read_sent(ledger: Ledger, limits: Sequence[float]) -> list[Sent]:
    """Count the requests that have ended. Goes through every attempt: for monitoring, not for runs."""
    by_request = (
        select(
            func.min(ATTEMPT.kind).label("kind"),
            func.min(ATTEMPT.http_status).label("status"),
            _seconds(ledger, func.max(ATTEMPT.answered_at), func.min(ATTEMPT.sent_at)).label("seconds"),
            *(func.sum(case((ATTEMPT.outcome == outcome, 1), else_=0)).label(outcome) for outcome in OUTCOMES),
        )
        .where(ATTEMPT.pipeline == ledger.pipeline, ATTEMPT.outcome.is_not(None))
        .group_by(ATTEMPT.request_id)
        .subquery()
    )
    c = by_request.c
    # Written into the statement: PostgreSQL must see that what is grouped by is what is selected.
    bars: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [
        (c.seconds <= written(str(limit)), written(str(number))) for number, limit in enumerate(limits)
    ]
    bar = case(*bars, else_=written(str(len(limits))))
    hundreds = c.status - c.status % written("100")
    query = select(
        c.kind,
        hundreds.label("hundreds"),
        bar.label("bar"),
        func.count(),
        func.sum(c.seconds),
        *(func.sum(c[outcome]) for outcome in OUTCOMES),
    ).group_by(c.kind, "hundreds", "bar")
    with ledger.reading() as connection:
        return [
            Sent(kind, status and status // 100, bar, count, float(seconds), dict(zip(OUTCOMES, leads, strict=True)))
            for kind, status, bar, count, seconds, *leads in connection.execute(query)
        ]


def _seconds(ledger: Ledger, end: ColumnElement[datetime], start: ColumnElement[datetime]) -> ColumnElement[Any]:
    """The time between two instants, with its fractions."""
    if ledger.dialect == "sqlite":
        return (func.julianday(end) - func.julianday(start)) * 86400
    return extract("epoch", end - start)
