"""The protocol: commit the intent, send, record each lead's answer. Nothing is sent without an intent.

An answer that never comes leaves its lead `sending` under a lease, or `unknown`: it is never sent again blindly.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from leadgate.config import PipelineConfig
from leadgate.delivery.journal import Journal
from leadgate.delivery.outage import Breaker
from leadgate.delivery.outcomes import answered
from leadgate.errors import LeadByteError, LeadgateError, LedgerUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger
from leadgate.ledger.claims import release, renew
from leadgate.model import Answer, Attempt, Certainty, Outcome, RequestKind, Result, State, Tally
from leadgate.stopping import Stop

Batch = Sequence[Attempt]
Judge = Callable[[Attempt, Answer, datetime], Outcome]
"""Says what an answer makes of a lead."""


class Exchange:
    """Sends batches to LeadByte for one run, and counts where its leads went."""

    def __init__(
        self,
        *,
        config: PipelineConfig,
        ledger: Ledger,
        client: LeadByteClient,
        stop: Stop | None = None,
        tally: Tally | None = None,
    ) -> None:
        self.ledger = ledger
        self.tally = Tally() if tally is None else tally
        self.breaker = Breaker(config.leadbyte.base_url, config.leadbyte.concurrency)
        self._lease = config.delivery.lease
        # Twice as many as may be on the wire: the others commit their intents, or record their answers, meanwhile.
        # What a run that dies may have sent has to be settled by probes, so that it is no more than these.
        self._turns = asyncio.Semaphore(2 * config.leadbyte.concurrency)
        self._wire = asyncio.Semaphore(config.leadbyte.concurrency)
        self._journal = Journal(ledger, lease=config.delivery.lease)
        self._client = client
        self._stop = Stop() if stop is None else stop

    async def send(self, batches: Sequence[Batch], judge: Judge) -> set[str]:
        """Send every batch; return the ids whose update was taken and whose act is still to come.

        At the first error that concerns every lead, and once the run is asked to stop, nothing more is sent; what is
        in flight is still recorded. Raises KeyRefused or LeadByteUnavailable where the rest is to be left for later.
        """
        written: set[str] = set()
        errors: list[Exception] = []

        def is_over() -> bool:
            return bool(errors or self._stop)

        async def send(batch: Batch) -> None:
            try:
                taken, halves = await self._send_batch(batch, judge, is_over)
            except Exception as error:  # noqa: BLE001 - raised below, when what is in flight has been recorded
                errors.append(error)
                return
            written.update(taken)
            await asyncio.gather(*map(send, halves))

        renewal = asyncio.create_task(self._renew_leases())
        try:
            await asyncio.gather(*map(send, batches))
        finally:
            renewal.cancel()
        raise_foremost(errors)
        return written

    async def _renew_leases(self) -> None:
        """Hold on to the wave's leads that still wait for their turn, however long it takes."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            with suppress(LedgerUnavailable):  # a lease that ends is a lead another run takes over, no more
                await asyncio.to_thread(renew, self.ledger, lease=self._lease, now=self.ledger.now())

    async def _send_batch(
        self, batch: Batch, judge: Judge, is_over: Callable[[], bool]
    ) -> tuple[set[str], list[Batch]]:
        """Send one batch when its turn comes, and record it.

        Returns the ids whose act is still to come; and, where it was refused as a whole, its halves, to be sent next.
        """
        async with self._turns:
            if is_over():
                return set(), []
            self.breaker.check()
            # An act that leaves after its lease could meet one of the run that has taken the lead over.
            before = self.ledger.now() + self._lease
            request_id = secrets.token_hex(8)
            attempts = await self._journal.intend([replace(attempt, request_id=request_id) for attempt in batch])
            if len(attempts) < len(batch):
                await self._give_back(batch, attempts)
            if not attempts:
                return set(), []
            error, answers = await self._answers(attempts, before, is_over)
        if error:
            await self._record(attempts, answers, judge)
            raise error
        undecided = _undecided(answers) if attempts[0].kind is not RequestKind.PROBE else set()
        written = await self._record(attempts, answers, judge, undecided)
        self.breaker.check()
        again = [attempt for attempt in attempts if attempt.claim.lead_id in undecided]
        middle = len(again) // 2
        return written, [half for half in (again[:middle], again[middle:]) if half]

    async def _give_back(self, batch: Batch, attempts: Batch) -> None:
        """Let go of the leads that must not be sent, as a pause has overtaken them: they are decided again."""
        may_go = {attempt.claim.lead_id for attempt in attempts}
        kept = [attempt.claim.lead_id for attempt in batch if attempt.claim.lead_id not in may_go]
        await asyncio.to_thread(release, self.ledger, now=self.ledger.now(), ids=kept)

    async def _answers(
        self, attempts: Batch, before: datetime, is_over: Callable[[], bool]
    ) -> tuple[LeadgateError | None, list[Answer]]:
        """Ask LeadByte; what each lead was answered, and the error that concerns them all."""
        async with self._wire:
            try:
                self.breaker.check()
                if is_over():
                    return None, [_unsent(attempt, "the run ended before it was sent") for attempt in attempts]
                answers = await self._stop.bounded(self._ask(attempts, before))
            except (LeadByteError, LedgerUnavailable) as error:  # the ledger's: no turn could be taken
                return error, [_unsent(attempt, str(error)) for attempt in attempts]
            except TimeoutError:
                answers = [_cut_off(attempt) for attempt in attempts]
            self.breaker.note(answers)
        return None, answers

    async def _ask(self, attempts: Batch, before: datetime) -> list[Answer]:
        requests = [attempt.request for attempt in attempts]
        if attempts[0].kind is RequestKind.ACT:
            return [await self._client.act(requests[0], before=before)]
        return await self._client.put(requests, before=before)

    async def _record(
        self, attempts: Batch, answers: Sequence[Answer], judge: Judge, undecided: Collection[str] = ()
    ) -> set[str]:
        """Record what each lead was answered; return the ids whose act is still to come.

        Those `undecided` stay this run's, and count no refusal: what was refused need not have been about them.
        """
        now = self.ledger.now()
        outcomes = [
            answered(attempt, answer)(Result.REFUSED, State.SENDING)
            if answer.lead_id in undecided
            else judge(attempt, answer, now)
            for attempt, answer in zip(attempts, answers, strict=True)
        ]
        await self._journal.record(outcomes)
        self.tally.went.update(outcome.state for outcome in outcomes if outcome.state is not State.SENDING)
        self.tally.refused += sum(map(_is_refused_for_now, outcomes))
        here = {outcome.attempt.claim.lead_id for outcome in outcomes if outcome.state is State.SENDING}
        return here.difference(undecided)


