"""Which parts of CEL a condition may use. All else is refused, so that no rule can take much memory or time."""

import re
from collections.abc import Callable, Iterator

from leadgate.policy.checked import Node
from leadgate.policy.faults import ConditionFault, operator
from leadgate.policy.names import WORDS

COMPARISONS = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_")
OPERATORS = frozenset({"_&&_", "_||_", "!_", "_?_:_", "@in", *COMPARISONS} | {"_+_", "_-_", "_*_", "_/_", "_%_", "-_"})
_OF_TEXTS = frozenset({*COMPARISONS, "contains", "startsWith", "endsWith"})
_PARTS_OF_TIME = ("FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear", "Hours", "Minutes", "Seconds")
_ZONED = {f"get{part}" for part in _PARTS_OF_TIME}
_ON_TEXT = {"contains", "startsWith", "endsWith", "matches", "size", "lowerAscii", "upperAscii", "trim"}
_IN_TEXT = {"substring", "charAt", "indexOf", "lastIndexOf"}
_CONVERSIONS = {"int", "double", "string", "timestamp", "duration"}
FUNCTIONS = frozenset(_ON_TEXT | _IN_TEXT | _CONVERSIONS | _ZONED | {"days", "days_since", "share"})
_LITERALS = {
    "timestamp": "timestamp({}) is not readable: write timestamp('2024-01-31T00:00:00Z')",
    "duration": "duration({}) is not readable: write hours, minutes or seconds, such as duration('36h'), or days(30)",
    "zone": "{} is not a time zone: write one such as 'Europe/London'",
}
_WRITTEN_OUT = {
    "days": "days() takes a whole number written out, such as days(30), up to days(100000)",
    "days_since": "days_since() takes a timestamp column, such as days_since(lead.COLUMN)",
    "share": "share() takes a decimal number between 0 and 1 written out, such as share(0.1)",
}
_PATTERN_LENGTH = 200
# Patterns are compiled anew at every evaluation, and a counted repetition is written out when it is.
_PATTERN_WEIGHT = 1000
_CLASS_WEIGHT = 20

TryOut = Callable[[str, object], str | None]
"""Tries a function on a literal and gives CEL's error text, None when it works."""


def refusals(
    root: Node, known: frozenset[str], try_out: TryOut, *, joins_texts: bool = False
) -> Iterator[ConditionFault]:
    """Give every part of a checked condition that rules do not use; with `joins_texts`, what makes texts is used."""
    lists = {id(node.args[1]) for node in root.walk() if node.name == "@in" and node.args[1].kind == "list"}
    for node in root.walk():
        match node.kind:
            case "const" if node.type in {"null", "bytes", "uint"}:
                yield ConditionFault(_REFUSED_CONSTANTS[node.type], node.at)
            case "variable" if node.name not in known:
                yield ConditionFault("the name of a type is not used in rules: compare a column's value", node.at)
            case "field":
                yield ConditionFault(
                    f"there is no `.{node.name}` in rules: write enrichment.COLUMN or lead.COLUMN", node.at
                )
            case "list":
                yield from _list(node, allowed_here=id(node) in lists)
            case "other":
                yield ConditionFault("{ } is not used in rules: compare columns one by one", node.at)
            case "call":
                yield from _call(node, try_out, joins_texts=joins_texts)


_REFUSED_CONSTANTS = {
    "null": "null is not used in rules: to test for a missing value write missing.COLUMN",
    "bytes": "b'...' is not used in rules: write a string without the b",
    "uint": "a number with u is not used in rules: write it without the u",
}


def _list(node: Node, *, allowed_here: bool) -> Iterator[ConditionFault]:
    if not allowed_here:
        yield ConditionFault("a list stands only after `in`, such as COLUMN in ['a', 'b']", node.at)
    types = {arg.type for arg in node.args}
    if len(types) > 1 and types != {"int", "double"}:
        type_names = " and ".join(sorted(f"{WORDS.get(type_, type_)}s" for type_ in types))
        yield ConditionFault(f"the list holds {type_names}: write values of one type", node.at)


def _call(node: Node, try_out: TryOut, *, joins_texts: bool) -> Iterator[ConditionFault]:
    name = operator(node.name)
    start = node.at - len(node.name) if node.at is not None and name.endswith("()") else node.at
    if joins_texts and (node.name == "replace" or (node.name, node.type) == ("_+_", "string")):
        return
    if node.name not in OPERATORS | FUNCTIONS:
        yield ConditionFault(f"{name} is not used in rules", start)
    elif node.name == "_+_" and node.type not in {"int", "double", "timestamp", "duration"}:
        yield ConditionFault("`+` does not join strings or lists in rules: compare the parts one by one", start)
    elif node.name in _OF_TEXTS and all((arg.kind, arg.type) == ("const", "string") for arg in node.args):
        # A column's name in quotes would make a rule that always or never holds.
        yield ConditionFault(
            "two fixed texts are compared: a column is written lead.COLUMN or lead.`Column Name`", start
        )
    elif node.name in _WRITTEN_OUT:
        yield ConditionFault(_WRITTEN_OUT[node.name], start)
    elif node.name == "matches":
        yield from _matches(node, try_out)
    elif node.name in {"timestamp", "duration"}:
        yield from _literal(node.args[0], node.name, node.name, try_out)
    elif node.name in _ZONED and len(node.args) > 1:
        if node.args[1].kind != "const":
            yield ConditionFault("the time zone must be written out, such as 'Europe/London'", node.args[1].at)
        yield from _literal(node.args[1], "getHours", "zone", try_out)


def _literal(arg: Node, function: str, message: str, try_out: TryOut) -> Iterator[ConditionFault]:
    if arg.kind == "const" and try_out(function, arg.value):
        yield ConditionFault(_LITERALS[message].format(repr(arg.value)), arg.at)


def _matches(node: Node, try_out: TryOut) -> Iterator[ConditionFault]:
    pattern = node.args[1]
    if pattern.kind != "const" or not isinstance(pattern.value, str):
        yield ConditionFault(
            "the pattern of matches() must be written out as a string, such as '^07[0-9]{9}$'", pattern.at
        )
    elif len(pattern.value) > _PATTERN_LENGTH or _weight(pattern.value) > _PATTERN_WEIGHT:
        yield ConditionFault("the pattern is too large: shorten it, or lower the numbers in its { }", pattern.at)
    elif error := try_out("matches", pattern.value):
        yield ConditionFault(f"the pattern does not compile: {error.rpartition('expression: ')[2]}", pattern.at)


def patterns_weight(root: Node) -> int:
    """How much work the regular expressions of a condition are, in repetitions written out."""
    return sum(_weight(str(node.args[1].value)) for node in root.walk() if node.name == "matches")


def _weight(pattern: str) -> int:
    weight = 1 + _CLASS_WEIGHT * len(re.findall(r"\\[pP]", pattern))
    for low, high in re.findall(r"\{(\d+),?(\d*)\}", pattern):
        weight *= max(1, int(high or low))
    return weight
