"""Faults of a condition in the user's words: what CEL's compiler says is translated here, and shown with a caret."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from leadgate.policy.names import WORDS, Names, a, joined, spell
from leadgate.suggest import suggest

_WIDTH = 100
_STRING = re.compile(
    r"""[rR]('''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|"[^"\n]*")"""
    r"""|'''(\\.|[^\\])*?'''|\"\"\"(\\.|[^\\])*?\"\"\"|'(\\.|[^'\\\n])*'|"(\\.|[^"\\\n])*"|`[^`\n]*`""",
    re.DOTALL,
)
_REPORT = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ((?:Syntax error: )?)([^\n]*)")
_UNDECLARED = re.compile(r"undeclared reference to '(.*)' \(in container")
_OVERLOAD = re.compile(r"found no matching overload for '(.*?)' applied to '\((.*)\)'")
_SELECT = re.compile(r"expression of type '(.*)' cannot be the operand of a select operation")
_COLUMN = re.compile(r"\b(enrichment|lead)\s*\.\s*(`[^`]*`|\w+)")

_SPAN = "write a duration as days(30) or duration('36h')"
_HABITS = {
    "is_null": (
        r"\bis\s+(not\s+)?(null|missing|empty)\b",
        "`is null` is SQL: write missing.COLUMN, or !missing.COLUMN",
    ),
    "like": (r"(?<!\.)\b(not\s+)?i?like\b", "`like` is SQL: write COLUMN.contains('...') or COLUMN.startsWith('...')"),
    "between": (r"(?<!\.)\bbetween\b", "`between` is SQL: write COLUMN >= 1 && COLUMN <= 9"),
    "in": (r"(?<!\.)\b(not\s+)?in\s*\(", "a list stands in square brackets: COLUMN in ['a', 'b']"),
    "ne": (r"<>", "`<>` is SQL: write !="),
    "called": (
        r"(?<=\s)(contains|starts_?with|ends_?with|matches)\b(?!\s*\()",
        "write COLUMN.contains('...'), with a point and parentheses; likewise startsWith, endsWith and matches",
    ),
    "pattern": (r"=?~\*?", "`~` is not used in rules: write COLUMN.matches('...')"),
    "comment": (r"#", "a comment begins with //"),
    "span": (r"\b\d+(s|m|h|d|w)\b", _SPAN),
    "arrow": (r"=[<>]", "write >= or <=: the = comes last"),
    "eq": (r"(?<![=!<>])=(?!=)", "`=` is SQL: write =="),
    "and": (r"(?<!\.)\band\b", "`and` is SQL: write &&"),
    "or": (r"(?<!\.)\bor\b", "`or` is SQL: write ||"),
    "not": (r"(?<!\.)\bnot\b", "`not` is SQL: write !"),
    "single_and": (r"(?<!&)&(?!&)", "write && for and"),
    "single_or": (r"(?<!\|)\|(?!\|)", "write || for or"),
    "if": (r"(?<!\.)\bif\b", "a condition stands alone, without `if`: what follows from it is the rule's `then:`"),
}
_MACROS = {
    "has": (r"(?<![.\w])has\s*\(", "has() is not used in rules: write !missing.COLUMN"),
    "each": (
        r"\.\s*(all|exists|exists_one|existsOne|map|filter)\s*\(",
        "all(), exists(), map() and filter() are not used in rules: write COLUMN in ['a', 'b']",
    ),
}
_CURLY = ("\u2018", "\u2019", "\u201c", "\u201d")
_TRUTHS = {"true": "true", "false": "false", "yes": "true", "no": "false"}
_OPERATORS = {"@in": "in", "_[_]": "[ ]", "!_": "!", "-_": "-", "_?_:_": "? :"}
_ORDERS = {"<", "<=", ">", ">="}
_COMPARISONS = {"==", "!=", *_ORDERS}
_BY_FUNCTION = {
    "in": ": it takes a list of one type, such as ['a', 'b']; for part of a string write COLUMN.contains('a')",
    "days()": ": it takes a whole number written out, such as days(30)",
    "days_since()": ": it takes a timestamp column; a text that is a time becomes one by the source's `types:`",
    "share()": ": it takes a decimal number between 0 and 1 written out, such as share(0.1)",
}
_WITH_TEXT = {
    "||": ": to compare with several texts write COLUMN in ['a', 'b']",
    "+": ": under `update:` write string(COLUMN) around what is no text; rules do not join texts",
}
_CALLED_ALONE = {"days": "days(30)", "days_since": "days_since(lead.COLUMN)", "share": "share(0.1)"}
"""Functions that are called alone, as they are written."""
_COMPARED = {
    "duration": f": {_SPAN}",
    "timestamp": ": write a time as timestamp('2024-01-31T00:00:00Z')",
    "bool": ": write the bool alone, or ! before it",
}


_ZERO_ONE = ": write COLUMN == 1, or have 0 and 1 read as false and true by the source's `types: {COLUMN: bool}`"


class ConditionFault(NamedTuple):
    """What is wrong with a condition, and at which offset of its text (None: not known)."""

    message: str
    at: int | None = None


def show(fault: ConditionFault, text: str) -> str:
    """Put the condition under the message, and a caret under the place."""
    if fault.at is None:
        return f"{fault.message}\n    {_fitting(text.splitlines()[0] if text.strip() else text, 0)[0]}"
    start = text.rfind("\n", 0, fault.at) + 1
    line, column = _fitting(text[start:].split("\n", 1)[0], fault.at - start)
    return f"{fault.message}\n    {line}\n    {' ' * column}^"


def _fitting(line: str, column: int) -> tuple[str, int]:
    line = line.replace("\t", " ").rstrip()
    first = max(0, min(column - _WIDTH // 2, len(line) - _WIDTH))
    cut = ("..." if first else "") + line[first : first + _WIDTH] + ("..." if len(line) > first + _WIDTH else "")
    return cut, column - first + (3 if first else 0)


def without_strings(text: str) -> str:
    """Blank out the quoted parts, so that what remains is the condition's own words, each at its place."""
    return _STRING.sub(lambda match: " " * len(match[0]), text)


def operator(function: str) -> str:
    """How an operator or a function of CEL's tree is written."""
    known = _OPERATORS.get(function)
    if known:
        return f"`{known}`"
    return f"`{function[1:-1]}`" if re.fullmatch(r"_[^\w]+_", function) else f"{function}()"


def translate(report: str, text: str, names: Names, functions: frozenset[str]) -> list[ConditionFault]:
    """Turn a compiler's report into faults; `text` is the condition as the user wrote it."""
    if "recursion" in report:
        return [
            ConditionFault("is nested too deeply, or adds too much up: split it over several conditions under `all:`")
        ]
    own = without_strings(text)
    if misspelt := [(name, at) for name, at in names.misspelt(text) if not own[at].isspace()]:
        return [ConditionFault(f"a column like this is written {name}", at) for name, at in misspelt]
    items = [
        (bool(syntax), message, _offset(text, int(line), int(column)))
        for line, column, syntax, message in _REPORT.findall(report)
    ]
    if any(syntax for syntax, _, _ in items):
        # What follows a first syntax error is mostly its consequence.
        return list(_scan(text, _HABITS)) or [ConditionFault(_syntax(items[0][1], text, items[0][2]), items[0][2])]
    found = list(_scan(text, _MACROS))
    for _, message, at in items:
        if "*error*" in message:
            continue  # what holds a fault that is named already
        undeclared = _UNDECLARED.match(message)
        if undeclared and found and "." not in undeclared[1]:
            continue  # a variable of a refused all() or map(), or its own name
        found.append(
            _unknown(undeclared[1], text, at, names, functions) if undeclared else _type(message, text, at, names)
        )
    return list(dict.fromkeys(found)) or [ConditionFault(f"cannot be read: {report.splitlines()[0]}")]


def _scan(text: str, habits: dict[str, tuple[str, str]]) -> Iterator[ConditionFault]:
    pattern = "|".join(f"(?P<{name}>{regex})" for name, (regex, _) in habits.items())
    for match in re.finditer(pattern, without_strings(text), re.IGNORECASE):
        found = next(name for name in habits if match[name])
        yield ConditionFault(habits[found][1], match.start())


def _syntax(message: str, text: str, at: int | None) -> str:
    if at is not None and (slip := _slip(message, text, at)):
        return slip
    if absent := re.match(r"missing '(.)' at", message):
        return f"`{absent[1]}` is missing here"
    if "'<EOF>'" not in message.partition("expecting")[0]:
        return "is not readable from here on"
    if text.rstrip().endswith("%"):
        return "% takes the remainder of a division: a share is written as a decimal number, such as 0.6 for 60 %"
    return "ends too early: something must follow"


def _slip(message: str, text: str, at: int) -> str | None:
    """What is wrong with the characters at the place; None where they are none that CEL cannot read."""
    if "token recognition error" in message and text[at : at + 1] in {"'", '"'}:
        return "a string is opened here and never closed, or holds a \\ that must be doubled"
    if text[at : at + 1] in _CURLY:
        return "text stands in straight quotes, ' or \": these are curly ones"
    if re.fullmatch(r"\d,\d", text[max(at - 1, 0) : at + 2]):
        return "a decimal number is written with a point, such as 0.6"
    if not text[at:].partition(" ")[0].isascii():
        return "only a to z, digits and _ can be read outside of quotes: rename the column in a view or a `query:`"
    return None


def _unknown(name: str, text: str, at: int | None, names: Names, functions: frozenset[str]) -> ConditionFault:
    if at is not None and text[at : at + 1] == "(":
        if name in functions:
            after_dot = text[: at - len(name)].rstrip().endswith(".")
            written = _CALLED_ALONE.get(name) or (f"{name}(COLUMN)" if after_dot else f"COLUMN.{name}('...')")
            return ConditionFault(f"{name}() cannot be called like this: write {written}", at - len(name))
        meant = suggest(name, sorted(functions), "{}()".format)
        return ConditionFault(f"unknown function {name}(); {meant}", at - len(name))
    prefix = name.rpartition(".")[0]
    if at is not None and prefix and text[at - len(prefix) : at] == prefix:
        at -= len(prefix)  # CEL points at the dot
    if name.lower() in {"null", "none", "nil"}:
        return ConditionFault(f"{name} is not used in rules: to test for a missing value write missing.COLUMN", at)
    if name.lower() in _TRUTHS:
        return ConditionFault(f"unknown name {name}; did you mean {_TRUTHS[name.lower()]}?", at)
    if at is not None and not prefix and re.search(r"([=!]=|[\[,])\s*$", text[:at]):
        return ConditionFault(
            f"unknown name {name}: put quotes around what is text, '{name}'; {names.nearest(name)}", at
        )
    return ConditionFault(f"unknown {'column' if prefix else 'name'} {name}; {names.nearest(name)}", at)


def _type(message: str, text: str, at: int | None, names: Names) -> ConditionFault:
    if select := _SELECT.match(message):
        return ConditionFault(f"{a(_plain(select[1]))} has no parts: nothing may follow it after a dot", at)
    overload = _OVERLOAD.match(message)
    if not overload:
        return ConditionFault(f"cannot be read: {message}", at)
    function, types = operator(overload[1]), [_plain(part) for part in _split(overload[2])]
    seen = [names.usable.get(f"{r}.{c.strip('`')}") for r, c in _COLUMN.findall(text)]
    kinds = dict.fromkeys(f"{spell(c.variable)} is {a(c.type)}" for c in seen if c and c.type in types)
    columns = f" ({', '.join(kinds)})" if kinds else ""
    if at is not None and function.endswith("()"):
        at -= len(function) - 2  # CEL points at the parenthesis
    return ConditionFault(f"{_refusal(function, types)}{columns}{_advice(function, types, text)}", at)


def _refusal(function: str, types: list[str]) -> str:
    if function.strip("`") in _COMPARISONS:
        return f"{function} cannot compare {a(types[0])} with {a(types[1])}"
    if function in {"`&&`", "`||`", "`!`"}:
        return f"{function} takes conditions that are true or false, not {joined(a(t) for t in types if t != 'bool')}"
    return f"{function} cannot take {joined(a(t) for t in types)}"


def _advice(function: str, types: list[str], text: str) -> str:
    kinds = set(types)
    symbol = function.strip("`")
    if "null" in kinds:
        return ": to test for a missing value write missing.COLUMN"
    if symbol in _ORDERS and types[0] == "bool" != types[1]:
        return ": write a range as COLUMN >= 1 && COLUMN <= 9"
    if symbol in _COMPARISONS:
        return _comparable(kinds, text)
    if symbol in {"-", "+"} and kinds & {"timestamp", "duration"}:
        return _COMPARED["duration"]
    if symbol in _WITH_TEXT and "string" in kinds:
        return _WITH_TEXT[symbol]
    other = ": write double(COLUMN) around the whole number, and 1.0 for 1" if kinds == {"int", "double"} else ""
    return _ZERO_ONE if symbol in {"&&", "||", "!"} and "int" in kinds else _BY_FUNCTION.get(symbol, other)


def _comparable(kinds: set[str], text: str) -> str:
    if kinds in ({"duration", "int"}, {"duration", "double"}) and "days_since(" in text:
        return ": days_since() counts whole days: write a number, such as 30"
    if kinds == {"bool", "int"} and re.search(r"\b(true|false)\b", text):
        return _ZERO_ONE
    for kind, advice in _COMPARED.items():
        if kind in kinds:
            return advice
    if kinds in ({"string", "int"}, {"string", "double"}):
        return ": put quotes around what is text, or turn it into a number by int(), double() or the source's `types:`"
    return ""


def _plain(type_: str) -> str:
    """CEL's name of a type in the words of WORDS' keys."""
    short = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration", "null_type": "null"}
    inner = re.fullmatch(r"list\((.*)\)", type_)
    if inner:
        held = WORDS.get(_plain(inner[1]))
        return f"list of {held}s" if held else "list"
    return short.get(type_, type_)


def _split(types: str) -> list[str]:
    """Split `string, map(int, int)` at the outer commas."""
    return re.split(r", (?![^(]*\))", types)


def _offset(text: str, line: int, column: int) -> int | None:
    if line < 1:
        return None
    return sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + column - 1
