"""Leads whose row has left the source: noticed, withdrawn if it stays away, and brought back with their row.

Leads that are being sent or in state `unknown` are never withdrawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, func, literal, null, select, tuple_

from leadgate.ledger.claims import at
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ENTRY, entries, in_state
from leadgate.model import State

_OPEN = (State.WAITING, State.READY, State.REVIEW, State.FAILED)
AWAY_FOR = timedelta(minutes=10)
"""How long a row must have been away for its lead to be withdrawn."""
_MOST_AT_ONCE = 20
_MOST_SHARE = 0.05
"""More than both of these missing at once: the table has lost rows, and no lead is withdrawn."""
_NOTE = "its row has left source.leads"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """How many leads were withdrawn; or, if too many rows are missing at once, how many of how many open leads."""

    leads: int
    missing: int = 0
    of: int = 0


def open_ids(ledger: Ledger, limit: int) -> Iterator[list[str]]:
    """The leads that may be withdrawn, in pages, found by the index of each state."""
    for state in _OPEN:
        order = (ENTRY.due_at, ENTRY.lead_id) if state is State.READY else (ENTRY.lead_id,)
        query = select(*order).where(ledger.mine, in_state(state)).order_by(*order).limit(limit)
        page = ledger.fetch_rows(query)
        while page:
            yield [row.lead_id for row in page]
            last = [literal(value, column.type) for value, column in zip(page[-1], order, strict=True)]
            page = ledger.fetch_rows(query.where(tuple_(*order) > tuple_(*last))) if len(page) == limit else []


@writes
def note_presence(ledger: Ledger, *, present: Sequence[str], absent: Sequence[str], now: datetime) -> None:
    """Record which leads a healthy source has no row of, and which it has again."""
    with ledger.transaction() as connection:
        back = ledger.locked(connection, ENTRY.absent_since.is_not(None), ledger.among(present))
        connection.execute(entries.update().where(back).values(absent_since=None))
        if absent:
            away = ledger.locked(connection, ENTRY.absent_since.is_(None), ENTRY.state.in_(_OPEN), ledger.among(absent))
            connection.execute(entries.update().where(away).values(absent_since=now))


@writes
def withdraw(ledger: Ledger, *, left: Literal["withdraw", "review"], now: datetime) -> Withdrawn:
    """Withdraw leads whose rows have been away long enough, or send them to review; none if too many are missing."""
    is_away = and_(ENTRY.absent_since <= now - AWAY_FOR, ENTRY.state.in_(_OPEN), ENTRY.lease_owner.is_(None))
    open_ones = select(func.count()).where(ledger.mine, ENTRY.state.in_(_OPEN))
    state = State.WITHDRAWN if left == "withdraw" else State.REVIEW
    with ledger.transaction() as connection:
        if not connection.scalar(select(func.count()).where(ledger.mine, is_away)):
            return Withdrawn(0)
        missing = connection.scalar(open_ones.where(ENTRY.absent_since.is_not(None))) or 0
        if missing > _MOST_AT_ONCE and missing > _MOST_SHARE * (of := connection.scalar(open_ones) or 0):
            return Withdrawn(0, missing, of)
        chosen = ledger.locked(connection, is_away, ENTRY.state != state)
        left_at = {"due_at": None, "note": _NOTE, "seen": null(), "token": ENTRY.token + 1}
        moved = entries.update().where(chosen).values(state=state, **left_at)
        return Withdrawn(len(connection.scalars(moved.returning(ENTRY.lead_id)).all()))


def read_withdrawn(ledger: Ledger, ids: Sequence[str]) -> list[str]:
    """Those of the ids that are withdrawn."""
    query = select(ENTRY.lead_id).where(ledger.mine, ledger.among(ids), ENTRY.state == State.WITHDRAWN)
    return ledger.fetch_column(query)


@writes
def bring_back(ledger: Ledger, ids: Sequence[str], *, now: datetime) -> int:
    """Let withdrawn leads whose row is there again wait like new ones; return how many."""
    with ledger.transaction() as connection:
        back = ledger.locked(connection, ENTRY.state == State.WITHDRAWN, ledger.among(ids))
        again = {"state": State.WAITING, "missing": None, "arrived_at": None, "late": False, "note": None}
        moved = entries.update().where(back).values(**again, absent_since=None, written_at=at(now))
        return len(connection.scalars(moved.returning(ENTRY.lead_id)).all())
