"""What is in doubt, what holds acts back, and what the last controls have shown. Nothing here changes a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from leadgate.ledger.brakes import MAY_HAVE_ACTED, Brake, read_brake
from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import ATTEMPT, ENTRY, attempts, entries, in_state, same_lead, standstills
from leadgate.ledger.unknown import DOUBT_BEGAN, IS_CONTROL
from leadgate.model import ACTED, Action, Result, State

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """What a control has shown: of a lead that LeadByte queued at `taken_at`, looked at at `at`."""

    lead_id: str
    taken_at: datetime
    at: datetime
    result: Result
    shape: str
    """The known words of what LeadByte said of it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """An unknown sentence of an act, by its known words, and of how many leads it was said."""

    shape: str
    action: Action
    leads: int


@dataclass(frozen=True, slots=True)
class Doubts:
    """Everything that a person should know of acts which may have been taken."""

    brake: Brake
    unknown: int
    """Leads whose doubt is looked into by runs."""
    since: datetime | None
    """Since when the oldest of all leads is in doubt."""
    unknown_since: datetime | None
    """Since when the oldest of those is that runs look into."""
    control: Shown | None
    """The last one."""
    without_control: Sequence[Action]
    """The acts of leads in doubt for which no control can be made: LeadByte has never said that it queued one."""
    sentences: Sequence[Sentence]
    source_problem: str | None
    """Why the source is not healthy now; None where it is."""
    source_since: datetime | None


def read_doubts(ledger: Ledger) -> Doubts:
    """Read all of it, of one pipeline; the brake is its account's."""
    brake = read_brake(ledger)
    unknown = select(func.count().label("leads"), func.min(DOUBT_BEGAN).label("since"))
    unknown = unknown.where(ledger.mine, in_state(State.UNKNOWN))
    in_doubt = ENTRY.doubt_since.is_not(None), ENTRY.state.in_((State.UNKNOWN, State.REVIEW))
    since = select(func.min(DOUBT_BEGAN)).where(ledger.mine, *in_doubt)
    acts = select(ENTRY.doubt_action).where(ledger.mine, in_state(State.UNKNOWN)).distinct()
    stands = select(standstills.c.problem, standstills.c.began_at)
    stands = stands.where(standstills.c.pipeline == ledger.pipeline, standstills.c.ended_at.is_(None))
    shape = select(ATTEMPT.shape, ATTEMPT.action, func.count().label("leads")).select_from(entries)
    shape = shape.join(attempts, same_lead(ATTEMPT, ENTRY)).where(ledger.mine, *MAY_HAVE_ACTED)
    shape = shape.where(ATTEMPT.shape.is_not(None), ATTEMPT.action.is_not(None))
    shape = shape.group_by(ATTEMPT.shape, ATTEMPT.action).order_by(func.count().desc(), ATTEMPT.shape).limit(_SHOWN)
    with ledger.reading() as connection:
        actions = [Action(action) for action in connection.scalars(acts) if action]
        standstill = connection.execute(stands).first()
        looked_into = connection.execute(unknown).one()
        last = connection.execute(_last_control(ledger)).first()
        shown = last and (last.lead_id, last.taken_at, last.at, Result(last.outcome), last.shape or "")
        return Doubts(
            brake=brake,
            unknown=looked_into.leads,
            since=connection.scalar(since),
            unknown_since=looked_into.since,
            control=Shown(*shown) if shown else None,
            without_control=[action for action in actions if connection.scalar(_queued(ledger, action)) is None],
            sentences=[Sentence(row.shape, Action(row.action), row.leads) for row in connection.execute(shape)],
            source_problem=standstill.problem if standstill else None,
            source_since=standstill.began_at if standstill else None,
        )


def _queued(ledger: Ledger, action: Action) -> Select[tuple[str]]:
    """A lead that LeadByte said it queued for an act."""
    return select(ENTRY.lead_id).where(ledger.mine, in_state(ACTED[action]), ~ENTRY.inferred).limit(1)


def _last_control(ledger: Ledger) -> Select[Any]:
    query = select(ENTRY.lead_id, ENTRY.settled_at.label("taken_at"), ATTEMPT.sent_at.label("at"))
    query = query.add_columns(ATTEMPT.outcome, ATTEMPT.shape).join(attempts, same_lead(ATTEMPT, ENTRY))
    query = query.where(ledger.mine, IS_CONTROL, ENTRY.settled_at.is_not(None))
    return query.select_from(entries).order_by(ATTEMPT.sent_at.desc()).limit(1)
