"""A LeadByte and the runs that talk to it, without sockets or threads: every delay and order can be chosen.

A request that was sent is applied at once or up to the longest exchange later, whatever its sender hears of it. An act
that was taken stands in LeadByte's queue for a while, in which its lead is updated like any other; LeadBytes differ in
how long, and in whether they go on updating leads that have left.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from leadgate.config import PipelineConfig
from leadgate.delivery.controls import ControlRequest
from leadgate.delivery.evidence import Evidence
from leadgate.delivery.outcomes import Outcomes, undecided_yet
from leadgate.ledger import Ledger, claims, sending, unknown
from leadgate.model import (
    Answer,
    Attempt,
    Certainty,
    Claim,
    Control,
    Decision,
    InDoubt,
    LeadRequest,
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
    """Who is in quarantine, what was done to whom, and what is on its way here.

    `queue` says how long the next act stands in its queue. One that `updates_all` never says that a lead is gone to who
    updates it.
    """

    now: datetime = NOON
    queue: Callable[[], timedelta] = timedelta
    updates_all: bool = False
    gone: set[str] = field(default_factory=set)
    leaves_at: dict[str, datetime] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)
    in_the_air: list["Request"] = field(default_factory=list)

    def advance(self, span: timedelta) -> None:
        """Let time pass; what is on its way arrives meanwhile, in its order, and what is queued leaves."""
        then = self.now + span
        for request in sorted(self.in_the_air, key=lambda request: request.arrives_at):
            if request.arrives_at <= then:
                self.now = max(self.now, request.arrives_at)
                self.apply(request)
        self.now = then
        self.let_leave()

    def let_leave(self) -> None:
        """Take out of quarantine what has stood in the queue for long enough."""
        self.gone |= {lead_id for lead_id, at in self.leaves_at.items() if at <= self.now}

    def apply(self, request: "Request") -> dict[str, Answer]:
        """Do what a request asks of each lead, as LeadByte does, and say what was done."""
        self.in_the_air = [other for other in self.in_the_air if other is not request]
        self.let_leave()
        return {attempt.claim.lead_id: self._apply_to(attempt) for attempt in request.attempts}

    def may_still_act_on(self, lead_id: str) -> bool:
        """Whether an act on this lead is on its way."""
        sent = [attempt.request for request in self.in_the_air for attempt in request.attempts]
        return any(request.action and request.lead_id == lead_id for request in sent)

    def _apply_to(self, attempt: Attempt) -> Answer:
        lead_id, action = attempt.claim.lead_id, attempt.request.action
        if action:
            # Counted also where the lead is gone by now: it should not have been sent.
            self.acts[lead_id] += lead_id not in self.gone or self.acts[lead_id] > 0
        if lead_id in self.gone and (action or not self.updates_all):
            acted = False if action else None
            return self._answer(lead_id, updated=False, acted=acted, gone=True, message="not found")
        if action and lead_id not in self.leaves_at:
            self.leaves_at[lead_id] = self.now + self.queue()
            self.let_leave()
        updated = None if attempt.kind is RequestKind.ACT else True
        acted = True if action else None
        return self._answer(lead_id, updated=updated, acted=acted, message="OK")

    def ask_of(self, control: Control) -> Answer:
        """What a control is answered, beside the probes."""
        self.let_leave()
        if control.lead_id in self.gone and not self.updates_all:
            return self._answer(control.lead_id, updated=False, gone=True, message="not found")
        return self._answer(control.lead_id, updated=True, message="OK")

    def _answer(self, lead_id: str, **proved: Any) -> Answer:  # noqa: ANN401 - what an answer has
        return Answer(lead_id, Certainty.ANSWERED, http_status=200, their_time=self.now, **proved)


@dataclass
class Request:
    """What was sent together, and when it reaches LeadByte."""

    attempts: Sequence[Attempt]
    sent_before: datetime
    doubts: Mapping[str, InDoubt]
    arrives_at: datetime = NOON
    answers: dict[str, Answer] | None = None
    evidence: Evidence | None = None
    """What controls beside it were answered; None where it carries acts, or was not answered."""


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
        claims.release(self._ledger, now=self._leadbyte.now)
        self.crash()

    def renew(self) -> None:
        """Hold on to what it has claimed."""
        claims.renew(self._ledger, lease=self._config.delivery.lease, now=self._leadbyte.now)

    def rescue(self) -> None:
        """Take over what dead runs left."""
        claims.rescue(self._ledger, unknown_after=self._config.delivery.unknown_after, now=self._leadbyte.now)

    def claim(self, limit: int, verdict: Verdict) -> None:
        """Claim leads that are due, all decided with one verdict."""
        claimed = claims.claim(self._ledger, limit=limit, lease=self._config.delivery.lease, now=self._leadbyte.now)
        written = fingerprint(POSTCODE)
        self.held += [Held(claim, decision_of(verdict), claim.updated_hash == written) for claim in claimed]

    def intend(self, count: int, *, combined: bool) -> None:
        """Commit what will be asked of the first leads it holds; of a POST, of one lead."""
        if not self.held:
            return
        attempts = [self._attempt(held, combined=combined) for held in self.held]
        kind = attempts[0].kind
        chosen = [attempt for attempt in attempts if attempt.kind is kind][: 1 if kind is RequestKind.ACT else count]
        asked = [attempt.claim for attempt in chosen]
        self.held = [held for held in self.held if held.claim not in asked]
        self._intend(chosen, {})

    def claim_unknown(self, limit: int) -> None:
        """Claim what nobody answered."""
        lease = self._config.delivery.lease
        doubts = unknown.claim_unknown(self._ledger, limit=limit, lease=lease, now=self._leadbyte.now)
        self.doubts |= {doubt.claim.lead_id: doubt for doubt in doubts}

    def intend_probes(self) -> None:
        """Commit one probe for all the unknown leads it claimed with the same act."""
        doubts, self.doubts = self.doubts, {}
        for action in {doubt.action for doubt in doubts.values()}:
            some = {lead_id: doubt for lead_id, doubt in doubts.items() if doubt.action is action}
            probes = [Attempt(doubt.claim, LeadRequest(lead_id, POSTCODE), None) for lead_id, doubt in some.items()]
            self._intend(probes, some)

    def give_to_person(self) -> None:
        """Give up on the unknown leads it claimed: there is nothing to probe them with."""
        claims.give_to_person(
            self._ledger, [doubt.claim for doubt in self.doubts.values()], note="nothing to probe with"
        )
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
                request.evidence = self._ask_controls(request)
            case Heard.NO_TO_ALL if request.attempts[0].request.action:
                # No proof of anything where it carries acts.
                request.answers = {a.claim.lead_id: _lost(a) for a in request.attempts}
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
        sending.record(self._ledger, outcomes, now=now)
        self.held += [
            Held(outcome.attempt.claim, outcome.attempt.decision, outcome.result is Result.TAKEN)
            for outcome in outcomes
            if outcome.state is State.SENDING and outcome.attempt.decision
        ]
        probed = [outcome.attempt.claim.lead_id for outcome in outcomes if outcome.is_undecided]
        self.doubts |= {lead_id: request.doubts[lead_id] for lead_id in probed if lead_id in request.doubts}

    def _judge(self, request: Request, attempt: Attempt, answer: Answer) -> Outcome:
        now, lead_id = self._leadbyte.now, attempt.claim.lead_id
        if answer.whole_request and len(request.attempts) > 1:
            return undecided_yet(attempt, answer, now)
        if attempt.kind is RequestKind.PROBE:
            evidence = request.evidence or Evidence(self._config.delivery, [])
            return evidence.outcome_of(request.doubts[lead_id], attempt, answer, now)
        return self._outcomes.outcome_of(attempt, answer, now)

    def _ask_controls(self, request: Request) -> Evidence | None:
        """Ask about the best control of the same act, where there is one."""
        if not request.doubts:
            return None
        doubt = next(iter(request.doubts.values()))
        controls = unknown.find_controls(self._ledger, doubt.action, since=doubt.since)[:1]
        requests = [ControlRequest(control, LeadRequest(control.lead_id, POSTCODE)) for control in controls]
        evidence = Evidence(self._config.delivery, requests)
        for control in controls:
            evidence.hear([self._leadbyte.ask_of(control)])
        return evidence

    def _attempt(self, held: Held, *, combined: bool) -> Attempt:
        action = held.decision.verdict.action
        update = {} if action and held.written and not combined else POSTCODE
        request = LeadRequest(held.claim.lead_id, update, action if combined or held.written else None)
        return Attempt(held.claim, request, held.decision, fingerprint(update) if update else None)

    def _intend(self, attempts: Sequence[Attempt], doubts: Mapping[str, InDoubt]) -> None:
        self._requests += 1
        now, lease = self._leadbyte.now, self._config.delivery.lease
        attempts = [replace(attempt, request_id=f"{self._ledger.owner}-{self._requests}") for attempt in attempts]
        intended = sending.intend(
            self._ledger,
            attempts,
            lease=lease,
            now=now,
            in_doubt_at_most=self._config.delivery.in_doubt_at_most,
        )
        others = [lead_id for attempt in attempts if (lead_id := attempt.claim.lead_id) not in intended.may_go]
        lone = intended.admitted.lone
        attempts = [replace(each, goes_alone=each.claim.lead_id == lone) for each in attempts]
        attempts = [attempt for attempt in attempts if attempt.claim.lead_id in intended.may_go]
        if others:
            claims.release(self._ledger, now=now, ids=others, until=intended.admitted.until)
        if attempts:
            self.intended.append(Request(attempts, now + lease, doubts))


def _lost(attempt: Attempt) -> Answer:
    return Answer(attempt.claim.lead_id, Certainty.IN_DOUBT, transient=True, message="no answer")


def _refused(attempt: Attempt, *, transient: bool, whole: bool = False) -> Answer:
    message = "later" if transient else "no"
    return replace(
        Answer(attempt.claim.lead_id, Certainty.REFUSED, message=message), transient=transient, whole_request=whole
    )
