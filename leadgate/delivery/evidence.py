"""What the answers to probes and controls prove. Pure: no I/O, no clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from leadgate.clock import CLOCKS_AGREE
from leadgate.config import DeliveryConfig
from leadgate.delivery.controls import ControlRequest, Heard, heard_of
from leadgate.delivery.outcomes import Build, answered
from leadgate.model import ACTED, Answer, Attempt, Certainty, InDoubt, Outcome, Result, State

_SOON = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)


class Evidence:
    """What the answers to probes make of unknown leads, in the light of what controls were answered."""

    def __init__(self, delivery: DeliveryConfig, controls: Sequence[ControlRequest]) -> None:
        self._delivery = delivery
        self._controls = {each.control.lead_id: each for each in controls}
        self._is_gone = False
        self.heard: list[Heard] = []

    def hear(self, answers: Sequence[Answer], _beside: Sequence[Answer] = ()) -> None:
        """Note what controls were answered, before the probes beside them are judged."""
        for answer in answers:
            heard = heard_of(self._controls[answer.lead_id], answer)
            self._is_gone = heard.result is Result.GONE
            self.heard.append(heard)

    def outcome_of(self, doubt: InDoubt, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
        """Say what a probe's answer makes of an unknown lead."""
        build = partial(answered(attempt, answer), theirs=answer.their_time if doubt.theirs is None else None)
        if answer.gone:
            return _left(build, doubt)
        is_over = now - doubt.since > self._delivery.patience
        if answer.updated:
            return self._is_there(build, doubt, answer, now, is_over=is_over)
        if answer.certainty is Certainty.REFUSED and not answer.transient:
            return build(Result.REFUSED, State.REVIEW, note=answer.message)
        if answer.certainty is Certainty.REFUSED:
            due_at = max(answer.retry_at or now, now + _SOON)
            return build(Result.REFUSED, State.UNKNOWN, due_at=due_at, note=answer.message)
        if is_over and answer.http_status and not answer.transient:
            return build(Result.IN_DOUBT, State.REVIEW, note=f"nothing could be found out; last: {answer.message}")
        return build(Result.IN_DOUBT, State.UNKNOWN, due_at=self._later(doubt, now), note=answer.message)

    def _is_there(self, build: Build, doubt: InDoubt, answer: Answer, now: datetime, *, is_over: bool) -> Outcome:
        """LeadByte updates it: it is in quarantine, or this LeadByte updates leads that have left."""
        if self._was_not_taken(doubt, answer, now):
            if doubt.acted_again:
                note = f"the {doubt.action} was sent twice without an answer, and it is still in quarantine"
                return build(Result.TAKEN, State.REVIEW, note=note)
            note = f"still in quarantine, and a lead acted on like it has left: the {doubt.action} was not taken"
            return build(Result.TAKEN, State.READY, due_at=now, note=note, acts_again=True)
        note = f"LeadByte updates it, which does not prove that the {doubt.action} was not taken"
        if is_over:
            return build(Result.TAKEN, State.REVIEW, note=note)
        return build(Result.TAKEN, State.UNKNOWN, due_at=self._later(doubt, now), note=note)

    def _was_not_taken(self, doubt: InDoubt, answer: Answer, now: datetime) -> bool:
        """Whether an act that was taken would have left quarantine by now, and LeadByte says so of one that has."""
        age = now - doubt.since
        if answer.their_time:
            if doubt.theirs is None:
                return False
            by_theirs = answer.their_time - doubt.theirs
            if abs(age - by_theirs) > CLOCKS_AGREE:
                return False
            age = min(age, by_theirs)
        return self._is_gone and age > self._delivery.proven_after

    def _later(self, doubt: InDoubt, now: datetime) -> datetime:
        """Ever more seldom, but not after the instant from which there can be evidence."""
        wait = min(_LONGEST_WAIT, self._delivery.unknown_after * (1 << min(doubt.probes, 10)))
        proven_at = doubt.since + self._delivery.proven_after + _SOON
        return proven_at if now < proven_at < now + wait else now + wait


def _left(build: Build, doubt: InDoubt) -> Outcome:
    """LeadByte no longer has it."""
    if not doubt.is_ours:
        note = (
            "LeadByte no longer has it in quarantine: it may have been an act of ours that this ledger does not know of"
        )
        return build(Result.GONE, State.GONE, note=note)
    note = f"inferred: LeadByte no longer has it in quarantine, and our {doubt.action} may have been taken"
    return build(Result.GONE, ACTED[doubt.action], note=note, inferred=True)
