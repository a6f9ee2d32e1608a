"""Counts over a whole pipeline, for reports: the database groups and adds up, and no entry is loaded here.

Each question is one grouped query, whose answer has a row a group: as large for a million leads as for ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, case, cast, extract, func, select, union_all
from sqlalchemy import literal_column as written

from leadgate.ledger.engine import reading
from leadgate.ledger.schema import attempts, decisions, entries, in_state
from leadgate.model import State

_A, _D, _E = attempts.c, decisions.c, entries.c
_SECONDS = (1, 10, 60, 300, 900, 3600, 6 * 3600, 86400, 7 * 86400, 28 * 86400)
STEPS = tuple(timedelta(seconds=seconds) for seconds in _SECONDS)
"""How long a bar of time may be."""
MOST_BARS = 60
WAITS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60, 12 * 60, 24 * 60, 3 * 1440, 7 * 1440, 30 * 1440)
)
"""Where one bar of waits ends and the next begins."""
FOR_PEOPLE = (State.FAILED, State.REVIEW, State.UNKNOWN)
"""Where a lead is that a person should know of."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How many leads came to something (`registered`, `arrived`, or a final state) within a step from `at` on."""

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
    decisions: int

    @property
    def decider(self) -> str:
        """Who decided, in words: the rule, `otherwise`, or a person."""
        if self.by_person:
            return "a person"
        return f"{self.rule or '(otherwise)'}{', while paused' if self.paused else ''}"


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How many leads' requests ended so; no status means that no answer came, no outcome that it is awaited."""

    http_status: int | None
    outcome: str | None
    requests: int


@dataclass(frozen=True, slots=True)
class Movement:
    """What came to pass over time, in steps of one length."""

    began_at: datetime
    step: timedelta
    moved: Sequence[Moved]


@dataclass(frozen=True, slots=True)
class ForPerson:
    """A lead that a person should look at, and since when it is where it is."""

    lead_id: str
    state: State
    since: datetime
    rule: str | None
    by_person: bool
    note: str


def read_movement(engine: Engine, pipeline: str, *, since: datetime, now: datetime) -> Movement:
    """Count what happened since an instant, in at most about MOST_BARS steps: from the ledger's first lead on."""
    with reading(engine) as connection:
        first = connection.scalar(select(func.min(_E.registered_at)).where(_E.pipeline == pipeline))
        began_at = max(since, first or since)
        step = next((step for step in STEPS if (now - began_at) / step <= MOST_BARS), STEPS[-1])
        arms = [
            _moved(pipeline, column, what, since=began_at, step=step)
            for column, what in (
                (_E.registered_at, written("'registered'")),
                (_E.arrived_at, written("'arrived'")),
                (_E.settled_at, _E.state),
            )
        ]
        found = connection.execute(union_all(*arms))
        moved = [Moved(datetime.fromtimestamp(int(at), UTC), what, leads) for at, what, leads in found]
    return Movement(began_at, step, sorted(moved, key=lambda each: (each.at, each.what)))


def read_waits(engine: Engine, pipeline: str, *, since: datetime) -> list[Waited]:
    """Count the leads acted on since an instant by how long they had been in quarantine; every bar is named."""
    waited = _epoch(_E.settled_at) - _epoch(_E.quarantined_at)
    bar = case(*((waited < int(most.total_seconds()), number) for number, most in enumerate(WAITS)), else_=len(WAITS))
    query = (
        select(bar.label("bar"), func.count())
        .where(_E.pipeline == pipeline, _E.settled_at >= since, _E.state.in_(("processed", "rejected")))
        .group_by("bar")
    )
    with reading(engine) as connection:
        found: dict[int, int] = {row[0]: row[1] for row in connection.execute(query)}
    ends = [timedelta(), *WAITS, None]
    return [Waited(ends[n] or timedelta(), ends[n + 1], found.get(n, 0)) for n in range(len(WAITS) + 1)]


