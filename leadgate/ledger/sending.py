"""What is written round a request: the intents before it, each lead's answer after it, for many requests at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Insert,
    Integer,
    Text,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
)

from leadgate.ledger.given import Given, Types, key_is
from leadgate.ledger.pauses import is_paused
from leadgate.ledger.reviews import Reviews
from leadgate.ledger.rows import decision_row, intent_row, outcome_row
from leadgate.ledger.schema import UtcDateTime, attempts, decisions, entries, in_state
from leadgate.model import Attempt, Claim, Decision, Outcome, Result, State

_E, _A, _D = entries.c, attempts.c, decisions.c
_NOW = bindparam("now", type_=UtcDateTime())
_LEASE_UNTIL = bindparam("lease_until", type_=UtcDateTime())

_CLAIM: Types = {"pipeline": Text(), "lead_id": Text(), "token": Integer()}
_OUTCOMES = Given(
    "outcomes",
    {
        **_CLAIM,
        "request_id": Text(),
        "result": Text(),
        "http_status": Integer(),
        "message": Text(),
        "state": Text(),
        "due_at": UtcDateTime(),
        "note": Text(),
        "uses_attempt": Integer(),
        "updated_hash": Text(),
        "inferred": Boolean(),
        "settled": Boolean(),
        "goes_on": Boolean(),
        "acted": Boolean(),
    },
)
_ATTEMPT: Types = {
    **_CLAIM,
    "action": Text(),
    "request_id": Text(),
    "kind": Text(),
    "fields": JSON(),
    "payload_hash": Text(),
}
_DECISION: Types = {
    **_CLAIM,
    "policy_version": Text(),
    "verdict": Text(),
    "rule": Text(),
    "reason": Text(),
    "late": Boolean(),
    "facts": JSON(),
    "unanswered": JSON(),
    "trace": JSON(none_as_null=True),
    "decided_by": Text(),
    "paused": Boolean(),
    "shadow": JSON(none_as_null=True),
}
_INTENTS = Given("intents", {**_ATTEMPT, **_DECISION})


class Sending(Reviews):
    """The part of the ledger that is written round every request."""

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
        rows = [intent_row(self.pipeline, attempt, decided[attempt.claim.lead_id]) for attempt in attempted]
        with self.transaction() as connection:
            values = {**_INTENTS.give(connection, rows), "now": now, "lease_until": now + lease}
            held = set(connection.scalars(self._held, values))
            if len(held) < len(rows):
                values |= _INTENTS.give(connection, [row for row in rows if row["lead_id"] in held])
            if held:
                connection.execute(self._decisions_kept, values)
                connection.execute(self._attempts_begun, values)
        return held

    def record(self, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Record what each attempt came to and move its entry, unless another claim has taken the lead since.

        An answer that arrives after the lease ended still moves an `unknown` entry of the same token: it is the
        evidence that was missing. An act that was taken settles its entry whoever holds it by now, so that it is not
        acted on again. An attempt that has a certain outcome keeps it.
        """
        if not outcomes:
            return
        rows = [outcome_row(self.pipeline, outcome) for outcome in outcomes]
        with self.transaction() as connection:
            values = {**_OUTCOMES.give(connection, rows), "now": now}
            # Entries before attempts, as everywhere: two runs that meet at a lead cannot wait in a circle.
            connection.execute(self._moved, values)
            connection.execute(self._ended, values)
            if any(outcome.attempt.action and outcome.result is Result.TAKEN for outcome in outcomes):
                connection.execute(self._overtaken, values)

    def keep_decisions(self, connection: Connection, decided: Sequence[tuple[Claim, Decision]], now: datetime) -> None:
        """Keep decisions under their claims; a lead that is sent twice in one claim keeps the one it has."""
        if decided:
            rows = [decision_row(self.pipeline, claim, decision) for claim, decision in decided]
            connection.execute(self._decisions_kept, {**_INTENTS.give(connection, rows), "now": now})

    @cached_property
    def _moved(self) -> Update:
        """Entries, to where their answers take them."""
        told = _OUTCOMES.rows(self.engine).c
        # The entry is moved on to its next request, but its lease has ended: another run may take it up.
        goes_on_alone = and_(told.goes_on, _E.lease_owner.is_(None))
        stays = and_(told.goes_on, _E.lease_owner.is_not(None))
        awaits_answer = or_(in_state(State.SENDING), in_state(State.UNKNOWN))
        return (
            entries.update()
            .where(
                key_is(told),
                _E.settled_at.is_(None),
                or_(told.acted, and_(_E.token == told.token, awaits_answer)),
            )
            .values(
                state=case((goes_on_alone, State.READY.value), else_=told.state),
                due_at=case((goes_on_alone, _NOW), else_=told.due_at),
                note=told.note,
                decided_token=case((told.acted, told.token), else_=_E.decided_token),
                attempts=_E.attempts + told.uses_attempt,
                updated_hash=func.coalesce(told.updated_hash, _E.updated_hash),
                inferred=told.inferred,
                settled_at=case((told.settled, _NOW), else_=None),
                lease_owner=case((stays, _E.lease_owner), else_=None),
                lease_until=case((stays, _E.lease_until), else_=None),
            )
        )

    @cached_property
    def _ended(self) -> Update:
        """Attempts, with what they came to."""
        told = _OUTCOMES.rows(self.engine).c
        return (
            attempts.update()
            .where(
                _A.pipeline == told.pipeline,
                _A.lead_id == told.lead_id,
                _A.request_id == told.request_id,
                or_(_A.outcome.is_(None), _A.outcome == Result.IN_DOUBT),
            )
            .values(outcome=told.result, answered_at=_NOW, http_status=told.http_status, message=told.message)
        )

    @cached_property
    def _overtaken(self) -> Update:
        """Probes that the act's own answer has overtaken: whoever sent them may be gone, and nobody needs them."""
        told = _OUTCOMES.rows(self.engine).c
        return (
            attempts.update()
            .where(_A.pipeline == told.pipeline, _A.lead_id == told.lead_id, told.acted, _A.outcome.is_(None))
            .values(outcome=Result.IN_DOUBT, answered_at=_NOW, message="the act itself was answered meanwhile")
        )

    @cached_property
    def _held(self) -> Update:
        """Entries that this run still holds under the claims it was given, as `sending`."""
        asked = _INTENTS.rows(self.engine, *_CLAIM, "action").c
        return (
            entries.update()
            .where(
                key_is(asked),
                self.holds(asked.token, State.READY, State.SENDING),
                or_(asked.action.is_(None), not_(is_paused(self.pipeline))),
            )
            .values(state=State.SENDING, decided_token=_E.token, lease_until=_LEASE_UNTIL, note=None)
            .returning(_E.lead_id)
        )

    @cached_property
    def _attempts_begun(self) -> Insert:
        row = _INTENTS.rows(self.engine, *_ATTEMPT).c
        chosen = select(literal(self.owner), _NOW, *row)
        return attempts.insert().from_select(["owner", "sent_at", *row.keys()], chosen)

    @cached_property
    def _decisions_kept(self) -> Insert:
        row = _INTENTS.rows(self.engine, *_DECISION).c
        # Not ON CONFLICT: SQLAlchemy would compile that statement anew each time, and the entries are locked by now.
        is_kept = exists().where(_D.pipeline == row.pipeline, _D.lead_id == row.lead_id, _D.token == row.token)
        chosen = select(_NOW, *row).where(not_(is_kept))
        return decisions.insert().from_select(["decided_at", *row.keys()], chosen)
