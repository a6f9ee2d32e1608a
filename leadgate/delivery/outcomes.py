"""What each answer of LeadByte makes of an entry. Pure, and the only place that says so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from leadgate.config import DeliveryConfig
from leadgate.model import ACTED, Answer, Attempt, Certainty, Decision, Outcome, Result, State, Verdict

_SOON = timedelta(seconds=5)
_FIRST_RETRY = timedelta(minutes=1)
_LAST_RETRY = timedelta(hours=1)

Build = Callable[..., Outcome]
"""Makes an outcome of a result and a state, and what else there is to say."""


def retry_delay(refusals: int) -> timedelta:
    """How long a lead rests after it was refused once more: a minute, doubled each time, an hour at most."""
    return min(_LAST_RETRY, _FIRST_RETRY * (1 << min(refusals, 10)))


def answered(attempt: Attempt, answer: Answer) -> Build:
    """Give the way to make an outcome of this attempt with LeadByte's words in it."""
    return partial(Outcome, attempt, http_status=answer.http_status, message=answer.message, shape=answer.shape)


def undecided_yet(attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
    """What is made of a lead that was refused, or not answered, with others: it is sent again, with fewer or alone."""
    state = State.SENDING if attempt.decision else State.UNKNOWN
    result = Result.IN_DOUBT if answer.certainty is Certainty.IN_DOUBT else Result.REFUSED
    whole = replace(answer, message=f"{answer.message} (the whole request, with other leads in it)".lstrip())
    return answered(attempt, whole)(result, state, due_at=now, is_undecided=True)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The table of answers, with the settings it depends on."""

    delivery: DeliveryConfig
    hold_for: timedelta

    def outcome_of(self, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
        """Say what an answer makes of the lead it is about, which has been decided."""
        build = partial(answered(attempt, answer), updated_hash=attempt.payload_hash if answer.updated else None)
        action, decision = attempt.request.action, attempt.decision
        if action and answer.acted:
            return build(Result.TAKEN, ACTED[action])
        if answer.gone:
            return build(Result.GONE, State.GONE, note=_gone(attempt, answer))
        if action and answer.certainty is not Certainty.REFUSED:
            return self._is_in_doubt(build, answer, now)
        if decision and not action and answer.updated:
            return self._is_updated(build, decision, now)
        return self._comes_again(build, attempt, answer, now)

    def _is_in_doubt(self, build: Build, answer: Answer, now: datetime) -> Outcome:
        """Nobody can tell whether the act was taken."""
        if self.delivery.unknown == "review" or answer.opposite:
            note = answer.message if answer.opposite else f"no answer that can be trusted: {answer.message}"
            return build(Result.IN_DOUBT, State.REVIEW, note=note)
        due_at = now + self.delivery.unknown_after
        return build(Result.IN_DOUBT, State.UNKNOWN, due_at=due_at, note=answer.message)

    def _is_updated(self, build: Build, decision: Decision, now: datetime) -> Outcome:
        """The update went alone and was taken: on to what the verdict asks for."""
        match decision.verdict:
            case Verdict.HOLD:
                state = State.READY if decision.paused else State.WAITING
                return build(Result.TAKEN, state, due_at=now + self.hold_for, note=decision.reason)
            case Verdict.REVIEW:
                return build(Result.TAKEN, State.REVIEW, note=decision.reason)
            case Verdict.PROCESS | Verdict.REJECT:
                return build(Result.TAKEN, State.SENDING)

    def _comes_again(self, build: Build, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
        """The act was provably not taken, or it is an update alone: sent again later, it does no harm."""
        result = Result.IN_DOUBT if answer.certainty is Certainty.IN_DOUBT else Result.REFUSED
        if answer.transient:
            due_at = max(answer.retry_at or now, now + _SOON)
            return build(result, State.READY, due_at=due_at, note=answer.message)
        refusals = attempt.claim.refusals
        if refusals + 1 >= self.delivery.attempts:
            note = answer.message or f"refused {refusals + 1} times without a reason"
            return build(result, State.FAILED, note=note, is_refusal=True)
        due_at = now + retry_delay(refusals)
        return build(result, State.READY, due_at=due_at, note=answer.message, is_refusal=True)


def _gone(attempt: Attempt, answer: Answer) -> str:
    if attempt.claim.doubt_since:
        return f"{answer.message}; it may have been an act of ours that this ledger does not know of"
    return answer.message