def read_decision_counts(engine: Engine, pipeline: str, since: datetime) -> list[DecisionCount]:
    """Count the decisions since an instant by verdict and by who made them, the most frequent first."""
    person = _D.decided_by.is_not(None)
    query = (
        select(_D.verdict, _D.rule, person.label("person"), _D.paused, func.count().label("found"))
        .where(_D.pipeline == pipeline, _D.decided_at >= since)
        .group_by(_D.verdict, _D.rule, "person", _D.paused)
        .order_by(written("found").desc(), _D.verdict, _D.rule)
    )
    with reading(engine) as connection:
        return [DecisionCount(row[0], row[1], bool(row[2]), row[3], row[4]) for row in connection.execute(query)]


def read_answer_counts(engine: Engine, pipeline: str, since: datetime) -> list[AnswerCount]:
    """Count what was sent since an instant by LeadByte's HTTP status and by what it came to, a lead at a time."""
    query = (
        select(_A.http_status, _A.outcome, func.count().label("found"))
        .where(_A.pipeline == pipeline, _A.sent_at >= since)
        .group_by(_A.http_status, _A.outcome)
        .order_by(written("found").desc(), _A.http_status, _A.outcome)
    )
    with reading(engine) as connection:
        return [AnswerCount(*row) for row in connection.execute(query)]


def read_newest_policy(engine: Engine, pipeline: str) -> str | None:
    """The version of the rules that made the newest decision; None where there is none."""
    query = select(_D.policy_version).where(_D.pipeline == pipeline).order_by(_D.decided_at.desc()).limit(1)
    with reading(engine) as connection:
        return connection.scalar(query)


def read_for_people(engine: Engine, pipeline: str, *, limit: int) -> list[ForPerson]:
    """The leads that a person should know of, the longest in quarantine first; some of each state where not all fit."""
    with reading(engine) as connection:
        found = [_for_people(connection, pipeline, state, limit) for state in FOR_PEOPLE]
    while sum(map(len, found)) > limit:
        max(found, key=len).pop()
    return [lead for leads in found for lead in leads]


def _for_people(connection: Connection, pipeline: str, state: State, limit: int) -> list[ForPerson]:
    """Those in one state: chosen first, so that only what is shown is looked up."""
    chosen = (
        select(_E.pipeline, _E.lead_id, _E.registered_at, _E.quarantined_at, _E.decided_token, _E.note)
        .where(_E.pipeline == pipeline, in_state(state))
        .order_by(_E.quarantined_at, _E.lead_id)
        .limit(limit)
        .subquery()
    )
    c = chosen.c
    mine = (_A.pipeline == c.pipeline, _A.lead_id == c.lead_id)
    last = select(func.max(_A.answered_at)).where(*mine).correlate(chosen).scalar_subquery()
    standing = (_D.pipeline == c.pipeline) & (_D.lead_id == c.lead_id) & (_D.token == c.decided_token)
    query = (
        select(c.lead_id, c.registered_at, _D.decided_at, last, _D.rule, _D.decided_by, c.note)
        .select_from(chosen.outerjoin(decisions, standing))
        .order_by(c.quarantined_at, c.lead_id)
    )
    return [
        ForPerson(
            lead_id=lead_id,
            state=state,
            since=max(at for at in (registered_at, decided_at, answered_at) if at),
            rule=rule,
            by_person=by is not None,
            note=note or "",
        )
        for lead_id, registered_at, decided_at, answered_at, rule, by, note in connection.execute(query)
    ]


def _moved(
    pipeline: str, column: ColumnElement[datetime], what: ColumnElement[str], *, since: datetime, step: timedelta
) -> Any:  # noqa: ANN401 - a Select of three columns
    # Written into the statement: PostgreSQL must see that what is grouped by is what is selected.
    seconds = written(str(int(step.total_seconds())), BigInteger)
    at = _epoch(column) - _epoch(column) % seconds
    query = select(at.label("at"), what.label("what"), func.count().label("leads"))
    return query.where(_E.pipeline == pipeline, column >= since).group_by("at", "what")


def _epoch(column: ColumnElement[Any]) -> ColumnElement[int]:
    """Whole seconds since 1970."""
    return cast(extract("epoch", column), BigInteger)
