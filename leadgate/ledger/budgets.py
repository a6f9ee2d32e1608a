"""How much of the budgets of acts is used up, counted from the requests of all runs; and the leads that wait for them.

An act counts from its intent until it is proven not taken, or a whole span after its answer: it was applied before the
answer, so no span has more applied acts than the budget.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, func, literal_column, not_, or_, select

from leadgate.config import Budget, BudgetsConfig
from leadgate.ledger.brakes import lock_acts
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ATTEMPT, DECISION, ENTRY, decisions, entries, in_state, same_lead, stands_for
from leadgate.model import ACTED, Action, Result, State

_AT_ONCE = 10_000
COUNTS = "action is not null and (outcome is null or outcome in ('taken', 'in_doubt'))"
"""Of requests: those with an act that may have been taken; also the condition of their index."""

_MAY_BE_TAKEN = and_(
    ENTRY.decided_token == ATTEMPT.token, or_(ENTRY.doubt_since.is_not(None), ENTRY.state.in_(ACTED.values()))
)
_NOT_TAKEN = and_(ATTEMPT.outcome == Result.IN_DOUBT, ~exists().where(same_lead(ENTRY, ATTEMPT), _MAY_BE_TAKEN))
_PUT_OFF = and_(stands_for(ENTRY), DECISION.capped)
_WAITS = and_(in_state(State.READY), ENTRY.lease_owner.is_(None), ENTRY.override_token.is_(None))


@dataclass(frozen=True, slots=True)
class Room:
    """How many more acts may go now, which budget has the least room, and when it has room again after those."""

    left: int
    budget: Budget | None = None
    free_at: datetime | None = None

    def next_after(self, before: datetime | None, now: datetime) -> datetime:
        """When the lead behind one that goes at `before` may go: the budget's leads are spread over its span."""
        free_at = self.free_at or now
        if self.budget is None or before is None:
            return free_at
        return max(free_at, before + self.budget.span / self.budget.leads)


_NO_LIMIT = Room(1_000_000_000)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many leads wait for a budget, and when the first of them is decided again."""

    leads: int
    first_at: datetime | None


def read_rooms(ledger: Ledger, budgets: BudgetsConfig, *, now: datetime) -> dict[Action, Room]:
    """How much room there is for each act now; other runs use the same room."""
    with ledger.reading() as connection:
        return {action: _room(ledger, connection, action, budgets.of(action), now) for action in Action}


def has_room(ledger: Ledger, budgets: BudgetsConfig, *, now: datetime) -> bool:
    """Whether one more of each act may go now; an act with a budget of 0 is left out."""
    rooms = read_rooms(ledger, budgets, now=now).values()
    return all(room.left > 0 or not (room.budget and room.budget.leads) for room in rooms)


def over_budget(
    ledger: Ledger, connection: Connection, rows: Sequence[Mapping[str, Any]], budgets: BudgetsConfig, *, now: datetime
) -> dict[str, datetime]:
    """The leads of intents for whose act there is no room, and when each is to be decided again.

    Locks the account's acts for this transaction. People's decisions are never refused.
    """
    over: dict[str, datetime] = {}
    by_rules = [row for row in rows if row["action"] and row["decided_by"] is None]
    for action in Action:
        ids = [row["lead_id"] for row in by_rules if row["action"] == action]
        if not ids or not budgets.of(action):
            continue
        lock_acts(ledger, connection, now)
        others = sum(row["action"] == action for row in rows) - len(ids)
        room = _room(ledger, connection, action, budgets.of(action), now)
        left = max(room.left - others, 0)
        # A reject is decided again at once: then it goes to a person.
        again_at = room.free_at if action is Action.PROCESS and room.free_at else now
        over |= dict.fromkeys(ids[left:], again_at)
    return over


def _room(ledger: Ledger, connection: Connection, action: Action, budgets: Sequence[Budget], now: datetime) -> Room:
    mine = (ATTEMPT.pipeline == ledger.pipeline, ATTEMPT.action == literal_column(f"'{action.value}'"))
    acts = select(ATTEMPT.answered_at).where(*mine, literal_column(f"({COUNTS})"), not_(_NOT_TAKEN))
    if not budgets:
        return _NO_LIMIT
    unanswered = select(func.count()).select_from(acts.where(ATTEMPT.answered_at.is_(None)).subquery())
    under_way = connection.scalar(unanswered) or 0
    rooms = []
    for budget in budgets:
        left = budget.leads - under_way
        # Counts no more rows than the budget has.
        answered = acts.where(ATTEMPT.answered_at > now - budget.span).order_by(ATTEMPT.answered_at.desc())
        counted = answered.limit(max(left, 0)).subquery()
        used, oldest = connection.execute(select(func.count(), func.min(counted.c.answered_at))).one()
        rooms.append(Room(left - used, budget, (oldest or now) + budget.span))
    return min(rooms, key=lambda room: (room.left, -(room.free_at or now).timestamp()))


def read_put_off(ledger: Ledger, ids: Collection[str]) -> set[str]:
    """Which of some leads have waited for a budget."""
    query = select(ENTRY.lead_id).join(decisions, _PUT_OFF).where(ledger.mine, ledger.among(ids))
    return set(ledger.fetch_column(query))


def read_last_put_off(ledger: Ledger, *, now: datetime) -> datetime | None:
    """When the last of the leads that wait for a budget is to be decided; None if none waits."""
    query = select(ENTRY.due_at).join(decisions, _PUT_OFF).where(ledger.mine, _WAITS, ENTRY.due_at > now)
    return ledger.fetch_value(query.order_by(ENTRY.due_at.desc()).limit(1))


def read_backlog(ledger: Ledger) -> Backlog:
    """Count the leads that wait for a budget."""
    query = select(func.count(), func.min(ENTRY.due_at)).join(decisions, _PUT_OFF).where(ledger.mine, _WAITS)
    with ledger.reading() as connection:
        leads, first_at = connection.execute(query.select_from(entries)).one()
        return Backlog(leads, first_at)


def next_up(ledger: Ledger, leads: int, *, now: datetime) -> list[str]:
    """The leads that have waited longest for a budget: so many less those that are due, at most 10,000."""
    with ledger.reading() as connection:
        return _next_up(ledger, connection, leads, now)


def _next_up(ledger: Ledger, connection: Connection, leads: int, now: datetime) -> list[str]:
    waiting = select(ENTRY.lead_id).join(decisions, _PUT_OFF).where(ledger.mine, _WAITS)
    due = connection.scalar(select(func.count()).select_from(waiting.where(ENTRY.due_at <= now).subquery())) or 0
    next_ones = waiting.where(ENTRY.due_at > now).order_by(ENTRY.due_at, ENTRY.lead_id)
    return list(connection.scalars(next_ones.limit(min(max(leads - due, 0), _AT_ONCE))))


@writes
def call_up(ledger: Ledger, leads: int, *, now: datetime) -> None:
    """Make the leads that have waited longest for a budget due now: so many less those that are due already."""
    with ledger.transaction() as connection:
        ids = _next_up(ledger, connection, leads, now)
        chosen = ledger.locked(connection, _WAITS, ENTRY.due_at > now, ledger.among(ids))
        connection.execute(entries.update().where(chosen).values(due_at=now, written_at=now))
