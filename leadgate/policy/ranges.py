"""What follows from comparisons with constants: that one holds wherever others do, or that they exclude each other.

What is not understood here is never said to follow. Constants are numbers, texts, bools, times and durations.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadgate.policy.checked import Node

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}
_TURNED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_"}
_EXACT = 2**53
"""Up to here whole and decimal numbers are told apart exactly."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|[+-]\d\d:\d\d)")
_SPAN = re.compile(r"(?=\d)(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


@dataclass(frozen=True, slots=True)
class Limit:
    """A comparison of something with constants: by `sign`, or that it is one of `points`."""

    subject: Node
    sign: str
    points: tuple[Any, ...]

    def takes(self, value: Any) -> bool:  # noqa: ANN401 - any constant
        """Say whether the comparison holds for a value."""
        return value in self.points if self.sign == "in" else _SIGNS[self.sign](value, self.points[0])

    def follows_from(self, others: Iterable["Limit"]) -> bool:
        """Say whether it holds wherever all the others, of the same subject, do."""
        points = _points(others)
        if points is not None:
            return all(map(self.takes, points))
        return any(_narrower(other, self) for other in others)


def read_limit(node: Node, constants: Mapping[str, timedelta]) -> Limit | None:
    """Read a comparison with constants; None if it is another condition."""
    if node.name == "@in" and node.args[1].kind == "list":
        values = [_constant(arg, constants) for arg in node.args[1].args]
        return None if None in values else Limit(node.args[0], "in", tuple(values))
    if node.name not in _TURNED:
        return None
    left, right = node.args
    name = node.name
    value = _constant(right, constants)
    if value is None:
        left, name, value = right, _TURNED[name], _constant(left, constants)
    return None if value is None else Limit(left, "in" if name == "_==_" else name, (value,))


def exclude_each_other(limits: Iterable[Limit]) -> bool:
    """Say whether no value is taken by all the limits, which are of one subject."""
    points = _points(limits)
    if points is not None:
        return not points
    return any(
        low.sign in {"_>_", "_>=_"}
        and high.sign in {"_<_", "_<=_"}
        and not (low.takes(high.points[0]) and high.takes(low.points[0]))
        for low in limits
        for high in limits
    )


def _points(limits: Iterable[Limit]) -> list[Any] | None:
    """The values that all the limits take; None if these are more than can be listed."""
    lists = [limit.points for limit in limits if limit.sign == "in"]
    return [value for value in lists[0] if all(limit.takes(value) for limit in limits)] if lists else None


def _narrower(one: Limit, other: Limit) -> bool:
    if other.sign == "in" or one.sign[1] != other.sign[1]:
        return False
    # With the same bound, only `>=` behind `>` takes more.
    return other.takes(one.points[0]) or (one.points[0] == other.points[0] and "=" not in one.sign)


def _constant(node: Node, constants: Mapping[str, timedelta]) -> Any:  # noqa: ANN401 - any constant
    value = node.value
    if node.kind == "variable":
        return constants.get(node.name)
    if node.kind == "const" and isinstance(value, int | float):
        return value if abs(value) <= _EXACT else None
    if node.kind == "const":
        return value if isinstance(value, str) else None
    if node.name in {"timestamp", "duration"} and isinstance(text := node.args[0].value, str):
        if node.name == "timestamp" and _TIME.fullmatch(text):
            return _instant(text)
        if node.name == "duration" and (match := _SPAN.fullmatch(text)):
            hours, minutes, seconds = (int(part or 0) for part in match.groups())
            return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return None


def _instant(text: str) -> datetime | None:
    """Read a time; CEL takes a leap second too, which is told by no clock here."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