def raise_foremost(ended: Sequence[object]) -> None:
    """Raise the error among results that matters most: one that nobody foresaw is not hidden behind an outage."""
    errors = [error for error in ended if isinstance(error, BaseException)]
    if errors:
        raise next((error for error in errors if not isinstance(error, LeadByteError)), errors[0])


def _undecided(answers: Sequence[Answer]) -> set[str]:
    """The leads that were refused together, so that any one of them may be the cause; alone, a lead is the cause."""
    refused = {answer.lead_id for answer in answers if _is_of_the_whole(answer)}
    return refused if len(refused) > 1 else set()


def _is_of_the_whole(answer: Answer) -> bool:
    # Of an answer that contradicts itself, what forbids sending again counts.
    refused = answer.certainty is Certainty.REFUSED and not (answer.acted or answer.gone)
    return refused and answer.whole_request and not answer.transient


def _is_refused_for_now(outcome: Outcome) -> bool:
    return outcome.result is Result.REFUSED and outcome.state is State.READY and outcome.is_refusal


def _unsent(attempt: Attempt, why: str) -> Answer:
    return Answer(attempt.claim.lead_id, Certainty.REFUSED, transient=True, message=why)


def _cut_off(attempt: Attempt) -> Answer:
    why = "the run was asked to stop before the answer came"
    return Answer(attempt.claim.lead_id, Certainty.IN_DOUBT, transient=True, message=why)
