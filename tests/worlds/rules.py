"""The rules of DESIGN's "Evidence", each taken out of the code: what the worlds find then shows that they look for it.

`python -m tests.worlds.run --without RULE`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from leadgate.delivery.evidence import Evidence
from leadgate.model import Answer, Certainty
from tests.worlds import run_of_a_worker as core

client: Any = import_module("leadgate.leadbyte.client")
claims: Any = import_module("leadgate.ledger.claims")
evidence: Any = Evidence


def take_out(rule: str) -> None:
    """Take one rule out of this process, for good."""
    RULES[rule]()


def _judged_otherwise(change: Callable[[Answer], Answer]) -> None:
    """Let every answer of LeadByte mean something else than the code says."""
    judge_put, judge_act = client.judge_put, client.judge_act

    def put(*args: Any, **kwargs: Any) -> Sequence[Answer]:  # noqa: ANN401 - passed on
        return [change(answer) for answer in judge_put(*args, **kwargs)]

    def act(*args: Any, **kwargs: Any) -> Answer:  # noqa: ANN401 - passed on
        return change(judge_act(*args, **kwargs))

    client.judge_put, client.judge_act = put, act


def _not_taken(answer: Answer, *, whole: bool) -> Answer:
    return replace(answer, certainty=Certainty.REFUSED, acted=False, transient=True, whole_request=whole)


def _without_5xx() -> None:
    def change(answer: Answer) -> Answer:
        failed = answer.certainty is Certainty.IN_DOUBT and (answer.http_status or 0) >= 500
        return _not_taken(answer, whole=True) if failed else answer

    _judged_otherwise(change)


def _without_whole_refusals() -> None:
    def change(answer: Answer) -> Answer:
        refused = answer.certainty is Certainty.IN_DOUBT and (answer.http_status or 0) in range(300, 500)
        return _not_taken(answer, whole=True) if refused else answer

    _judged_otherwise(change)


def _without_unknown_sentences() -> None:
    def change(answer: Answer) -> Answer:
        unclear = answer.certainty is Certainty.IN_DOUBT and answer.http_status == 200
        return _not_taken(answer, whole=False) if unclear else answer

    _judged_otherwise(change)


def _without_queue_time() -> None:
    core.CHANGED["queue_time"] = "0s"


def _without_control() -> None:
    was_not_taken = evidence._was_not_taken

    def patched(self: Any, *args: Any) -> bool:  # noqa: ANN401 - passed on
        self._is_gone = True
        return bool(was_not_taken(self, *args))

    evidence._was_not_taken = patched


def _without_restored() -> None:
    core.__dict__["restored"] = lambda _ledger: None


def _without_identity() -> None:
    core.created = core.begun


def _without_smaller_age() -> None:
    _judged_otherwise(lambda answer: replace(answer, their_time=None))


def _without_lease_cap() -> None:
    claims._LYING_AHEAD.clear()


RULES: dict[str, Callable[[], None]] = {
    "5xx": _without_5xx,
    "whole-refusals": _without_whole_refusals,
    "unknown-sentences": _without_unknown_sentences,
    "queue-time": _without_queue_time,
    "control": _without_control,
    "restored": _without_restored,
    "identity": _without_identity,
    "smaller-age": _without_smaller_age,
    "lease-cap": _without_lease_cap,
}
"""How each rule is taken out."""
