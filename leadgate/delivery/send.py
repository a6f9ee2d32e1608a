"""The protocol: commit the intent, send, record each lead's answer. Nothing is sent without an intent.

An answer that never comes leaves its lead `sending` under a lease, or `unknown`: it is never sent again blindly.
"""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
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
"""Requests in a row without an answer, beyond those that are under way at once, before a run is broken off."""
_NO_ANSWER_FROM = 500


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
        self._unanswered = 0
        self._ever_answered = False
        self.outage: str | None = None
        """Why LeadByte took or answered no request of this run at all; None where it did, or was asked nothing."""
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
                    written.update(await self._send_batch(queue.popleft(), queue))
                except Exception as error:  # noqa: BLE001 - raised below, when what is in flight has been recorded
                    errors.append(error)

        # Two more than may be in flight: they commit intents and record answers while the others are on the wire.
        workers = min(len(queue), self._config.leadbyte.concurrency + 2)
        await asyncio.gather(*(work() for _ in range(workers)))
        if errors:
            # One that nobody foresaw is not hidden behind an outage.
            raise next((error for error in errors if not isinstance(error, LeadByteError)), errors[0])
        return written

    async def _send_batch(self, batch: Batch, queue: deque[Batch]) -> set[str]:
        """Send one batch and record it; where it was refused as a whole, its halves go to the front of the queue."""
        # An act that leaves after its lease could meet one of the run that has taken the lead over.
        before = self._clock() + self._config.delivery.lease
        attempts = await asyncio.to_thread(self._intend, batch)
        sendable = [(lead, request) for lead, request in batch if lead.claim.lead_id in attempts]
        if not sendable:
            return set()
        try:
            answers = await self._ask([request for _, request in sendable], before)
        except LeadByteError as error:
            refusal = str(error)
            answers = [
                Answer(request.lead_id, Certainty.REFUSED, transient=True, message=refusal) for _, request in sendable
            ]
            await asyncio.to_thread(self._record, sendable, attempts, answers)
            raise
        undecided = _undecided(answers)
        written = await asyncio.to_thread(self._record, sendable, attempts, answers, undecided)
        if undecided:
            again = [(lead, request) for lead, request in sendable if lead.claim.lead_id in undecided]
            middle = len(again) // 2
            queue.extendleft([again[middle:], again[:middle]])
        self._note_outage(answers)
        return written

    async def _ask(self, requests: Sequence[LeadRequest], before: datetime) -> list[Answer]:
        if requests[0].kind is RequestKind.ACT:
            return [await self._client.act(requests[0], before=before)]
        return await self._client.put(requests, before=before)

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

    def _record(
        self,
        batch: Batch,
        attempts: dict[str, Attempt],
        answers: Sequence[Answer],
        undecided: Collection[str] = (),
    ) -> set[str]:
        """Record what each lead was answered; return the ids whose act is still to come.

        Those `undecided` stay this run's, and use no attempt: what was refused need not have been about them.
        """
        now = self._clock()
        outcomes = [
            Outcome(attempts[answer.lead_id], Result.REFUSED, answer.http_status, answer.message, State.SENDING)
            if answer.lead_id in undecided
            else self._outcomes.outcome_of(attempts[answer.lead_id], answer, lead.decision, now=now)
            for (lead, _), answer in zip(batch, answers, strict=True)
        ]
        self._ledger.record(outcomes, now=now)
        self.tally.update(outcome.state for outcome in outcomes if outcome.state is not State.SENDING)
        here = {outcome.attempt.claim.lead_id for outcome in outcomes if outcome.state is State.SENDING}
        return here.difference(undecided)

    def _note_outage(self, answers: Sequence[Answer]) -> None:
        """Count requests that LeadByte did not take or not answer; after some in a row leave the rest for later."""
        if not all(map(_is_unanswered, answers)):
            self._unanswered, self._ever_answered, self.outage = 0, True, None
            return
        self._unanswered += 1
        msg = (
            f"LeadByte at {self._config.leadbyte.base_url} takes nothing just now ({answers[0].message}). "
            "Every lead that was not sent stays ready: the next run goes on with it."
        )
        if not self._ever_answered:
            self.outage = msg
        # As many as are under way at once may fail of one cause, such as a single 429.
        if self._unanswered >= self._config.leadbyte.concurrency + _OUTAGE_AFTER:
            raise LeadByteUnavailable(msg)


def _undecided(answers: Sequence[Answer]) -> set[str]:
    """The leads that were refused together, so that any one of them may be the cause; alone, a lead is the cause."""
    refused = {answer.lead_id for answer in answers if _is_of_the_whole(answer)}
    return refused if len(refused) > 1 else set()


def _is_of_the_whole(answer: Answer) -> bool:
    # Of an answer that contradicts itself, what forbids sending again counts.
    refused = answer.certainty is Certainty.REFUSED and not (answer.acted or answer.gone)
    return refused and answer.whole_request and not answer.transient


def _is_unanswered(answer: Answer) -> bool:
    lost = answer.http_status is None or answer.http_status >= _NO_ANSWER_FROM
    return answer.transient or (answer.certainty is Certainty.IN_DOUBT and lost)
