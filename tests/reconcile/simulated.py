"""A LeadByte and the runs that talk to it, without sockets or threads: every delay and order can be chosen.

A request that was sent is applied at once or up to the longest exchange later, whatever its sender hears of it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, cast

from leadgate.config import PipelineConfig
from leadgate.delivery.outcomes import Outcomes
from leadgate.delivery.reconcile import Reconciliation
from leadgate.ledger import Ledger
from leadgate.model import (
    Action,
    Answer,
    Attempt,
    Certainty,
    Claim,
    Decision,
    InDoubt,
    Outcome,
    RequestKind,
    Result,
    State,
    Verdict,
    fingerprint,
)
from tests.delivery.world import NOON, POSTCODE, decision_of


class Heard(Enum):
    """What a run hears of its request."""

    ANSWER = "what LeadByte did"
    LOST = "nothing: it may still be applied"
    BUSY = "not taken: come back later"
    NO = "not taken: this lead has a fault"
    NO_TO_ALL = "not taken: one of these leads has a fault"


@dataclass
class SimulatedLeadByte:
    """Who is in quarantine, what was done to whom, and what is on its way here."""

    now: datetime = NOON
    gone: set[str] = field(default_factory=set)
    acts: Counter[str] = field(default_factory=Counter)
    in_the_air: list["Request"] = field(default_factory=list)

    def advance(self, span: timedelta) -> None:
        """Let time pass; what is on its way arrives meanwhile, in its order."""
        self.now += span
        for request in sorted(self.in_the_air, key=lambda request: request.arrives_at):
            if request.arrives_at <= self.now:
                self.apply(request)

    def apply(self, request: "Request") -> dict[str, Answer]:
        """Do what a request asks of each lead, as LeadByte does, and say what was done."""
        self.in_the_air = [other for other in self.in_the_air if other is not request]
        return {attempt.claim.lead_id: self._apply_to(attempt) for attempt in request.attempts}

    def may_still_act_on(self, lead_id: str) -> bool:
        """Whether an act on this lead is on its way."""
        return any(a.action and a.claim.lead_id == lead_id for request in self.in_the_air for a in request.attempts)

    def _apply_to(self, attempt: Attempt) -> Answer:
        lead_id = attempt.claim.lead_id
        if attempt.action:
            # Counted also where the lead is gone by now: it should not have been sent.
            self.acts[lead_id] += lead_id not in self.gone or self.acts[lead_id] > 0
        if lead_id in self.gone:
            acted = False if attempt.action else None
            return Answer(lead_id, Certainty.ANSWERED, updated=False, acted=acted, gone=True, message="not found")
        if attempt.action:
            self.gone.add(lead_id)
        updated = None if attempt.kind is RequestKind.ACT else True
        acted = True if attempt.action else None
        return Answer(lead_id, Certainty.ANSWERED, updated=updated, acted=acted, message="OK")


@dataclass
class Request:
    """What was sent together, and when it reaches LeadByte."""

    attempts: Sequence[Attempt]
    sent_before: datetime
    decided: Mapping[str, Decision]
    doubts: Mapping[str, InDoubt]
    arrives_at: datetime = NOON
    answers: dict[str, Answer] | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed lead as it was decided, and whether its update was taken meanwhile."""

    claim: Claim
    decision: Decision
    written: bool


