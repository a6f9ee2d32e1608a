"""Pruning: settled leads that are old enough are forgotten, a few in each transaction so that runs get their turn."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import and_, exists, not_, select

from leadgate.ledger.forgotten import erase, keep_hashes, lock_account
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ATTEMPT, ENTRY, in_state, same_lead
from leadgate.model import FINAL_STATES, State

PAUSE = 0.15
"""Seconds between two pieces: a writer of SQLite that waits asks again every tenth of a second."""
_AT_ONCE = 250
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER_ACTED_ON = and_(
    ENTRY.doubt_since.is_(None),
    ENTRY.override_token.is_(None),
    not_(ENTRY.acted_again),
    not_(exists().where(same_lead(ATTEMPT, ENTRY), ATTEMPT.action.is_not(None))),
)


class _Piece(NamedTuple):
    leads: int
    until: datetime
    """When the last of them was settled."""


def prune(ledger: Ledger, *, before: datetime) -> Iterator[int]:
    """Forget the leads that were settled before an instant, a piece at a time; yield how many each piece had.

    So are those that were withdrawn before it and never acted on, which leave no hash: they are new if they come back.
    """
    for state in sorted(FINAL_STATES):
        since = _BEGINNING
        while (piece := _prune_settled(ledger, state, since=since, before=before)).leads:
            yield piece.leads
            since = piece.until
    while leads := _prune_withdrawn(ledger, before=before):
        yield leads


@writes
def _prune_settled(ledger: Ledger, state: State, *, since: datetime, before: datetime) -> _Piece:
    old = (ledger.mine, in_state(state), ENTRY.settled_at >= since, ENTRY.settled_at < before)
    query = select(ENTRY.lead_id, ENTRY.settled_at).where(*old).order_by(ENTRY.settled_at).limit(_AT_ONCE)
    with ledger.transaction() as connection:
        key = lock_account(ledger, connection)
        found = connection.execute(query).all()
        if not found:
            return _Piece(0, since)
        ids = [row.lead_id for row in found]
        ledger.lock(connection, ids)
        keep_hashes(ledger, connection, ids, key)
        erase(ledger, connection, ids)
        return _Piece(len(ids), found[-1].settled_at)


@writes
def _prune_withdrawn(ledger: Ledger, *, before: datetime) -> int:
    old = and_(in_state(State.WITHDRAWN), ENTRY.absent_since < before, _NEVER_ACTED_ON)
    query = select(ENTRY.lead_id).where(ledger.mine, old).limit(_AT_ONCE)
    with ledger.transaction() as connection:
        chosen = ledger.locked(connection, old, ledger.among(connection.scalars(query)))
        ids = list(connection.scalars(select(ENTRY.lead_id).where(chosen)))
        erase(ledger, connection, ids)
        return len(ids)
