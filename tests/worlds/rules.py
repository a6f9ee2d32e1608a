"""The rules of DESIGN's "Evidence", each taken out of the code: what the worlds find then shows that they look for it.

`python -m tests.worlds.run --without RULE`. A rule whose code does not exist yet says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from leadgate.config.shape import DeliveryConfig
from leadgate.model import Answer, Certainty
from tests.worlds import run_of_a_worker as core

client: Any = import_module("leadgate.leadbyte.client")


class NoSuchRule(Exception):
    """The code does not have this rule yet, so it cannot be taken out."""


def check_can_take_out(rule: str) -> None:
    """Raise NoSuchRule where the code does not have a rule."""
    if missing := _MISSING.get(rule):
        msg = f"the code does not have {missing} yet. Once it does, write in rules.py how it is taken out"
        raise NoSuchRule(msg)


def take_out(rule: str) -> None:
    """Take one rule out of this process, for good; raise NoSuchRule where there is none."""
    check_can_take_out(rule)
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


def _not_written() -> None:
    msg = "nobody has written how this rule is taken out: do it here"
    raise NotImplementedError(msg)


RULES: dict[str, Callable[[], None]] = {
    "5xx": _without_5xx,
    "whole-refusals": _without_whole_refusals,
    "unknown-sentences": _without_unknown_sentences,
    "queue-time": _without_queue_time,
    "control": _not_written,
    "restored": _not_written,
    "identity": _not_written,
    "smaller-age": _not_written,
    "lease-cap": _not_written,
}
"""How each rule is taken out."""

_MISSING = {
    "control": "a control in probes",
    "restored": "`ledger restored`",
    "identity": "`ledger create` without --first-time",
    "smaller-age": "an age by LeadByte's clock",
    "lease-cap": "leases that are over when they lie too far ahead",
}
"""Rules that the code does not have yet."""
if "queue_time" not in DeliveryConfig.model_fields:
    _MISSING["queue-time"] = "delivery.queue_time"
