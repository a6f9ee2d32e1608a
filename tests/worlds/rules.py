"""The rules of DESIGN's "Evidence", each taken out of the code: what the worlds find then shows that they look for it.

`python -m tests.worlds.run --without RULE`. A rule whose code does not exist yet says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, NoReturn

from leadgate.config.shape import DeliveryConfig
from leadgate.model import Answer, Certainty
from tests.worlds import run_of_a_worker as core

client: Any = import_module("leadgate.leadbyte.client")


class NoSuchRule(Exception):
    """The code does not have this rule yet, so it cannot be taken out."""


def take_out(rule: str) -> None:
    """Take one rule out of this process for good; raise NoSuchRule where there is none."""
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
    if "queue_time" not in DeliveryConfig.model_fields:
        _not_yet("delivery.queue_time")
    core.CHANGED["queue_time"] = "0s"


def _not_yet(what: str) -> NoReturn:
    msg = f"the code does not have {what} yet: write here how it is taken out once it does"
    raise NoSuchRule(msg)


RULES: dict[str, Callable[[], None]] = {
    "5xx": _without_5xx,
    "whole-refusals": _without_whole_refusals,
    "unknown-sentences": _without_unknown_sentences,
    "queue-time": _without_queue_time,
    "control": lambda: _not_yet("a control in probes"),
    "restored": lambda: _not_yet("`ledger restored`"),
    "identity": lambda: _not_yet("`ledger create` without --first-time"),
    "smaller-age": lambda: _not_yet("an age by LeadByte's clock"),
    "lease-cap": lambda: _not_yet("leases that are over when they lie too far ahead"),
}
"""How each rule is taken out."""
