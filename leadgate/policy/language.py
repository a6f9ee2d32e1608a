"""The language of conditions: CEL, through cel-expr-python. Nothing else in leadgate knows that library.

What it does that one would not expect, and what is done about it here:
- comparing a whole with a decimal number is refused: the comparisons are declared anew, with both orders;
- has(enrichment.flag) is read as the flag itself: its macros are switched off;
- an expression that yields null ends the Python process: only conditions that are bool are compiled;
- functions written in Python leak memory at every call: there are none, and days(30), days_since(COLUMN) and
  share(0.1) are read before CEL sees them;
- a regular expression is compiled anew at every evaluation (10 to 20 microseconds): left so, since what would keep
  it compiled is a function written in Python.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from leadgate.errors import LeadgateError
from leadgate.policy.allowed import COMPARISONS, FUNCTIONS, refusals
from leadgate.policy.checked import Node, read_checked
from leadgate.policy.faults import ConditionFault, translate, without_strings
from leadgate.policy.names import BUILT_IN, Names, a
from leadgate.policy.parts import ways_to_fail

_TYPES = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "timestamp": cel.Type.TIMESTAMP,
    "duration": cel.Type.DURATION,
}
_WRITABLE = {"bool", "int", "double", "string", "timestamp"}
_VALUES = [_TYPES[type_] for type_ in sorted(_WRITABLE)]
_DAYS = re.compile(r"(?<![\w.])days\([ \t]*(\d{1,5}|100000)[ \t]*\)")
# Of a column between backticks nothing but blanks is left where strings were taken out.
_SINCE = re.compile(r"(?<![\w.])days_since\([ \t]*((?:lead|enrichment)\.(?:\w+|[ ]+))[ \t]*\)")
_SHARE = re.compile(r"(?<![\w.])share\([ \t]*(0\.\d*[1-9]\d*)[ \t]*\)")
_UNBOUND = "UNKNOWN: No value with name"
_SETTINGS = "name: leadgate\nstdlib:\n  disable_macros: true\n  exclude_functions:\n" + "".join(
    f"    - name: '{name}'\n" for name in (*COMPARISONS, "@in")
)


class ConditionFaults(LeadgateError):
    """A condition is not one that rules may use; `faults` says where and why."""

    def __init__(self, faults: list[ConditionFault]) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that compiled: its checked tree, the names it reads, and its answer for one lead.

    Where it can fail in several ways, `ways` has them, compiled, each with the answer that is wanted of it.
    """

    text: str
    tree: Node
    names: frozenset[str]
    expression: Any
    ways: Sequence[tuple[Any, bool]] = ()

    def value(self, bound: Any) -> Any:  # noqa: ANN401
        """Give what it comes to; None where that is no value: one that it needs is not bound, or it cannot be had."""
        result = self.expression.eval(bound)
        if result.type() not in _VALUES:
            return None
        value = result.value()
        return None if isinstance(value, float) and not math.isfinite(value) else value

    def answer(self, bound: Any) -> bool | str | None:  # noqa: ANN401
        """Say true or false; None when a value it needs is not bound, a text when a calculation failed."""
        value = self.expression.eval(bound).value()
        if value is True or value is False:
            return bool(value)
        return None if str(value).startswith(_UNBOUND) else _without_values(str(value))

    def first_failing(self, bound: Any) -> int | None:  # noqa: ANN401
        """Give the number of the first way in which it fails, of those that have an answer."""
        answers = ((number, way.eval(bound).value(), wanted) for number, (way, wanted) in enumerate(self.ways))
        return next((number for number, value, wanted in answers if value is (not wanted)), None)


