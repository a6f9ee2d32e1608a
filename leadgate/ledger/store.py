"""Every change of an entry's state, each method one transaction. Reading for people is in reads.py.

A lead's way stands here; who holds it meanwhile is in leases.py, and what may be written follows from that. What
nobody answered is in unknowns.py, what people decide in reviews.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, case, func, not_, or_, select, true

from leadgate.ledger.engine import insert_for
from leadgate.ledger.leases import at
from leadgate.ledger.pauses import is_paused
from leadgate.ledger.reviews import Reviews
from leadgate.ledger.rows import (
    NO_LEASE,
    attempt_row,
    decision_row,
    ended_row,
    entry_row,
    look_row,
    moved_row,
    storable,
)
from leadgate.ledger.schema import attempts, decisions, entries, in_state
from leadgate.model import Attempt, Claim, Conclusion, Decision, Lead, Look, Outcome, Result, State

_E = entries.c


class Ledger(Reviews):
    """One pipeline's entries, written by one run, which is named `owner`."""

    def register(self, leads: Sequence[Lead], *, now: datetime) -> int:
        """Start to wait for every lead that is not known yet; return how many those were."""
        if not leads:
            return 0
        ids = [lead.lead_id for lead in leads]
        insert = insert_for(self.engine)(entries).on_conflict_do_nothing().returning(_E.lead_id)
        with self.transaction() as connection:
            known = set(connection.scalars(select(_E.lead_id).where(self.mine(), _E.lead_id.in_(ids))))
            # In one order: two runs that insert the same leads wait for each other, and never in a circle.
            new = sorted((lead for lead in leads if lead.lead_id not in known), key=lambda lead: lead.lead_id)
            rows = [entry_row(self.pipeline, lead, now) for lead in new]
            return len(connection.scalars(insert, rows).all()) if rows else 0

    def note_looks(self, looks: Sequence[Look], *, now: datetime) -> None:
        """Record what a look at the source found: what is missing still, and who is due for a decision."""
        if not looks:
            return
        due = bindparam("b_due") == 1
        incomplete = bindparam("b_complete") == 0
        statement = (
            entries.update()
            .where(self.mine(), _E.lead_id == bindparam("b_lead_id"), in_state(State.WAITING))
            .values(
                state=bindparam("b_state"),
                missing=bindparam("b_missing"),
                data_hash=bindparam("b_data_hash"),
                late=bindparam("b_late"),
                due_at=case((due, at(now)), (incomplete, None), else_=_E.due_at),
                arrived_at=case((incomplete, None), else_=func.coalesce(_E.arrived_at, at(now))),
                note=case((or_(due, incomplete), None), else_=_E.note),
            )
        )
        with self.transaction() as connection:
            connection.execute(statement, [look_row(look) for look in sorted(looks, key=lambda look: look.lead_id)])

    def note_changed(self, hashes: Mapping[str, str]) -> int:
        """Record that the enrichment of settled leads has changed, which changes nothing; return how many those are."""
        if not hashes:
            return 0
        statement = (
            entries.update()
            .where(self.mine(), _E.lead_id == bindparam("b_lead_id"), _E.settled_at.is_not(None))
            .values(data_hash=bindparam("b_data_hash"))
        )
        rows = [{"b_lead_id": lead_id, "b_data_hash": hashes[lead_id]} for lead_id in sorted(hashes)]
        with self.transaction() as connection:
            connection.execute(statement, rows)
        return len(rows)

    def intend(
        self,
        attempted: Sequence[Attempt],
        *,
        decided: Mapping[str, Decision],
        lease: timedelta,
        now: datetime,
    ) -> set[str]:
        """Commit decisions and intents before anything is sent; return the ids that may be sent.

        A lead that is missing from the result was taken over by another run, or waits for the answer to an earlier
        request: it must not be sent. While the pipeline is paused, no intent of an act is taken. `decided` holds each
        lead's decision, by id.
        """
        if not attempted:
            return set()
        pairs = [(attempt.claim.lead_id, attempt.claim.token) for attempt in attempted]
        may_act = not_(is_paused(self.pipeline)) if any(attempt.action for attempt in attempted) else true()
        statement = (
            entries.update()
            .where(self.held(pairs, State.READY, State.SENDING), may_act)
            .values(state=State.SENDING, decided_token=_E.token, lease_until=now + lease, note=None)
            .returning(_E.lead_id)
        )
        with self.transaction() as connection:
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

        An answer that arrives after the lease ended still moves an `unknown` entry of the same token: it is the
        evidence that was missing. An act that was taken settles its entry whoever holds it by now, so that it is not
        acted on again. An attempt that has a certain outcome keeps it.
        """
        if not outcomes:
            return
        # The entry is moved on to its next request, but its lease has ended: another run may take it up.
        goes_on_alone = and_(bindparam("b_goes_on") == 1, _E.lease_owner.is_(None))
        awaits_answer = or_(in_state(State.SENDING), in_state(State.UNKNOWN))
        acted = bindparam("b_acted") == 1
        stays = and_(bindparam("b_goes_on") == 1, _E.lease_owner.is_not(None))
        ended = (
            attempts.update()
            .where(
                attempts.c.pipeline == self.pipeline,
                attempts.c.lead_id == bindparam("b_lead_id"),
                attempts.c.request_id == bindparam("b_request_id"),
                or_(attempts.c.outcome.is_(None), attempts.c.outcome == Result.IN_DOUBT),
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
                self.mine(),
                _E.lead_id == bindparam("b_lead_id"),
                _E.settled_at.is_(None),
                or_(acted, and_(_E.token == bindparam("b_token"), awaits_answer)),
            )
            .values(
                state=case((goes_on_alone, State.READY.value), else_=bindparam("b_state", type_=_E.state.type)),
                due_at=case((goes_on_alone, at(now)), else_=bindparam("b_due_at", type_=_E.due_at.type)),
                note=bindparam("b_note"),
                decided_token=case((acted, bindparam("b_token")), else_=_E.decided_token),
                attempts=_E.attempts + bindparam("b_uses_attempt"),
                updated_hash=func.coalesce(bindparam("b_updated_hash"), _E.updated_hash),
                inferred=bindparam("b_inferred"),
                settled_at=bindparam("b_settled_at"),
                lease_owner=case((stays, _E.lease_owner), else_=None),
                lease_until=case((stays, _E.lease_until), else_=None),
            )
        )
        with self.transaction() as connection:
            # Entries before attempts, as everywhere: two runs that meet at a lead cannot wait in a circle.
            connection.execute(moved, [moved_row(outcome, now) for outcome in outcomes])
            connection.execute(ended, [ended_row(outcome) for outcome in outcomes])
            settled = [o.attempt.claim.lead_id for o in outcomes if o.attempt.action and o.result is Result.TAKEN]
            if settled:
                # A probe that the act's own answer has overtaken: whoever sent it may be gone, and nobody needs it.
                connection.execute(
                    attempts.update()
                    .where(
                        attempts.c.pipeline == self.pipeline,
                        attempts.c.lead_id.in_(settled),
                        attempts.c.outcome.is_(None),
                    )
                    .values(outcome=Result.IN_DOUBT, answered_at=now, message="the act itself was answered meanwhile")
                )

    def conclude(self, conclusions: Sequence[Conclusion], *, now: datetime) -> None:
        """Record decisions that need no request, and move their entries."""
        if not conclusions:
            return
        groups: dict[tuple[State, datetime | None, str | None], list[Conclusion]] = {}
        for conclusion in conclusions:
            groups.setdefault((conclusion.state, conclusion.due_at, conclusion.note), []).append(conclusion)
        with self.transaction() as connection:
            for (state, due_at, note), group in groups.items():
                pairs = [(conclusion.claim.lead_id, conclusion.claim.token) for conclusion in group]
                statement = (
                    entries.update()
                    .where(self.held(pairs, State.READY, State.SENDING))
                    .values(
                        state=state, due_at=due_at, note=note and storable(note), decided_token=_E.token, **NO_LEASE
                    )
                    .returning(_E.lead_id)
                )
                held = set(connection.scalars(statement))
                new = [(c.claim, c.decision) for c in group if c.claim.lead_id in held]
                self._write_decisions(connection, new, now)

    def reopen(self, claim: Claim, look: Look) -> None:
        """Let a claimed lead wait again: a value it needs has become null since it was found complete."""
        with self.transaction() as connection:
            connection.execute(
                entries.update()
                .where(self.held([(claim.lead_id, claim.token)], State.READY))
                .values(
                    state=State.WAITING,
                    missing=list(look.missing),
                    data_hash=look.data_hash,
                    arrived_at=None,
                    due_at=None,
                    note=None,
                    late=False,
                    **NO_LEASE,
                )
            )

    def retry(self, ids: Sequence[str] | None, *, now: datetime) -> list[str]:
        """Let parked leads go round again with all their attempts, or every one where `ids` is None; return which."""
        chosen = true() if ids is None else _E.lead_id.in_(ids)
        with self.transaction() as connection:
            statement = (
                entries.update()
                .where(self.mine(), in_state(State.FAILED), chosen)
                .values(state=State.READY, due_at=now, attempts=0, note=None)
                .returning(_E.lead_id)
            )
            return sorted(connection.scalars(statement))

    def _write_decisions(
        self, connection: Connection, decided: Sequence[tuple[Claim, Decision]], now: datetime
    ) -> None:
        rows = [decision_row(self.pipeline, claim, decision, now) for claim, decision in decided]
        if rows:
            # A lead that is sent twice in one claim (update, then act) keeps the decision it has.
            connection.execute(insert_for(self.engine)(decisions).on_conflict_do_nothing(), rows)
