"""The protocol: commit the intent, send, record each lead's answer. Nothing is sent without an intent.

An act is in doubt from its intent until an answer proves what became of it: it is never sent again blindly.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadgate.config import PipelineConfig
from leadgate.delivery.fewer import is_of_the_whole, undecided_of
from leadgate.delivery.journal import Journal
from leadgate.delivery.outage import Breaker
from leadgate.delivery.outcomes import undecided_yet
from leadgate.errors import LeadByteError, LeadgateError, LedgerUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger
from leadgate.ledger.claims import release, renew
from leadgate.model import Answer, Attempt, Certainty, LeadRequest, Outcome, RequestKind, Tally
from leadgate.stopping import Stop

_OTHERS_PAUSE, _OTHERS_WAITS, _OTHERS_REST = timedelta(seconds=1), 10, timedelta(minutes=1)
"""Acts look so often, so many times, whether those of another run were answered; then they come later."""

_HELD_UP = (
    "This run was held up for longer than its hold on leads lasts (delivery.lease), by this machine or the ledger. "
    "What it had not sent by then was not sent, and is ready again."
)

Judge = Callable[[Attempt, Answer, datetime], Outcome]
"""Says what an answer makes of a lead."""
HearControls = Callable[[Sequence[Answer], Sequence[Answer]], None]
"""Is told what controls were answered, and what the leads beside them were."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one request carries: leads, and the controls beside them, each with its fields."""

    attempts: Sequence[Attempt]
    controls: Sequence[LeadRequest] = ()
    waited: int = 0
    """How often it has waited for an act that goes alone."""


