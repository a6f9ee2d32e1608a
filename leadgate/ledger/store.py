"""Every change of an entry's state, each method one transaction. Reading for people is in reads.py.

Two runs at once never share a lead: a claim raises the entry's token under a lock, and whatever a run writes later
is accepted only under the token it claimed with (fencing). PostgreSQL claims with FOR UPDATE SKIP LOCKED; SQLite
takes its write lock before it reads (see engine.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, case, exists, func, or_, select, tuple_

from leadgate.ledger.engine import insert_for, ledger_errors
from leadgate.ledger.rows import (
    NO_LEASE,
    attempt_row,
    decision_row,
    ended_row,
    entry_row,
    look_row,
    moved_row,
)
from leadgate.ledger.schema import attempts, decisions, entries
from leadgate.model import Attempt, Claim, Conclusion, Decision, Lead, Look, Outcome, State

_E = entries.c


class Ledger:
    """One pipeline's entries, written by one run, which is named `owner`."""

    def __init__(self, engine: Engine, *, pipeline: str, owner: str) -> None:
        self.engine = engine
        self.pipeline = pipeline
        self.owner = owner

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def register(self, leads: Sequence[Lead], *, now: datetime) -> int:
        """Start to wait for every lead that is not known yet; return how many those were."""
        if not leads:
            return 0
        ids = [lead.lead_id for lead in leads]
        with self._transaction() as connection:
            known = set(connection.scalars(select(_E.lead_id).where(self._mine(), _E.lead_id.in_(ids))))
            rows = [entry_row(self.pipeline, lead, now) for lead in leads if lead.lead_id not in known]
            if rows:
                connection.execute(insert_for(self.engine)(entries).on_conflict_do_nothing(), rows)
        return len(rows)

    def note_looks(self, looks: Sequence[Look], *, now: datetime) -> None:
        """Record what a look at the source found: what is missing still, and who is due for a decision."""
        if not looks:
            return
        statement = (
            entries.update()
            .where(self._mine(), _E.lead_id == bindparam("b_lead_id"), _E.state == State.WAITING)
            .values(
                state=bindparam("b_state"),
                missing=bindparam("b_missing"),
                data_hash=bindparam("b_data_hash"),
                late=bindparam("b_late"),
                due_at=case((bindparam("b_due") == 1, now), (bindparam("b_complete") == 0, None), else_=_E.due_at),
                arrived_at=case((bindparam("b_complete") == 1, func.coalesce(_E.arrived_at, now)), else_=None),
            )
        )
        with self._transaction() as connection:
            connection.execute(statement, [look_row(look) for look in looks])

    def claim(self, *, limit: int, lease: timedelta, now: datetime) -> list[Claim]:
        """Take up to `limit` leads that are due for a decision; nobody else gets them while the lease lasts."""
        free = or_(_E.lease_until.is_(None), _E.lease_until < now)
        pick = (
            select(_E.lead_id)
            .where(self._mine(), _E.state == State.READY, _E.due_at <= now, free)
            .order_by(_E.due_at, _E.lead_id)
            .limit(limit)
            .with_for_update(skip_locked=True)  # SQLite, which has locked the whole file by now, ignores it
        )
        statement = (
            entries.update()
            .where(self._mine(), _E.lead_id.in_(pick.scalar_subquery()))
            .values(token=_E.token + 1, lease_owner=self.owner, lease_until=now + lease)
            .returning(_E.lead_id, _E.token, _E.quarantined_at, _E.late, _E.attempts, _E.updated_hash)
        )
        with self._transaction() as connection:
            return [Claim(*row) for row in connection.execute(statement)]

    def intend(
        self,
        attempted: Sequence[Attempt],
        *,
        decided: Mapping[str, Decision],
        lease: timedelta,
        now: datetime,
    ) -> set[str]:
        """Commit decisions and intents before anything is sent; return the ids that may be sent.

        A lead that is missing from the result was taken over by another run: it must not be sent. `decided` holds
        each lead's decision, by id.
        """
        if not attempted:
            return set()
        pairs = [(attempt.claim.lead_id, attempt.claim.token) for attempt in attempted]
        statement = (
            entries.update()
            .where(self._held(pairs, State.READY, State.SENDING))
            .values(state=State.SENDING, decided_token=_E.token, lease_until=now + lease, note=None)
            .returning(_E.lead_id)
        )
        with self._transaction() as connection:
            held = set(connection.scalars(statement))
            mine = [attempt for attempt in attempted if attempt.claim.lead_id in held]
            new = [(attempt.claim, decided[attempt.claim.lead_id]) for attempt in mine]
            self._write_decisions(connection, new, now)
            rows = [attempt_row(self.pipeline, attempt, self.owner, now) for attempt in mine]
            if rows:
                connection.execute(attempts.insert(), rows)
        return held

    def record(self, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Record what each attempt came to and move its entry, unless another claim has taken the lead since.

        An answer that arrives after the lease ended still settles an `unknown` entry of the same token: it is the
        evidence that was missing.
        """
        if not outcomes:
            return
        ended = (
            attempts.update()
            .where(
                attempts.c.pipeline == self.pipeline,
                attempts.c.lead_id == bindparam("b_lead_id"),
                attempts.c.request_id == bindparam("b_request_id"),
            )
            .values(
                outcome=bindparam("b_result"),
                answered_at=now,
                http_status=bindparam("b_http_status"),
                message=bindparam("b_message"),
            )
        )
        moved = (
            entries.update()
            .where(
                self._mine(),
                _E.lead_id == bindparam("b_lead_id"),
                _E.token == bindparam("b_token"),
                or_(_E.state == State.SENDING, _E.state == State.UNKNOWN),
            )
            .values(
                state=bindparam("b_state"),
                due_at=bindparam("b_due_at"),
                note=bindparam("b_note"),
                attempts=_E.attempts + bindparam("b_uses_attempt"),
                updated_hash=func.coalesce(bindparam("b_updated_hash"), _E.updated_hash),
                inferred=bindparam("b_inferred"),
                settled_at=bindparam("b_settled_at"),
                lease_owner=case((bindparam("b_keeps_lease") == 1, _E.lease_owner), else_=None),
                lease_until=case((bindparam("b_keeps_lease") == 1, _E.lease_until), else_=None),
            )
        )
        with self._transaction() as connection:
            connection.execute(ended, [ended_row(outcome) for outcome in outcomes])
            connection.execute(moved, [moved_row(outcome, now) for outcome in outcomes])

    def conclude(self, conclusions: Sequence[Conclusion], *, now: datetime) -> None:
        """Record decisions that need no request, and move their entries."""
        groups: dict[tuple[State, datetime | None, str | None], list[Conclusion]] = {}
        for conclusion in conclusions:
            groups.setdefault((conclusion.state, conclusion.due_at, conclusion.note), []).append(conclusion)
        with self._transaction() as connection:
            for (state, due_at, note), group in groups.items():
                pairs = [(conclusion.claim.lead_id, conclusion.claim.token) for conclusion in group]
                statement = (
                    entries.update()
                    .where(self._held(pairs, State.READY, State.SENDING))
                    .values(state=state, due_at=due_at, note=note, decided_token=_E.token, **NO_LEASE)
                    .returning(_E.lead_id)
                )
                held = set(connection.scalars(statement))
                new = [(c.claim, c.decision) for c in group if c.claim.lead_id in held]
                self._write_decisions(connection, new, now)

    def reopen(self, claim: Claim, look: Look) -> None:
        """Let a claimed lead wait again: a value it needs has become null since it was found complete."""
        with self._transaction() as connection:
            connection.execute(
                entries.update()
                .where(self._held([(claim.lead_id, claim.token)], State.READY))
                .values(
                    state=State.WAITING,
                    missing=list(look.missing),
                    data_hash=look.data_hash,
                    arrived_at=None,
                    due_at=None,
                    late=False,
                    **NO_LEASE,
                )
            )

    def release(self, *, now: datetime) -> None:
        """Give back every lead this run holds and has no request in flight for, so that another run may take it."""
        with self._transaction() as connection:
            connection.execute(
                entries.update()
                .where(
                    self._mine(),
                    _E.lease_owner == self.owner,
                    _E.state.in_((State.READY, State.SENDING)),
                    ~_open_attempt(),
                )
                .values(state=State.READY, due_at=case((_E.state == State.SENDING, now), else_=_E.due_at), **NO_LEASE)
            )

    def rescue(self, *, unknown_after: timedelta, now: datetime) -> int:
        """Take over what dead runs left: `unknown` where an act may have been sent, else `ready`; return how many."""
        open_act = _open_attempt(attempts.c.action.is_not(None))
        expired = and_(self._mine(), _E.lease_until < now)
        with self._transaction() as connection:
            stranded = list(
                connection.execute(
                    entries.update()
                    .where(expired, _E.state == State.SENDING)
                    .values(
                        state=case((open_act, State.UNKNOWN.value), else_=State.READY.value),
                        due_at=case((open_act, now + unknown_after), else_=now),
                        note="the run that sent it ended before the answer was recorded",
                        **NO_LEASE,
                    )
                    .returning(_E.lead_id, _E.token)
                )
            )
            if stranded:
                connection.execute(
                    attempts.update()
                    .where(
                        attempts.c.pipeline == self.pipeline,
                        attempts.c.lead_id == bindparam("b_lead_id"),
                        attempts.c.token == bindparam("b_token"),
                        attempts.c.outcome.is_(None),
                    )
                    .values(outcome="in_doubt", answered_at=now, message="the run ended before the answer"),
                    [{"b_lead_id": lead_id, "b_token": token} for lead_id, token in stranded],
                )
            idle = entries.update().where(expired, _E.state.in_((State.READY, State.UNKNOWN)))
            connection.execute(idle.values(**NO_LEASE))
        return len(stranded)

    def _write_decisions(
        self, connection: Connection, decided: Sequence[tuple[Claim, Decision]], now: datetime
    ) -> None:
        rows = [decision_row(self.pipeline, claim, decision, now) for claim, decision in decided]
        if rows:
            # A lead that is sent twice in one claim (update, then act) keeps the decision it has.
            connection.execute(insert_for(self.engine)(decisions).on_conflict_do_nothing(), rows)

    def _mine(self) -> ColumnElement[bool]:
        return _E.pipeline == self.pipeline

    def _held(self, pairs: Sequence[tuple[str, int]], *states: State) -> ColumnElement[bool]:
        """The entries this run still holds under the tokens it claimed them with."""
        return and_(
            self._mine(),
            tuple_(_E.lead_id, _E.token).in_(pairs),
            _E.lease_owner == self.owner,
            _E.state.in_(states),
        )

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with ledger_errors(self.engine), self.engine.begin() as connection:
            yield connection


def _open_attempt(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an entry has a request of its present claim that was not answered."""
    return exists().where(
        attempts.c.pipeline == _E.pipeline,
        attempts.c.lead_id == _E.lead_id,
        attempts.c.token == _E.token,
        attempts.c.outcome.is_(None),
        *conditions,
    )
