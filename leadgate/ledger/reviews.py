"""What waits for a person, and what people have said. Nothing here changes a row; people.py does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select
from sqlalchemy.sql.selectable import ScalarSelect

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import (
    ATTEMPT,
    DECISION,
    ENTRY,
    OVERRIDE,
    decisions,
    entries,
    in_state,
    overrides,
    same_lead,
    stands_for,
)
from leadgate.model import Overridden, Override, Resolution, Review, State

FOR_PEOPLE = (State.FAILED, State.REVIEW, State.UNKNOWN)
"""Where a lead is that a person should know of."""
_DECIDED = (Resolution.PROCESS.value, Resolution.REJECT.value, Resolution.WAIT.value)
"""The words of people that say what rules could have said."""


@dataclass(frozen=True, slots=True)
class ForPerson:
    """A lead that a person should look at, and since when it is where it is."""

    lead_id: str
    state: State
    since: datetime
    rule: str | None
    by_person: bool
    note: str


def read_reviews(ledger: Ledger) -> list[Review]:
    """Every lead that a person must decide, the longest open first."""
    query = (
        select(ENTRY.lead_id, ENTRY.registered_at, DECISION.decided_at, _last_answer(entries).label("answered_at"))
        .add_columns(DECISION.rule, ENTRY.note, DECISION.facts, ENTRY.doubt_since, ENTRY.doubt_action)
        .outerjoin(decisions, stands_for(ENTRY))
        .where(ledger.mine, in_state(State.REVIEW))
    )
    with ledger.reading() as connection:
        found = [
            Review(
                lead_id=row.lead_id,
                since=max((at for at in (row.decided_at, row.answered_at) if at), default=row.registered_at),
                rule=row.rule,
                reason=row.note or "",
                facts=row.facts or {},
                act_in_doubt=(row.doubt_action or "act") if row.doubt_since else None,
                doubt_since=row.doubt_since,
            )
            for row in connection.execute(query)
        ]
    return sorted(found, key=lambda review: (review.since, review.lead_id))


def count_overdue(ledger: Ledger, *, within: timedelta | None, now: datetime) -> int:
    """How many leads a person has had to decide for longer than `within`; 0 where there is no such limit."""
    if within is None:
        return 0
    before = now - within

    def nothing_since(column: ColumnElement[Any], where: ColumnElement[bool]) -> ColumnElement[bool]:
        return ~exists().where(where, column >= before)

    query = (
        select(func.count())
        .select_from(entries)
        .where(ledger.mine, in_state(State.REVIEW))
        .where(nothing_since(DECISION.decided_at, stands_for(ENTRY)))
        .where(nothing_since(ATTEMPT.answered_at, same_lead(ATTEMPT, ENTRY)))
    )
    with ledger.reading() as connection:
        return connection.scalar(query) or 0


def read_overridden(ledger: Ledger, *, limit: int) -> list[Overridden]:
    """What people have decided last, newest first, with the facts of the decision that they were asked about."""
    of_the_lead = same_lead(DECISION, OVERRIDE)
    asked = (
        select(func.max(DECISION.token))
        .where(of_the_lead, DECISION.token < OVERRIDE.token)
        .correlate(overrides)
        .scalar_subquery()
    )
    query = (
        select(OVERRIDE.lead_id, OVERRIDE.verdict, OVERRIDE.reason, OVERRIDE.decided_by, DECISION.facts, DECISION.late)
        .join(decisions, and_(of_the_lead, DECISION.token == asked))
        .where(OVERRIDE.pipeline == ledger.pipeline, OVERRIDE.verdict.in_(_DECIDED))
        .order_by(OVERRIDE.decided_at.desc(), OVERRIDE.lead_id)
        .limit(limit)
    )
    with ledger.reading() as connection:
        return [
            Overridden(
                row.lead_id, Override(Resolution(row.verdict), row.reason, row.decided_by), row.facts, late=row.late
            )
            for row in connection.execute(query)
        ]


def read_for_people(ledger: Ledger, *, limit: int) -> list[ForPerson]:
    """The leads that a person should know of, the longest in quarantine first; some of each state where not all fit."""
    with ledger.reading() as connection:
        found = [_for_people(ledger, connection, state, limit) for state in FOR_PEOPLE]
    while sum(map(len, found)) > limit:
        max(found, key=len).pop()
    return [lead for leads in found for lead in leads]


def _for_people(ledger: Ledger, connection: Connection, state: State, limit: int) -> list[ForPerson]:
    """Those in one state: chosen first, so that only what is shown is looked up."""
    chosen = (
        select(entries)
        .where(ledger.mine, in_state(state))
        .order_by(ENTRY.quarantined_at, ENTRY.lead_id)
        .limit(limit)
        .subquery()
    )
    c = chosen.c
    query = (
        select(c.lead_id, c.registered_at, c.note, DECISION.decided_at, DECISION.rule, DECISION.decided_by)
        .add_columns(_last_answer(chosen).label("answered_at"))
        .select_from(chosen.outerjoin(decisions, stands_for(c)))
        .order_by(c.quarantined_at, c.lead_id)
    )
    return [
        ForPerson(
            lead_id=row.lead_id,
            state=state,
            since=max(at for at in (row.registered_at, row.decided_at, row.answered_at) if at),
            rule=row.rule,
            by_person=row.decided_by is not None,
            note=row.note or "",
        )
        for row in connection.execute(query)
    ]


def _last_answer(of: Any) -> ScalarSelect[datetime]:  # noqa: ANN401 - the table, or rows chosen from it
    """When an entry's last request ended: what it came to may have sent the lead to a person."""
    return select(func.max(ATTEMPT.answered_at)).where(same_lead(ATTEMPT, of.c)).correlate(of).scalar_subquery()