class Exchange:
    """Sends parcels to LeadByte for one run, and counts where its leads went."""

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
        self._journal = Journal(ledger, config.delivery, config.safety.budgets)
        self._client, self.sentences = client, client.sentences
        self._stop = Stop() if stop is None else stop
        self.has_sent = asyncio.Event()  # set once a request is on the wire
        self._under_way = 0
        self._answered = asyncio.Event()
        """Set, and made anew, with every record: acts that wait may go now."""

    async def send(
        self, parcels: Sequence[Parcel], judge: Judge, hear_controls: HearControls | None = None
    ) -> set[str]:
        """Send every parcel; return the ids whose update was taken and whose act is still to come.

        What controls were answered is told to `hear_controls` before any answer of their parcel is judged. At the
        first error that concerns every lead, and once the run is asked to stop, nothing more is sent; what is in
        flight is still recorded. Raises KeyRefused or LeadByteUnavailable where the rest is to be left for later.
        """
        written: set[str] = set()
        errors: list[Exception] = []

        def is_over() -> bool:
            return bool(errors or self._stop)

        async def send(parcel: Parcel) -> None:
            try:
                taken, next_ones = await self._send_parcel(parcel, judge, hear_controls, is_over)
            except Exception as error:  # noqa: BLE001 - raised below, when what is in flight has been recorded
                errors.append(error)
                return
            written.update(taken)
            await asyncio.gather(*map(send, next_ones))

        renewal = asyncio.create_task(self._renew_leases())
        try:
            await asyncio.gather(*map(send, parcels))
        finally:
            renewal.cancel()
        raise_foremost(errors)
        return written

    async def _renew_leases(self) -> None:
        """Hold on to the wave's leads that still wait for their turn, however long it takes."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            with suppress(LedgerUnavailable):  # a lease that ends is a lead another run takes over, no more
                await self.ledger.aside(renew, self.ledger, lease=self._lease, now=self.ledger.now())

    async def _send_parcel(
        self,
        parcel: Parcel,
        judge: Judge,
        hear_controls: HearControls | None,
        is_over: Callable[[], bool],
    ) -> tuple[set[str], list[Parcel]]:
        """Send one parcel when its turn comes, and record it.

        Returns the ids whose act is still to come; and what is to be sent next of it: the halves of one that was
        refused as a whole or of an update that was not answered, the acts that had to wait for one that went alone.
        """
        async with self._turns:
            if is_over():
                return set(), []
            self.breaker.check()
            # An act that leaves after its lease could meet one of the run that has taken the lead over.
            begun_at = self.ledger.now()
            before = begun_at + self._lease
            attempts, waiting = await self._intend(parcel.attempts)
            self._under_way += bool(attempts)
            try:
                if attempts:
                    error, answers = await self._answers(replace(parcel, attempts=attempts), before, is_over)
                    controls, answers = answers[: len(parcel.controls)], answers[len(parcel.controls) :]
                    if hear_controls and controls:
                        hear_controls(await self._apart(parcel.controls, controls, before), answers)
                    undecided = set() if error else undecided_of(attempts, answers, len(controls), is_over=is_over())
                    # A probe says how it was when it was sent: a run may be held up before it records the answer. By
                    # a clock that was set back since, that would be an instant to come.
                    known_at = self.ledger.now() if attempts[0].decision else min(begun_at, self.ledger.now())
                    written = await self._record(attempts, answers, judge, undecided, known_at)
            finally:
                if attempts:
                    self._under_way -= 1
                    self._answered.set()
                    self._answered = asyncio.Event()
        if not attempts:
            return set(), await self._wait_for_answers(waiting, parcel.waited)
        if error:
            raise error
        self.breaker.check()
        again = [attempt for attempt in attempts if attempt.claim.lead_id in undecided]
        middle = len(again) // 2
        return written, [Parcel(part) for part in (again[:middle], again[middle:], waiting) if part]

    async def _intend(self, attempts: Sequence[Attempt]) -> tuple[list[Attempt], list[Attempt]]:
        """Commit intents; return those that may be sent now, and those whose act has to wait for one that goes alone.

        All others are given back: to be decided again, or when their account's acts may go on.
        """
        request_id = secrets.token_hex(8)
        attempts = [replace(attempt, request_id=request_id) for attempt in attempts]
        intended = await self._journal.intend(attempts)
        brake = intended.admitted
        may_go, waiting, later, lost = list[Attempt](), list[Attempt](), list[Attempt](), list[Attempt]()
        over: dict[datetime, list[Attempt]] = {}
        for attempt in attempts:
            lead_id = attempt.claim.lead_id
            if intended.lets(attempt):
                may_go.append(replace(attempt, goes_alone=True) if lead_id == brake.lone else attempt)
            elif lead_id in intended.over_budget:
                over.setdefault(intended.over_budget[lead_id], []).append(attempt)
            elif lead_id not in brake.kept:
                lost.append(attempt)
            else:
                (later if brake.until else waiting).append(attempt)
        await self._give_back(lost, None, "")
        for again_at, attempts_over in over.items():
            await self._give_back(attempts_over, again_at, "")
        await self._give_back(later, brake.until, brake.why)
        return may_go, waiting

    async def _give_back(self, attempts: Sequence[Attempt], until: datetime | None, why: str) -> None:
        """Let go of leads that must not be sent now, until an instant; `why` is told where the account's acts wait."""
        if not attempts:
            return
        ids = [attempt.claim.lead_id for attempt in attempts]
        await self.ledger.aside(release, self.ledger, now=self.ledger.now(), ids=ids, until=until)
        if until and why:
            self.tally.braked += len(ids)
            self.tally.note(f"Acts wait until {until:%Y-%m-%d %H:%M:%S}Z: {why}.")

    async def _wait_for_answers(self, waiting: Sequence[Attempt], waited: int) -> list[Parcel]:
        """Wait until acts may go on: for what this run has under way, or for a while for another run's."""
        if not waiting:
            return []
        if waited >= _OTHERS_WAITS:
            until = self.ledger.now() + _OTHERS_REST
            await self._give_back(waiting, until, "acts of other runs are under way, and not answered yet")
            return []
        if self._under_way:
            await self._answered.wait()
            return [Parcel(waiting)]
        await self._stop.sleep(_OTHERS_PAUSE)
        return [Parcel(waiting, waited=waited + 1)]

    async def _apart(
        self, controls: Sequence[LeadRequest], answers: Sequence[Answer], before: datetime
    ) -> Sequence[Answer]:
        """Ask about each control by itself where the whole request was refused: nobody knows whom that was about."""
        if all(map(is_of_the_whole, answers)):
            with suppress(LeadByteError):  # said of the next request again
                async with self._wire:
                    return [answer for each in controls for answer in await self._client.put([each], before=before)]
        return answers

    async def _answers(
        self, parcel: Parcel, before: datetime, is_over: Callable[[], bool]
    ) -> tuple[LeadgateError | None, list[Answer]]:
        """Ask LeadByte; what each lead was answered, and the error that concerns them all."""
        requests = [*parcel.controls, *(attempt.request for attempt in parcel.attempts)]
        async with self._wire:
            try:
                self.breaker.check()
                if is_over():
                    return None, [_unsent(request, "the run ended before it was sent") for request in requests]
                self.has_sent.set()
                answers = await self._stop.bounded(self._ask(requests, before))
            except (LeadByteError, LedgerUnavailable) as error:  # the ledger's: no turn could be taken
                return error, [_unsent(request, str(error)) for request in requests]
            except TimeoutError:
                answers = [_cut_off(request) for request in requests]
            self.breaker.note(answers)
            if any(answer.is_late for answer in answers):
                self.tally.note(_HELD_UP)
        return None, answers

    async def _ask(self, requests: Sequence[LeadRequest], before: datetime) -> list[Answer]:
        if requests[0].kind is RequestKind.ACT:
            return [await self._client.act(requests[0], before=before)]
        return await self._client.put(requests, before=before)

    async def _record(
        self,
        attempts: Sequence[Attempt],
        answers: Sequence[Answer],
        judge: Judge,
        undecided: Collection[str],
        now: datetime,
    ) -> set[str]:
        """Record what each lead was answered; return the ids whose act is still to come.

        Those `undecided` stay this run's, and count no refusal: what was refused need not have been about them.
        """
        outcomes = [
            undecided_yet(attempt, answer, now) if answer.lead_id in undecided else judge(attempt, answer, now)
            for attempt, answer in zip(attempts, answers, strict=True)
        ]
        await self._journal.record(outcomes, now)
        self.tally.count(outcomes)
        here = {outcome.attempt.claim.lead_id for outcome in outcomes if outcome.goes_on}
        return here.difference(undecided)


def raise_foremost(ended: Sequence[object]) -> None:
    """Raise the error among results that matters most: one that nobody foresaw is not hidden behind an outage."""
    errors = [error for error in ended if isinstance(error, BaseException)]
    if errors:
        raise next((error for error in errors if not isinstance(error, LeadByteError)), errors[0])


def _unsent(request: LeadRequest, why: str) -> Answer:
    return Answer(request.lead_id, Certainty.REFUSED, transient=True, message=why)


def _cut_off(request: LeadRequest) -> Answer:
    why = "the run was asked to stop before the answer came"
    return Answer(request.lead_id, Certainty.IN_DOUBT, transient=True, message=why)