class SimulatedRun:
    """One run: what it claimed, what it committed to send, what it sent. `crash` forgets all of it."""

    def __init__(self, ledger: Ledger, leadbyte: SimulatedLeadByte, config: PipelineConfig) -> None:
        self._ledger, self._leadbyte, self._config = ledger, leadbyte, config
        self._outcomes = Outcomes(config.delivery, config.policy.hold_for)
        # Only its judgement is used here: it needs neither a source nor anything to send with.
        parts: dict[str, Any] = dict.fromkeys(("source", "ledger", "exchange", "clock"))
        self._reconciliation = cast("Any", Reconciliation)(config=config, **parts)
        self._started = 0
        self.crash()

    def crash(self) -> None:
        """End without a word; the next run has another name."""
        self._started += 1
        self._requests = 0
        name = f"{self._ledger.owner.split('#')[0]}#{self._started}"
        self._ledger = Ledger(self._ledger.engine, pipeline=self._ledger.pipeline, owner=name)
        self.held: list[Held] = []
        self.doubts: dict[str, InDoubt] = {}
        self.intended: list[Request] = []
        self.sent: list[Request] = []

    def end(self) -> None:
        """End as a run does that failed or was asked to stop: it gives back what it has no request in flight for."""
        self._ledger.release(now=self._leadbyte.now)
        self.crash()

    def renew(self) -> None:
        """Hold on to what it has claimed."""
        self._ledger.renew(lease=self._config.delivery.lease, now=self._leadbyte.now)

    def rescue(self) -> None:
        """Take over what dead runs left."""
        self._ledger.rescue(unknown_after=self._config.delivery.unknown_after, now=self._leadbyte.now)

    def claim(self, limit: int, verdict: Verdict) -> None:
        """Claim leads that are due, all decided with one verdict."""
        claims = self._ledger.claim(limit=limit, lease=self._config.delivery.lease, now=self._leadbyte.now)
        written = fingerprint(POSTCODE)
        self.held += [Held(claim, decision_of(verdict), claim.updated_hash == written) for claim in claims]

    def intend(self, count: int, *, combined: bool) -> None:
        """Commit what will be asked of the first leads it holds; of a POST, of one lead."""
        if not self.held:
            return
        kind = self._kind_of(self.held[0], combined=combined)
        alike = [held for held in self.held if self._kind_of(held, combined=combined) is kind]
        chosen = alike[: 1 if kind is RequestKind.ACT else count]
        self.held = [held for held in self.held if held not in chosen]
        before = self._leadbyte.now + self._config.delivery.lease
        attempts = [self._attempt(held.claim, kind, held.decision.verdict.action) for held in chosen]
        decided = {held.claim.lead_id: held.decision for held in chosen}
        mine = self._ledger.intend(attempts, decided=decided, lease=self._config.delivery.lease, now=self._leadbyte.now)
        self._queue([attempt for attempt in attempts if attempt.claim.lead_id in mine], before, decided=decided)

    def claim_unknown(self, limit: int) -> None:
        """Claim what nobody answered."""
        lease = self._config.delivery.lease
        doubts = self._ledger.claim_unknown(limit=limit, lease=lease, now=self._leadbyte.now)
        self.doubts |= {doubt.claim.lead_id: doubt for doubt in doubts}

    def intend_probes(self) -> None:
        """Commit one probe for all the unknown leads it claimed."""
        doubts, self.doubts = self.doubts, {}
        claims = [doubt.claim for doubt in doubts.values()]
        before = self._leadbyte.now + self._config.delivery.lease
        attempts = [self._attempt(claim, RequestKind.PROBE, None) for claim in claims]
        mine = self._ledger.intend_probes(attempts, lease=self._config.delivery.lease, now=self._leadbyte.now)
        self._queue([attempt for attempt in attempts if attempt.claim.lead_id in mine], before, doubts=doubts)

    def give_to_person(self) -> None:
        """Give up on the unknown leads it claimed: there is nothing to probe them with."""
        self._ledger.give_to_person([doubt.claim for doubt in self.doubts.values()], note="nothing to probe with")
        self.doubts = {}

    def send(self, takes: timedelta) -> None:
        """Send what it committed, unless its lease has ended; it reaches LeadByte after a while."""
        request = self.intended.pop(0)
        if self._leadbyte.now >= request.sent_before:
            request.answers = {a.claim.lead_id: _refused(a, transient=True) for a in request.attempts}
        else:
            request.arrives_at = self._leadbyte.now + takes
            self._leadbyte.in_the_air.append(request)
        self.sent.append(request)

    def hear(self, number: int, heard: Heard) -> None:
        """Hear of a request that was sent; it is not recorded yet."""
        request = self.sent[number]
        waits = request in self._leadbyte.in_the_air
        if request.answers is not None or (not waits and heard is not Heard.LOST):
            return
        match heard:
            case Heard.ANSWER:
                request.answers = self._leadbyte.apply(request)
            case Heard.LOST:
                request.answers = {a.claim.lead_id: _lost(a) for a in request.attempts}
            case Heard.BUSY | Heard.NO | Heard.NO_TO_ALL:
                # Refused is what was provably not applied, so it never will be.
                self._leadbyte.in_the_air.remove(request)
                busy, whole = heard is Heard.BUSY, heard is Heard.NO_TO_ALL
                request.answers = {a.claim.lead_id: _refused(a, transient=busy, whole=whole) for a in request.attempts}

    def record(self, number: int) -> None:
        """Record what was heard, however late it is."""
        request = self.sent.pop(number)
        answers = request.answers or {a.claim.lead_id: _lost(a) for a in request.attempts}
        now = self._leadbyte.now
        outcomes = [self._judge(request, attempt, answers[attempt.claim.lead_id]) for attempt in request.attempts]
        self._ledger.record(outcomes, now=now)
        self.held += [
            Held(outcome.attempt.claim, decision, outcome.result is Result.TAKEN)
            for outcome in outcomes
            if outcome.state is State.SENDING
            for decision in [request.decided[outcome.attempt.claim.lead_id]]
        ]

    def _judge(self, request: Request, attempt: Attempt, answer: Answer) -> Outcome:
        now, lead_id = self._leadbyte.now, attempt.claim.lead_id
        if attempt.kind is RequestKind.PROBE:
            outcome: Outcome = self._reconciliation.outcome_of(request.doubts[lead_id], attempt, answer, now)
            return outcome
        if answer.whole_request and len(request.attempts) > 1:
            return Outcome(attempt, Result.REFUSED, answer.http_status, answer.message, State.SENDING)
        return self._outcomes.outcome_of(attempt, answer, request.decided[lead_id], now=now)

    def _kind_of(self, held: Held, *, combined: bool) -> RequestKind:
        if not held.decision.verdict.action:
            return RequestKind.UPDATE
        if held.written:
            return RequestKind.ACT
        return RequestKind.UPDATE_AND_ACT if combined else RequestKind.UPDATE

    def _attempt(self, claim: Claim, kind: RequestKind, action: Action | None) -> Attempt:
        self._requests += 1
        fields = [] if kind is RequestKind.ACT else list(POSTCODE)
        return Attempt(
            claim=claim,
            request_id=f"{self._ledger.owner}-{self._requests}",
            kind=kind,
            action=action if kind.carries_act else None,
            fields=fields,
            payload_hash=fingerprint(POSTCODE) if fields and kind is not RequestKind.PROBE else None,
        )

    def _queue(
        self,
        attempts: Sequence[Attempt],
        before: datetime,
        *,
        decided: Mapping[str, Decision] | None = None,
        doubts: Mapping[str, InDoubt] | None = None,
    ) -> None:
        if attempts:
            self.intended.append(Request(attempts, before, decided or {}, doubts or {}))


def _lost(attempt: Attempt) -> Answer:
    return Answer(attempt.claim.lead_id, Certainty.IN_DOUBT, transient=True, message="no answer")


def _refused(attempt: Attempt, *, transient: bool, whole: bool = False) -> Answer:
    message = "later" if transient else "no"
    return replace(
        Answer(attempt.claim.lead_id, Certainty.REFUSED, message=message), transient=transient, whole_request=whole
    )
