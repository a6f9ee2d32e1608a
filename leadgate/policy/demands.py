"""What conditions demand of a lead: whether some follow from others, or exclude each other."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from leadgate.model import Verdict
from leadgate.policy.checked import Node
from leadgate.policy.deciding import Policy
from leadgate.policy.language import Condition
from leadgate.policy.ranges import Limit, exclude_each_other, read_limit


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
        self.limits: dict[str, list[Limit]] = {}
        for part in (part for condition in all_ for part in _parts(condition.tree)):
            if limit := read_limit(part, constants):
                self.limits.setdefault(_spelled(limit.subject), []).append(limit)
            else:
                self.others.add(_spelled(part))

    def follow_from(self, other: "Demands") -> bool:
        """Say whether they are content wherever the others are."""
        return self.others <= other.others and all(
            limit.follows_from(other.limits.get(subject, ()))
            for subject, limits in self.limits.items()
            for limit in limits
        )

    def exclude_each_other(self) -> bool:
        """Say whether no value of something passes all the comparisons with it."""
        return any(exclude_each_other(limits) for limits in self.limits.values())


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


def may_process_late(policy: Policy) -> bool:
    """Say whether a late lead may be processed: then it may lack what leads wait for."""
    for rule in policy.rules:
        demands = Demands(rule.all, rule.any, rule.none, constants=policy.constants)
        is_process = rule.config.then is Verdict.PROCESS
        if is_process and not demands.others & _NOT_LATE:
            return True
        if not is_process and demands.others <= {_LATE} and not demands.limits:
            return False
    return policy.otherwise is Verdict.PROCESS


_LATE = "variable late()"
_NOT_LATE = {f"not {_LATE}", f"call !_({_LATE})"}
