"""Counts over a whole pipeline, for reports and monitoring: each is one grouped query that returns a row per group."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, extract, func, select, union_all
from sqlalchemy import literal_column as written

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import ATTEMPT, DECISION, ENTRY
from leadgate.model import OTHERWISE

_SECONDS = (1, 10, 60, 300, 900, 3600, 6 * 3600, 86400, 7 * 86400, 28 * 86400)
STEPS = tuple(timedelta(seconds=seconds) for seconds in _SECONDS)
"""How long a bar of time may be."""
MOST_BARS = 60
WAITS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60, 12 * 60, 24 * 60, 3 * 1440, 7 * 1440, 30 * 1440)
)
"""Where one bar of waits ends and the next begins."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How many leads were registered, arrived or reached a final state (`what`) in the step that begins at `at`."""

    at: datetime
    what: str
    leads: int


@dataclass(frozen=True, slots=True)
class Waited:
    """How many leads were acted on after waiting for at least `least`, and less than `most` (None: any longer)."""

    least: timedelta
    most: timedelta | None
    leads: int


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How many decisions there were of one kind, and whose they were."""

    verdict: str
    rule: str | None
    by_person: bool
    paused: bool
    observed: bool
    capped: bool
    decisions: int

    @property
    def decider(self) -> str:
        """Who decided, in words: the rule, `otherwise`, or a person."""
        if self.by_person:
            return "a person, observed" if self.observed else "a person"
        if self.paused and not self.rule:
            return "held by a pause"
        mark = ", while paused" if self.paused else ", observed" if self.observed else ""
        mark = ", beyond the budget" if self.capped else mark
        return f"{self.rule or OTHERWISE}{mark}"


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How many leads' requests ended so; no status means that no answer came, no outcome that it is awaited."""

    http_status: int | None
    outcome: str | None
    requests: int


@dataclass(frozen=True, slots=True)
class Movement:
    """What happened over time, in steps of one length."""

    began_at: datetime
    step: timedelta
    moved: Sequence[Moved]


def read_movement(ledger: Ledger, *, since: datetime, now: datetime) -> Movement:
    """Count what happened since an instant, in at most about MOST_BARS steps: from the ledger's first lead on."""
    with ledger.reading() as connection:
        first = connection.scalar(select(func.min(ENTRY.registered_at)).where(ledger.mine))
        began_at = max(since, first or since)
        step = next((step for step in STEPS if (now - began_at) / step <= MOST_BARS), STEPS[-1])
        arms = [
            _moved(ledger, column, what, since=began_at, step=step)
            for column, what in (
                (ENTRY.registered_at, written("'registered'")),
                (ENTRY.arrived_at, written("'arrived'")),
                (ENTRY.settled_at, ENTRY.state),
            )
        ]
        found = connection.execute(union_all(*arms))
        moved = [Moved(datetime.fromtimestamp(int(row.at), UTC), row.what, row.leads) for row in found]
    return Movement(began_at, step, sorted(moved, key=lambda each: (each.at, each.what)))


def read_waits(ledger: Ledger, *, since: datetime) -> list[Waited]:
    """Count the leads acted on since an instant by how long they had been in quarantine; every bar is named."""
    waited = _epoch(ENTRY.settled_at) - _epoch(ENTRY.quarantined_at)
    bar = case(*((waited < int(most.total_seconds()), number) for number, most in enumerate(WAITS)), else_=len(WAITS))
    query = (
        select(bar.label("bar"), func.count().label("leads"))
        .where(ledger.mine, ENTRY.settled_at >= since, ENTRY.state.in_(("processed", "rejected")))
        .group_by("bar")
    )
    found: dict[int, int] = {row.bar: row.leads for row in ledger.fetch_rows(query)}
    ends = [timedelta(), *WAITS, None]
    return [Waited(ends[n] or timedelta(), ends[n + 1], found.get(n, 0)) for n in range(len(WAITS) + 1)]


def read_decision_counts(ledger: Ledger, since: datetime) -> list[DecisionCount]:
    """Count the decisions since an instant by verdict and by who made them, the most frequent first."""
    marks = (DECISION.paused, DECISION.observed, DECISION.capped)
    person = DECISION.decided_by.is_not(None).label("by_person")
    query = (
        select(DECISION.verdict, DECISION.rule, person, *marks, func.count().label("decisions"))
        .where(DECISION.pipeline == ledger.pipeline, DECISION.decided_at >= since)
        .group_by(DECISION.verdict, DECISION.rule, "by_person", *marks)
        .order_by(written("decisions").desc(), DECISION.verdict, DECISION.rule)
    )
    return [DecisionCount(**row._asdict()) for row in ledger.fetch_rows(query)]


def read_answer_counts(ledger: Ledger, since: datetime) -> list[AnswerCount]:
    """Count what was sent since an instant by LeadByte's HTTP status and by what it came to, a lead at a time."""
    query = (
        select(ATTEMPT.http_status, ATTEMPT.outcome, func.count().label("requests"))
        .where(ATTEMPT.pipeline == ledger.pipeline, ATTEMPT.sent_at >= since)
        .group_by(ATTEMPT.http_status, ATTEMPT.outcome)
        .order_by(written("requests").desc(), ATTEMPT.http_status, ATTEMPT.outcome)
    )
    return [AnswerCount(**row._asdict()) for row in ledger.fetch_rows(query)]


def _moved(
    ledger: Ledger, column: ColumnElement[datetime], what: ColumnElement[str], *, since: datetime, step: timedelta
) -> Any:  # noqa: ANN401 - a Select of three columns
    # Written into the statement: PostgreSQL must see that what is grouped by is what is selected.
    seconds = written(str(int(step.total_seconds())), BigInteger)
    at = _epoch(column) - _epoch(column) % seconds
    query = select(at.label("at"), what.label("what"), func.count().label("leads"))
    return query.where(ledger.mine, column >= since).group_by("at", "what")


def _epoch(column: ColumnElement[Any]) -> ColumnElement[int]:
    """Whole seconds since 1970."""
    return cast(extract("epoch", column), BigInteger)


OUTCOMES = ("taken", "refused", "in_doubt", "gone")


@dataclass(frozen=True, slots=True)
class Sent:
    """Requests of one kind with answers of one kind that took about as long."""

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
    return [
        Sent(kind, status and status // 100, bar, count, float(seconds), dict(zip(OUTCOMES, leads, strict=True)))
        for kind, status, bar, count, seconds, *leads in ledger.fetch_rows(query)
    ]


def _seconds(ledger: Ledger, end: ColumnElement[datetime], start: ColumnElement[datetime]) -> ColumnElement[Any]:
    """The time between two instants, with its fractions."""
    if ledger.dialect == "sqlite":
        return (func.julianday(end) - func.julianday(start)) * 86400
    return extract("epoch", end - start)