class Language:
    """CEL with the columns of one source declared, and the days(n), days_since(COLUMN) and share(n) of the given texts.

    `since` and `shares` hold the column and the share behind the names that stand for the last two.
    """

    def __init__(self, names: Names, texts: Iterable[str]) -> None:
        self._names = names
        self.constants: dict[str, timedelta] = {}
        self.since: dict[str, str] = {}
        self.shares: dict[str, float] = {}
        self._written: dict[str, str] = {}
        for text in texts:
            own = without_strings(text)
            for match in _DAYS.finditer(own):
                self.constants[_as_name(match[0])] = timedelta(days=int(match[1]))
            for match in _SHARE.finditer(own):
                self.shares[_as_name(match[0])] = float(match[1])
            for match in _SINCE.finditer(own):
                call, variable = text[match.start() : match.end()], text[match.start(1) : match.end(1)]
                column = names.usable.get(variable.strip().replace("`", ""))
                if column and column.type == "timestamp" and call not in self._written:
                    # Counted, since names of columns may differ in what a name here cannot hold.
                    name = f"days_since_{len(self.since):0{len(call) - 11}d}"
                    self._written[call], self.since[name] = name, column.variable
        variables = {variable: _TYPES[column.type] for variable, column in names.usable.items()}
        variables |= dict.fromkeys(names.usable_missing, cel.Type.BOOL)
        variables |= {name: _TYPES[type_] for name, type_ in BUILT_IN.items()}
        variables |= dict.fromkeys(self.constants, cel.Type.DURATION)
        variables |= dict.fromkeys(self.since, cel.Type.INT) | dict.fromkeys(self.shares, cel.Type.BOOL)
        self._known = frozenset(variables)
        self._env = _environment(variables)
        self._trial = _environment({"text": cel.Type.STRING, "now": cel.Type.TIMESTAMP})

    def compile(self, text: str, *, wanted: bool = True) -> Condition:
        """Compile one condition; raise ConditionFaults with everything that is wrong with it.

        `wanted` is the answer that a rule needs.
        """
        readable, condition = self._compile(text)
        if condition.tree.type != "bool":
            raise ConditionFaults([ConditionFault(_not_a_condition(condition.tree.type, text.strip()))])
        ways = ways_to_fail(readable, wanted=wanted)
        if len(ways) == 1:
            return condition
        return replace(condition, ways=[(self._env.compile(way.text), way.wanted) for way in ways])

    def compile_value(self, text: str) -> Condition:
        """Compile a calculation whose value is to be written; raise as `compile`."""
        _, calculation = self._compile(text, joins_texts=True)
        type_ = calculation.tree.type
        if type_ not in _WRITABLE:
            msg = f"gives {a(type_)}, which no field of LeadByte takes: make text of it, such as string({text.strip()})"
            raise ConditionFaults([ConditionFault(msg)])
        if not calculation.names - self.constants.keys():
            msg = "is the same for all leads: write `text:` in place of `value:`, with what is to be written"
            raise ConditionFaults([ConditionFault(msg)])
        return calculation

    def time_in(self, condition: Condition) -> str | None:
        """What a condition goes by that is not the lead's data, as it is written; None where that is all."""
        read = {node.name for node in condition.tree.walk() if node.kind == "variable"}
        return "days_since()" if read & self.since.keys() else next(iter(sorted(read & BUILT_IN.keys())), None)

    def _compile(self, text: str, *, joins_texts: bool = False) -> tuple[str, Condition]:
        own_words = without_strings(text)
        readable = text
        for match in (match for call in (_DAYS, _SHARE, _SINCE) for match in call.finditer(own_words)):
            # A name of the same length, so that all places in messages stay true.
            call = text[match.start() : match.end()]
            name = self._written.get(call, call) if match.re is _SINCE else _as_name(match[0])
            readable = readable[: match.start()] + name + readable[match.end() :]
        try:
            expression = self._env.compile(readable)
        except RuntimeError as error:
            raise ConditionFaults(translate(str(error), text, self._names, FUNCTIONS)) from None
        root = read_checked(expression.serialize())
        if faults := list(refusals(root, self._known, self._try_out, joins_texts=joins_texts)):
            raise ConditionFaults(faults)
        names = frozenset(self.since.get(node.name, node.name) for node in root.walk() if node.kind == "variable")
        return readable, Condition(text, root, names, expression)

    def bind(self, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Make the values of one lead readable for conditions; a name that is absent is a missing value."""
        return self._env.Activation(values)

    def _try_out(self, function: str, literal: object) -> str | None:
        if not isinstance(literal, str):
            return None
        trial = {
            "matches": "''.matches(text)",
            "timestamp": "timestamp(text) == now",
            "duration": "duration(text) == duration('0s')",
            "getHours": "now.getHours(text) == 0",
        }[function]
        bound = self._trial.Activation({"text": literal, "now": datetime(2024, 1, 1, tzinfo=UTC)})
        value = self._trial.compile(trial).eval(bound).value()
        return None if isinstance(value, bool) else str(value)


def _environment(variables: Mapping[str, Any]) -> Any:  # noqa: ANN401
    whole, decimal = _TYPES["int"], _TYPES["double"]
    pairs = [(type_, type_) for type_ in _TYPES.values()] + [(whole, decimal), (decimal, whole)]
    functions = [_declare(name, pairs) for name in COMPARISONS]
    functions.append(_declare("@in", [(item, cel.Type.List(listed)) for item, listed in pairs]))
    # Only declared so that their arguments are checked; allowed.py refuses all of these that are still there.
    functions.append(_declare("days", [(whole,)], _TYPES["duration"], impl=timedelta))
    functions.append(_declare("share", [(whole,), (decimal,)], impl=bool))
    functions.append(_declare("days_since", [(_TYPES["timestamp"],)], whole, impl=int))
    settings = cel.NewEnvConfigFromYaml(_SETTINGS)
    extensions = [ext_strings.ExtStrings()]
    return cel.NewEnv(config=settings, variables=variables, functions=functions, extensions=extensions)


def _declare(name: str, overloads: list[tuple[Any, ...]], returns: Any = cel.Type.BOOL, **options: type) -> Any:  # noqa: ANN401
    declared = [
        cel.Overload(f"{name}_{number}", return_type=returns, parameters=list(parameters), **options)
        for number, parameters in enumerate(overloads)
    ]
    return cel.FunctionDecl(name, declared)


def _as_name(call: str) -> str:
    return re.sub(r"[^0-9a-z]", "_", call)


def _without_values(error: str) -> str:
    """CEL's own words for a failed calculation, unless they may quote a value."""
    text = error.rpartition(": ")[2]
    return text if re.fullmatch(r"[A-Za-z ]+", text) else "a calculation failed"


def _not_a_condition(type_: str, text: str) -> str:
    example = {
        "int": f"{text} >= 1",
        "double": f"{text} >= 1",
        "string": f"{text} == 'a'",
        "timestamp": f"now - {'COLUMN' if text == 'now' else text} > days(2)",
        "duration": f"{text} > days(2)",
    }.get(type_, "COLUMN == 'a'")
    compare = f"gives {a(type_)}, not true or false: compare it, such as {example}"
    # Perhaps Y and N, or 1 and 0.
    if type_ in {"string", "int"} and (column := _COLUMN.fullmatch(text)):
        return f"{compare}; or write `types: {{{column[2].strip('`')}: bool}}` under source.{_SECTIONS[column[1]]}"
    return compare


_COLUMN = re.compile(r"(lead|enrichment)\.(`[^`]+`|\w+)")
_SECTIONS = {"lead": "leads", "enrichment": "enrichment"}
