"""What each answer of LeadByte makes of an entry. Pure, and the only place that says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgate.config import DeliveryConfig
from leadgate.model import Action, Answer, Attempt, Certainty, Decision, Outcome, Result, State, Verdict

_SOON = timedelta(seconds=5)
_FIRST_RETRY = timedelta(minutes=1)
_LAST_RETRY = timedelta(hours=1)
_ACTED = {Action.PROCESS: State.PROCESSED, Action.REJECT: State.REJECTED}


def retry_delay(attempts: int) -> timedelta:
    """How long a lead rests after it was refused once more: a minute, doubled each time, an hour at most."""
    return min(_LAST_RETRY, _FIRST_RETRY * (1 << min(attempts, 10)))


@dataclass(frozen=True, slots=True)
class _Next:
    """Where an entry goes."""

    result: Result
    state: State
    due_at: datetime | None = None
    note: str | None = None
    uses_attempt: bool = False


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The table of answers, with the settings it depends on."""

    delivery: DeliveryConfig
    hold_for: timedelta

    def outcome_of(self, attempt: Attempt, answer: Answer, decision: Decision, *, now: datetime) -> Outcome:
        """Say what an answer makes of the lead it is about."""
        then = (
            self._act_is_settled(attempt, answer, now)
            or self._update_is_taken(attempt, answer, decision, now)
            or self._comes_again(attempt, answer, now)
        )
        return Outcome(
            attempt=attempt,
            result=then.result,
            http_status=answer.http_status,
            message=answer.message,
            state=then.state,
            due_at=then.due_at,
            note=then.note,
            uses_attempt=then.uses_attempt,
            updated_hash=attempt.payload_hash if answer.updated else None,
        )

    def _act_is_settled(self, attempt: Attempt, answer: Answer, now: datetime) -> _Next | None:
        """The act was taken, or cannot be any more, or nobody can tell."""
        if attempt.action and answer.acted:
            return _Next(Result.TAKEN, _ACTED[attempt.action])
        if answer.gone:
            return _Next(Result.GONE, State.GONE, note=answer.message)
        if attempt.action and not _was_refused(answer):
            if self.delivery.unknown == "review":
                return _Next(Result.IN_DOUBT, State.REVIEW, note=f"no answer that can be trusted: {answer.message}")
            return _Next(Result.IN_DOUBT, State.UNKNOWN, now + self.delivery.unknown_after, answer.message)
        return None

    def _update_is_taken(self, attempt: Attempt, answer: Answer, decision: Decision, now: datetime) -> _Next | None:
        """The update went alone and was taken: on to what the verdict asks for."""
        if attempt.action or not answer.updated:
            return None
        match decision.verdict:
            case Verdict.HOLD:
                state = State.READY if decision.paused else State.WAITING
                return _Next(Result.TAKEN, state, now + self.hold_for, decision.reason)
            case Verdict.REVIEW:
                return _Next(Result.TAKEN, State.REVIEW, note=decision.reason)
            case Verdict.PROCESS | Verdict.REJECT:
                return _Next(Result.TAKEN, State.SENDING)

    def _comes_again(self, attempt: Attempt, answer: Answer, now: datetime) -> _Next:
        """The act was provably not taken, or it is an update alone: sent again later, it does no harm."""
        result = Result.IN_DOUBT if answer.certainty is Certainty.IN_DOUBT else Result.REFUSED
        if answer.transient:
            return _Next(result, State.READY, max(answer.retry_at or now, now + _SOON), answer.message)
        tried = attempt.claim.attempts
        if tried + 1 >= self.delivery.attempts:
            note = answer.message or f"refused {tried + 1} times without a reason"
            return _Next(result, State.FAILED, note=note, uses_attempt=True)
        return _Next(result, State.READY, now + retry_delay(tried), answer.message, uses_attempt=True)


def _was_refused(answer: Answer) -> bool:
    """Whether the act was provably not taken: only then may it ever be sent again."""
    return answer.certainty is Certainty.REFUSED or (answer.certainty is Certainty.ANSWERED and answer.acted is False)
