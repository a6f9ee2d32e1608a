"""Which leads of a request are sent again at once, with fewer or alone: any one of them may be the cause. Pure."""

from collections.abc import Sequence

from leadgate.model import Answer, Attempt, Certainty


def undecided_of(attempts: Sequence[Attempt], answers: Sequence[Answer], beside: int, *, is_over: bool) -> set[str]:
    """The leads of an update that was refused as a whole, or not answered; none of an act, or once the run `is_over`.

    `beside`: how many controls went with them. Alone, a lead is the cause; and an update harms nobody twice.
    """
    if attempts[0].request.action:
        return set()
    refused = {answer.lead_id for answer in answers if is_of_the_whole(answer)}
    undecided = refused if len(refused) + beside > 1 else set()
    # A probe that is not answered comes again later, with fewer (see reconcile.py).
    is_lost = len(answers) > 1 and attempts[0].decision and not is_over and all(map(_is_lost, answers))
    return undecided | ({answer.lead_id for answer in answers} if is_lost else set())


def is_of_the_whole(answer: Answer) -> bool:
    """Whether the whole request was refused, so that the answer need not be about this lead."""
    # Of an answer that contradicts itself, what forbids sending again counts.
    refused = answer.certainty is Certainty.REFUSED and not (answer.acted or answer.gone)
    return refused and answer.whole_request and not answer.transient


def _is_lost(answer: Answer) -> bool:
    return answer.certainty is Certainty.IN_DOUBT and not answer.is_late
