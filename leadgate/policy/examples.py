"""The policy's examples: what is wrong with them, which of them the rules disappoint, and which rules none covers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from leadgate.config import ExampleConfig
from leadgate.model import OTHERWISE, Columns, ColumnType, Enrichment, Lead
from leadgate.model.values import fit
from leadgate.policy.deciding import Policy
from leadgate.policy.names import Names, RelationName, a, spell
from leadgate.policy.trace import explain_tried_rules
from leadgate.policy.writing import Update, Written, hold_for_values
from leadgate.suggest import suggest

_BLANK = frozenset({""})


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that was decided otherwise than expected, and the rules that did not match before."""

    example: str
    expected: str
    decided: str
    reason: str
    tried: Sequence[tuple[str, str]]

    def __str__(self) -> str:
        lines = [f"{self.example}: expected {self.expected}, decided {self.decided}: {self.reason}"]
        return "\n".join([*lines, *(f"    {rule} did not match: {why}" for rule, why in self.tried)])


@dataclass(frozen=True, slots=True)
class Examined:
    """How many examples were tried, those that failed, and the rules that decided none of them."""

    count: int
    failures: Sequence[Failure]
    uncovered: Sequence[str]


def example_faults(
    examples: Sequence[ExampleConfig],
    policy: Policy,
    columns: Columns,
    *,
    fields: Collection[str] = (),
    nulls: Collection[str] = _BLANK,
) -> list[str]:
    """Say what in the examples cannot be: columns that do not exist, values that do not fit, rules nobody wrote.

    `fields` are those that `update:` writes; texts of `nulls` are no values.
    """
    names = Names(columns)
    rules = [rule.config.name for rule in policy.rules]
    return [
        f"{_place(number, example)}, {fault}"
        for number, example in enumerate(examples, 1)
        for fault in _faults(example, names, rules, fields, nulls)
    ]


def run_examples(  # noqa: PLR0913
    examples: Sequence[ExampleConfig],
    policy: Policy,
    *,
    now: datetime,
    update: Update | None = None,
    nulls: Collection[str] = _BLANK,
    id_column: str | None = None,
) -> Examined:
    """Decide every example; `now` is the instant of those that name none. `wait.require` is not asked.

    An example's lead has the id that it gives under `id_column`; without one, it is in no share().
    """
    failures: list[Failure] = []
    covered: set[str] = set()
    for number, example in enumerate(examples, 1):
        given, expect = example.given, example.expect
        at = given.now or now
        arrived, own = (
            {name: None if _is_null(value, nulls) else value for name, value in values.items()}
            for values in (given.enrichment, given.lead)
        )
        enrichment = Enrichment("", None, arrived) if given.enrichment else None
        raw_id = own.get(id_column) if id_column else None
        lead = Lead("" if raw_id is None else str(raw_id), at - given.waited, own)
        decision = policy.decide(lead, enrichment, late=given.late, now=at)
        written = update.write(lead, enrichment) if update else Written({})
        decision = hold_for_values(decision, written)
        rule = decision.rule or OTHERWISE
        covered.add(rule)
        wrong = {
            name: _told(written.fields.get(name))
            for name, value in expect.update.items()
            if _told(written.fields.get(name)) != _told(value)
        }
        if decision.verdict is not expect.verdict or expect.rule not in {None, rule} or wrong:
            # Its values are in the file: all of them may be told.
            values = {**own, **arrived}
            failure = Failure(
                example=_place(number, example),
                expected=_by(expect.verdict, expect.rule) + _writing({name: expect.update[name] for name in wrong}),
                decided=_by(decision.verdict, rule) + _writing(wrong),
                reason=decision.reason,
                tried=explain_tried_rules(policy.text, decision.trace or (), decision.unanswered, values),
            )
            failures.append(failure)
    uncovered = [rule.config.name for rule in policy.rules if rule.config.name not in covered]
    return Examined(len(examples), failures, uncovered)


def _place(number: int, example: ExampleConfig) -> str:
    return f"examples[{number}]" + (f" {example.name!r}" if example.name else "")


def _by(verdict: str, rule: str | None) -> str:
    return f"{verdict} by {rule}" if rule else verdict


def _writing(fields: Mapping[str, Any]) -> str:
    fields_written = (f"{name} {'left out' if value is None else repr(_told(value))}" for name, value in fields.items())
    return f", {', '.join(fields_written)}" if fields else ""


def _told(value: object) -> object:
    """A value as it is written, so that those of a file and those of a column can be compared."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value


def _is_null(value: object, nulls: Collection[str]) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in nulls)


def _faults(
    example: ExampleConfig, names: Names, rules: Sequence[str], fields: Collection[str], nulls: Collection[str]
) -> Iterator[str]:
    given: list[tuple[RelationName, dict[str, Any]]] = [
        ("enrichment", example.given.enrichment),
        ("lead", example.given.lead),
    ]
    for relation, values in given:
        for name, value in values.items():
            column = names.by_variable.get(f"{relation}.{name}")
            if column is None:
                yield f"given: unknown column {spell(f'{relation}.{name}')}; {names.nearest(f'{relation}.{name}')}"
            elif column.type is ColumnType.STRING and not isinstance(value, str | None):
                yield f"given: {spell(column.variable)} is a string: write {value} between quotes"
            elif not _is_null(value, nulls) and fit(value, column.type) is None:
                how = ": write it as 2026-03-01T12:00:00Z" if column.type is ColumnType.TIMESTAMP else ""
                yield f"given: {spell(column.variable)}: {value!r} is not {a(column.type)}{how}"
    rule = example.expect.rule
    if rule is not None and rule not in {OTHERWISE, *rules}:
        yield f"expect.rule: no rule is called {rule}; {suggest(rule, [*rules, OTHERWISE])}"
    for name in example.expect.update:
        if name not in fields:
            yield f"expect.update: `update:` writes no field {name}; {suggest(name, fields)}"
