"""Who holds which lead: claims, the leases that end them, and the fence round what a run writes.

Two runs at once never share a lead: a claim raises the entry's token under a lock, and whatever a run writes later
is accepted only under the token it claimed with (fencing). PostgreSQL claims with FOR UPDATE SKIP LOCKED; SQLite
takes its write lock before it reads (see engine.py).
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Engine,
    and_,
    bindparam,
    case,
    exists,
    literal,
    or_,
    select,
    true,
    tuple_,
)

from leadgate.ledger.engine import ledger_errors
from leadgate.ledger.overrides import standing_overrides
from leadgate.ledger.rows import NO_LEASE
from leadgate.ledger.schema import UtcDateTime, attempts, entries, in_state
from leadgate.model import Claim, Result, State

_E = entries.c
CLAIMED = (_E.lead_id, _E.token, _E.quarantined_at, _E.late, _E.attempts, _E.updated_hash)
"""What a claim says of an entry, in its order."""


class Leases:
    """One pipeline's entries, as one run holds them, which is named `owner`."""

    def __init__(self, engine: Engine, *, pipeline: str, owner: str) -> None:
        self.engine = engine
        self.pipeline = pipeline
        self.owner = owner
        # SQLite lets one writer in: threads of one process that wait in line are faster than those that ask again.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def claim(self, *, limit: int, lease: timedelta, now: datetime, ids: Sequence[str] | None = None) -> list[Claim]:
        """Take up to `limit` leads that are due for a decision, the longest due first; of the `ids` alone, if given.

        Nobody else gets them while the lease lasts.
        """
        chosen = true() if ids is None else _E.lead_id.in_(ids)
        free = or_(_E.lease_until.is_(None), _E.lease_until < now)
        due = (
            select(_E.lead_id)
            .where(self.mine(), in_state(State.READY), _E.due_at <= now, free, chosen)
            .order_by(_E.due_at, _E.lead_id)
            .limit(limit)
            .with_for_update(skip_locked=True)  # SQLite, which has locked the whole file by now, ignores it
            .cte("due")  # run once; a bare subquery may be run again for each row, and would lock more than `limit`
        )
        statement = (
            entries.update()
            .where(self.mine(), _E.lead_id.in_(select(due.c.lead_id)))
            .values(token=_E.token + 1, lease_owner=self.owner, lease_until=now + lease)
            .returning(*CLAIMED, _E.due_at, _E.override_token)
        )
        with self.transaction() as connection:
            rows = sorted(connection.execute(statement), key=lambda row: (row.due_at, row.lead_id))
            overridden = [row.lead_id for row in rows if row.override_token]
            overrides = standing_overrides(connection, self.pipeline, overridden)
        return [
            Claim(
                row.lead_id,
                row.token,
                row.quarantined_at,
                row.late,
                row.attempts,
                row.updated_hash,
                overrides.get(row.lead_id),
            )
            for row in rows
        ]

    def release(self, *, now: datetime) -> None:
        """Give back every lead this run holds and has no request in flight for, so that another run may take it."""
        with self.transaction() as connection:
            connection.execute(
                entries.update()
                .where(
                    self.mine(),
                    _E.lease_owner == self.owner,
                    _E.lease_until.is_not(None),  # true of every lease; it lets the index of leases be used
                    ~has_open_request(),
                )
                .values(
                    state=case((in_state(State.SENDING), State.READY.value), else_=_E.state),
                    due_at=case((in_state(State.SENDING), at(now)), else_=_E.due_at),
                    **NO_LEASE,
                )
            )

    def renew(self, *, lease: timedelta, now: datetime) -> None:
        """Hold on to every lead this run holds for another lease; one that was taken over is not taken back."""
        with self.transaction() as connection:
            held = and_(self.mine(), _E.lease_owner == self.owner, _E.lease_until.is_not(None))
            connection.execute(entries.update().where(held).values(lease_until=now + lease))

    def rescue(self, *, unknown_after: timedelta, now: datetime) -> int:
        """Take over what dead runs left: `unknown` where an act may have been sent, else `ready`; return how many.

        Leads that a dead run only held, or probed, lose their lease and stay where they are; they do not count.
        """
        open_act = has_open_request(attempts.c.action.is_not(None))
        with self.transaction() as connection:
            stranded = list(
                connection.scalars(
                    entries.update()
                    .where(self.mine(), _E.lead_id.in_(select(self._expired(now, State.SENDING))))
                    .values(
                        state=case((open_act, State.UNKNOWN.value), else_=State.READY.value),
                        due_at=case((open_act, at(now + unknown_after)), else_=at(now)),
                        note="the run that sent it ended before the answer was recorded",
                        **NO_LEASE,
                    )
                    .returning(_E.lead_id)
                )
            )
            idle = _E.lead_id.in_(select(self._expired(now, State.READY, State.UNKNOWN)))
            freed = entries.update().where(self.mine(), idle).values(**NO_LEASE).returning(_E.lead_id)
            left = [*stranded, *connection.scalars(freed)]
            if left:
                connection.execute(
                    attempts.update()
                    .where(
                        attempts.c.pipeline == self.pipeline,
                        attempts.c.lead_id == bindparam("b_lead_id"),
                        attempts.c.outcome.is_(None),
                    )
                    .values(outcome=Result.IN_DOUBT, answered_at=now, message="the run ended before the answer"),
                    [{"b_lead_id": lead_id} for lead_id in left],
                )
        return len(stranded)

    def _expired(self, now: datetime, *states: State) -> CTE:
        """The leads whose lease is over, locked; those another run is busy with are left to it."""
        query = select(_E.lead_id).where(self.mine(), _E.lease_until < now, _E.state.in_(states))
        return query.with_for_update(skip_locked=True).cte("expired")

    def mine(self) -> ColumnElement[bool]:
        """The entries of this pipeline."""
        return _E.pipeline == self.pipeline

    def held(self, pairs: Sequence[tuple[str, int]], *states: State) -> ColumnElement[bool]:
        """The entries this run still holds under the tokens it claimed them with, and has no request in flight for."""
        return and_(
            self.mine(),
            _E.lead_id.in_([lead_id for lead_id, _ in pairs]),  # SQLite uses no index for pairs
            tuple_(_E.lead_id, _E.token).in_(pairs),
            self.holds(_E.token, *states),
        )

    def holds(self, token: ColumnElement[int], *states: State) -> ColumnElement[bool]:
        """Whether an entry is this run's under a token, in one of the states, and has no request in flight."""
        return and_(_E.token == token, _E.lease_owner == self.owner, _E.state.in_(states), ~has_open_request())

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection whose changes are committed together, or not at all."""
        with ledger_errors(self.engine), self._turn, self.engine.begin() as connection:
            yield connection


def at(instant: datetime) -> ColumnElement[datetime]:
    """An instant inside an expression, where no column gives it its type."""
    return literal(instant, UtcDateTime())


def has_open_request(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an entry has a request that was not answered; it never has two."""
    return exists().where(
        attempts.c.pipeline == _E.pipeline,
        attempts.c.lead_id == _E.lead_id,
        attempts.c.outcome.is_(None),
        *conditions,
    )
