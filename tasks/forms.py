"""The forms that people fill in: what they type is read here, and what is wrong with it becomes the run's message."""

from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect.client.schemas.objects import State
from prefect.states import Failed

from leadgate.errors import ConfigError, LeadgateError, problems_of
from leadgate.model import Chosen, Resolution, read_ids
from leadgate.printable import on_one_line
from leadgate.wiring.reviews import told_refused

_NEED_A_REASON = {Resolution.PROCESS, Resolution.REJECT, Resolution.WAIT}
_LONGEST = 4000
"""Letters of a message: it is kept with the run, and shown in one paragraph."""

P = ParamSpec("P")
T = TypeVar("T")


def ends_in_a_sentence(form: Callable[P, Coroutine[Any, Any, State[T]]]) -> Callable[P, Coroutine[Any, Any, State[T]]]:
    """Let a run that could not do its work be Failed, with what is wrong as its message and no traceback in its log."""

    @wraps(form)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> State[T]:
        try:
            return await form(*args, **kwargs)
        except LeadgateError as error:
            return Failed(message=_bounded(" ".join(problems_of(error))))

    return wrapped


def chosen_leads(ids: str, rule: str, count: int) -> Chosen:
    """Read which leads a person means; raise ConfigError unless it is ids alone, or a rule with its count."""
    named, rule = read_ids(ids), rule.strip()
    if bool(named) == bool(rule):
        which = "both ids and a rule are given" if rule else "neither ids nor a rule is given"
        raise ConfigError(f"{which}, and nothing was done: give one of them")
    if named and count:
        raise ConfigError("a count goes with a rule, not with ids, and nothing was done: leave it at 0")
    return Chosen(ids=named) if named else Chosen(rule=rule, count=count)


def checked_reason(reason: str, verdict: Resolution) -> str:
    """Give the reason as one line; raise ConfigError where one is needed and there is none."""
    reason = " ".join(reason.split())
    if not reason and verdict in _NEED_A_REASON:
        raise ConfigError(f"no reason is given, and nothing was done: {verdict} needs one, which is read later")
    return reason


def message_of(refused: Mapping[str, str]) -> str:
    """Say of how many leads a word was not heard, of which, and why; bounded, however many they are."""
    told, more = told_refused(refused)
    rest = f" The rest, {more:,}, have other reasons: `leadgate explain ID` tells each." if more else ""
    return _bounded(f"Not done for {len(refused):,}: {' '.join(told)}{rest}")


def _bounded(text: str) -> str:
    text = on_one_line(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
