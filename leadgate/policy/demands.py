"""What conditions demand of a lead: whether some follow from others, or exclude each other.

What is not understood here is never said to follow. Constants are numbers, texts, bools, times and durations.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadgate.model import Verdict
from leadgate.policy.checked import Node
from leadgate.policy.deciding import Policy
from leadgate.policy.language import Condition

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
_LATE = "variable late()"
_NOT_LATE = {f"not {_LATE}", f"call !_({_LATE})"}


class Demands:
    """What must all be true for conditions to hold: `&&` taken apart, comparisons with constants by subject."""

    def __init__(
        self,
        all_: Sequence[Condition],
        any_: Sequence[Condition] = (),
        none: Sequence[Condition] = (),
        *,
        constants: Mapping[str, timedelta],
    ) -> None:
        self.others = {f"not {_spelled(condition.tree)}" for condition in none}
        if any_:
            self.others.add(" or ".join(sorted(_spelled(condition.tree) for condition in any_)))
        self.limits: dict[str, list[_Limit]] = {}
        for part in (part for condition in all_ for part in _parts(condition.tree)):
            if limit := _read_limit(part, constants):
                self.limits.setdefault(_spelled(limit.subject), []).append(limit)
            else:
                self.others.add(_spelled(part))

    def follow_from(self, other: "Demands") -> bool:
        """Whether these hold wherever the others do."""
        return self.others <= other.others and all(
            limit.follows_from(other.limits.get(subject, ()))
            for subject, limits in self.limits.items()
            for limit in limits
        )

    def exclude_each_other(self) -> bool:
        """Whether no value of some subject passes all the comparisons with it."""
        return any(_exclude_each_other(limits) for limits in self.limits.values())


def may_process_late(policy: Policy) -> list[int]:
    """The rules that may process a late lead, which may lack what leads wait for; last, the number of `otherwise`."""
    found = []
    for number, rule in enumerate(policy.rules):
        demands = Demands(rule.all, rule.any, rule.none, constants=policy.constants)
        is_process = rule.config.then is Verdict.PROCESS
        if is_process and not demands.others & _NOT_LATE:
            found.append(number)
        if not is_process and demands.others <= {_LATE} and not demands.limits:
            return found
    return [*found, len(policy.rules)] if policy.otherwise is Verdict.PROCESS else found


def _parts(node: Node) -> Iterator[Node]:
    if node.name != "_&&_":
        yield node
        return
    for arg in node.args:
        yield from _parts(arg)


def _spelled(node: Node) -> str:
    """Write a tree always alike, whatever its spaces and brackets were."""
    if node.kind == "const":
        return f"{node.type} {node.value!r}"
    return f"{node.kind} {node.name}({', '.join(map(_spelled, node.args))})"


@dataclass(frozen=True, slots=True)
class _Limit:
    """A comparison of a subject with constants: by `sign`, or that it is one of `points`."""

    subject: Node
    sign: str
    points: tuple[Any, ...]

    def takes(self, value: Any) -> bool:  # noqa: ANN401 - any constant
        return value in self.points if self.sign == "in" else _SIGNS[self.sign](value, self.points[0])

    def follows_from(self, others: Iterable["_Limit"]) -> bool:
        """Whether it holds wherever all the others, of the same subject, do."""
        points = _points(others)
        return all(map(self.takes, points)) if points is not None else any(self.includes(other) for other in others)

    def includes(self, other: "_Limit") -> bool:
        if self.sign == "in" or self.sign[1] != other.sign[1]:
            return False
        # With the same bound, only `>=` behind `>` takes more.
        return self.takes(other.points[0]) or (self.points[0] == other.points[0] and "=" not in other.sign)


def _read_limit(node: Node, constants: Mapping[str, timedelta]) -> _Limit | None:
    """Read a comparison with constants; None if it is another condition."""
    if node.name == "@in" and node.args[1].kind == "list":
        values = [_constant(arg, constants) for arg in node.args[1].args]
        return None if None in values else _Limit(node.args[0], "in", tuple(values))
    if node.name not in _TURNED:
        return None
    subject, right = node.args
    sign, value = node.name, _constant(right, constants)
    if value is None:
        subject, sign, value = right, _TURNED[sign], _constant(subject, constants)
    return None if value is None else _Limit(subject, "in" if sign == "_==_" else sign, (value,))


def _exclude_each_other(limits: Sequence[_Limit]) -> bool:
    """Whether no value is taken by all the limits, which are of one subject."""
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


def _points(limits: Iterable[_Limit]) -> list[Any] | None:
    """The values that all the limits take; None if these are more than can be listed."""
    lists = [limit.points for limit in limits if limit.sign == "in"]
    return [value for value in lists[0] if all(limit.takes(value) for limit in limits)] if lists else None


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
            with suppress(ValueError):  # a leap second, which CEL takes
                return datetime.fromisoformat(text)
        elif node.name == "duration" and (match := _SPAN.fullmatch(text)):
            hours, minutes, seconds = (int(part or 0) for part in match.groups())
            return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return None
