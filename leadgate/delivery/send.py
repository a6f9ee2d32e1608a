"""The protocol: commit the intent, send, record each lead's answer. Nothing is sent without an intent.

An answer that never comes leaves its lead `sending` under a lease, or `unknown`: it is never sent again blindly.
"""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from leadgate.config import PipelineConfig
from leadgate.delivery.outcomes import Outcomes
from leadgate.delivery.routes import Batch, Route, act_batches, route_of, update_batches
from leadgate.errors import LeadByteError, LeadByteUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger
from leadgate.model import (
    Answer,
    Attempt,
    Certainty,
    Conclusion,
    Decided,
    LeadRequest,
    Outcome,
    RequestKind,
    Result,
    State,
    Verdict,
)

_OUTAGE_AFTER = 3
"""Requests in a row that could not be delivered at all, before the rest of a run is left for later."""


class Delivery:
    """Sends the waves of one run and counts, by state, where its leads went."""

    def __init__(
        self, *, config: PipelineConfig, ledger: Ledger, client: LeadByteClient, clock: Callable[[], datetime]
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._client = client
        self._clock = clock
        self._outcomes = Outcomes(config.delivery, config.policy.hold_for)
        self._undelivered = 0
        self.tally: Counter[State] = Counter()

    async def update(self, wave: Sequence[Decided]) -> list[Decided]:
        """Send every update that goes without an act; return the leads that are to be acted on now.

        Raises KeyRefused or LeadByteUnavailable when the rest of the run is to be left for later.
        """
        by_route = self._by_route(wave)
        await asyncio.to_thread(self._conclude, by_route[Route.NOTHING])
        first = by_route[Route.UPDATE_THEN_ACT]
        alone = by_route[Route.UPDATE] + first
        written = await self._send(update_batches(alone, self._config.leadbyte.batch_size, with_act=False))
        # What has been written is not written again with the act.
        then = [replace(lead, update={}) for lead in first if lead.claim.lead_id in written]
        return by_route[Route.UPDATE_AND_ACT] + by_route[Route.ACT] + then

    async def act(self, wave: Sequence[Decided]) -> None:
        """Process or reject every lead of the wave, together with its update where that is not written yet.

        Raises as `update` does.
        """
        by_route = self._by_route(wave)
        together = update_batches(by_route[Route.UPDATE_AND_ACT], self._config.leadbyte.batch_size, with_act=True)
        await self._send([*together, *act_batches(by_route[Route.ACT])])

    def _by_route(self, wave: Sequence[Decided]) -> dict[Route, list[Decided]]:
        routes: dict[Route, list[Decided]] = {route: [] for route in Route}
        for lead in wave:
            routes[route_of(lead, self._config.delivery.mode)].append(lead)
        return routes

    def _conclude(self, leads: Sequence[Decided]) -> None:
        now = self._clock()
        held_until = now + self._config.policy.hold_for
        conclusions = [
            Conclusion(lead.claim, lead.decision, State.WAITING, held_until, lead.decision.reason)
            if lead.decision.verdict is Verdict.HOLD
            else Conclusion(lead.claim, lead.decision, State.REVIEW, note=lead.decision.reason)
            for lead in leads
        ]
        self._ledger.conclude(conclusions, now=now)
        self.tally.update(conclusion.state for conclusion in conclusions)

    async def _send(self, batches: Sequence[Batch]) -> set[str]:
        """Send every batch; return the ids whose update was taken and whose act is still to come.

        At the first error that concerns every lead nothing more is sent; what is in flight is still recorded.
        """
        queue = deque(batches)
        written: set[str] = set()
        errors: list[Exception] = []

        async def work() -> None:
            while queue and not errors:
                try:
                    written.update(await self._send_batch(queue.popleft()))
                except Exception as error:  # noqa: BLE001 - raised below, when what is in flight has been recorded
                    errors.append(error)

        # Two more than may be in flight: they commit intents and record answers while the others are on the wire.
        workers = min(len(queue), self._config.leadbyte.concurrency + 2)
        await asyncio.gather(*(work() for _ in range(workers)))
        if errors:
            raise errors[0]
        return written

    async def _send_batch(self, batch: Batch) -> set[str]:
        attempts = await asyncio.to_thread(self._intend, batch)
        sendable = [(lead, request) for lead, request in batch if lead.claim.lead_id in attempts]
        if not sendable:
            return set()
        try:
            answers = await self._ask([request for _, request in sendable])
        except LeadByteError as error:
            refusal = str(error)
            answers = [
                Answer(request.lead_id, Certainty.REFUSED, transient=True, message=refusal) for _, request in sendable
            ]
            await asyncio.to_thread(self._record, sendable, attempts, answers)
            raise
        if len(answers) > 1 and all(answer.whole_request and not answer.transient for answer in answers):
            return await self._send_halves(sendable, attempts, answers)
        written = await asyncio.to_thread(self._record, sendable, attempts, answers)
        self._note_outage(answers)
        return written

    async def _send_halves(self, batch: Batch, attempts: dict[str, Attempt], answers: Sequence[Answer]) -> set[str]:
        """Halve a batch that was refused as a whole, until the lead that is the cause stands alone."""
        await asyncio.to_thread(self._record_undecided, attempts, answers)
        middle = len(batch) // 2
        return await self._send_batch(batch[:middle]) | await self._send_batch(batch[middle:])

    async def _ask(self, requests: Sequence[LeadRequest]) -> list[Answer]:
        if requests[0].kind is RequestKind.ACT:
            return [await self._client.act(requests[0])]
        return await self._client.put(requests)

    def _intend(self, batch: Batch) -> dict[str, Attempt]:
        """Commit what is about to be sent; return the attempts of the leads that are still this run's."""
        request_id = secrets.token_hex(8)
        attempts = {
            lead.claim.lead_id: Attempt(
                claim=lead.claim,
                request_id=request_id,
                kind=request.kind,
                action=request.action,
                fields=list(request.update),
                payload_hash=lead.payload_hash if request.update else None,
            )
            for lead, request in batch
        }
        held = self._ledger.intend(
            list(attempts.values()),
            decided={lead.claim.lead_id: lead.decision for lead, _ in batch},
            lease=self._config.delivery.lease,
            now=self._clock(),
        )
        return {lead_id: attempt for lead_id, attempt in attempts.items() if lead_id in held}

    def _record(self, batch: Batch, attempts: dict[str, Attempt], answers: Sequence[Answer]) -> set[str]:
        """Record what each lead was answered; return the ids whose act is still to come."""
        now = self._clock()
        outcomes = [
            self._outcomes.outcome_of(attempts[answer.lead_id], answer, lead.decision, now=now)
            for (lead, _), answer in zip(batch, answers, strict=True)
        ]
        self._ledger.record(outcomes, now=now)
        self.tally.update(outcome.state for outcome in outcomes)
        return {outcome.attempt.claim.lead_id for outcome in outcomes if outcome.state is State.SENDING}

    def _record_undecided(self, attempts: dict[str, Attempt], answers: Sequence[Answer]) -> None:
        """Record a refusal that says nothing of single leads; they stay this run's."""
        outcomes = [
            Outcome(attempts[answer.lead_id], Result.REFUSED, answer.http_status, answer.message, State.SENDING)
            for answer in answers
        ]
        self._ledger.record(outcomes, now=self._clock())

    def _note_outage(self, answers: Sequence[Answer]) -> None:
        """Count requests that could not be delivered; after a few in a row leave the rest for a later run."""
        self._undelivered = self._undelivered + 1 if all(answer.transient for answer in answers) else 0
        if self._undelivered >= _OUTAGE_AFTER:
            msg = (
                f"LeadByte at {self._config.leadbyte.base_url} takes nothing just now ({answers[0].message}). "
                "Every lead that was not sent stays ready: the next run goes on with it."
            )
            raise LeadByteUnavailable(msg)
