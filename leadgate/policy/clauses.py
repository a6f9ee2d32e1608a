"""What must be true for a rule to hold, as clauses: when one rule's follow from another's, it can never be reached.

A clause is a set of statements of which one must be true; a rule holds when all its clauses are. Only the shape of
conditions is compared, not what comparisons mean: `score > 2` is not known to follow from `score > 3`.
"""

from collections.abc import Sequence

from leadgate.policy.checked import Node
from leadgate.policy.deciding import Rule

Clause = frozenset[str]


def clauses_of(rule: Rule) -> set[Clause]:
    """Give the clauses of a rule."""
    found = {clause for condition in rule.all for clause in _clauses(condition.tree, wanted=True)}
    found |= {clause for condition in rule.none for clause in _clauses(condition.tree, wanted=False)}
    if rule.any:
        found.add(_one_of([condition.tree for condition in rule.any], wanted=True))
    return found


def follows(clauses: set[Clause], of: set[Clause]) -> bool:
    """Say whether all of `clauses` hold wherever all those of another rule do."""
    return all(any(given <= clause for given in of) for clause in clauses)


def _clauses(node: Node, *, wanted: bool) -> set[Clause]:
    """Split `&&`, `||` and `!`; whatever else there is is one statement, or the denial of one."""
    if node.name == "!_":
        return _clauses(node.args[0], wanted=not wanted)
    if node.name == ("_&&_" if wanted else "_||_"):
        return {clause for arg in node.args for clause in _clauses(arg, wanted=wanted)}
    if node.name == ("_||_" if wanted else "_&&_"):
        return {_one_of(node.args, wanted=wanted)}
    return {frozenset({_statement(node, wanted=wanted)})}


def _one_of(nodes: Sequence[Node], *, wanted: bool) -> Clause:
    """Join alternatives into one clause; one that is several clauses itself stays one statement."""
    statements: set[str] = set()
    for node in nodes:
        clauses = _clauses(node, wanted=wanted)
        statements |= next(iter(clauses)) if len(clauses) == 1 else {_statement(node, wanted=wanted)}
    return frozenset(statements)


def _statement(node: Node, *, wanted: bool) -> str:
    return ("" if wanted else "not ") + _spelled(node)


def _spelled(node: Node) -> str:
    """Write a tree always alike, whatever its spaces and brackets were."""
    if node.kind == "const":
        return f"{node.type} {node.value!r}"
    return f"{node.kind} {node.name}({', '.join(_spelled(arg) for arg in node.args)})"
