"""What is written onto leads: `update:` as checked against the real columns, and the fields of one lead. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from leadgate.config import FieldConfig
from leadgate.errors import PolicyError
from leadgate.model import Columns, Decision, Enrichment, Lead, Verdict
from leadgate.policy.compiling import try_compile
from leadgate.policy.language import Condition, Language
from leadgate.policy.names import Column, Names, joined
from leadgate.policy.seeing import Eyes

_BY_DATA = "what is written goes by the lead's data alone, so that it is the same whenever it is sent"


class Written(NamedTuple):
    """The fields of one lead with their values, and those that hold it until they have one."""

    fields: dict[str, Any]
    held_by: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Field:
    """One of LeadByte's fields, and where its value comes from."""

    name: str
    config: FieldConfig
    column: Column | None = None
    calculation: Condition | None = None
    reads: Sequence[Column] = ()
    """The columns that its value comes from."""


class Update:
    """What is written to each field; raises PolicyError with every fault.

    `guaranteed` are columns, as wait.require names them, that every lead has which may be processed.
    """

    def __init__(self, config: Mapping[str, FieldConfig], columns: Columns, guaranteed: Collection[str] = ()) -> None:
        names = Names(columns)
        texts = [field.value for field in config.values() if field.value]
        language = Language(names, texts) if texts else None
        problems: list[str] = []
        guaranteed_columns = set(map(names.column, guaranteed))
        self._fields = [
            _field(name, field, names, language, guaranteed_columns, problems) for name, field in config.items()
        ]
        if problems:
            raise PolicyError(problems)
        calculations = [field.calculation for field in self._fields if field.calculation]
        self._eyes = Eyes(language, names, calculations) if language else None
        read = [field.column for field in self._fields if field.column]
        read += self._eyes.columns if self._eyes else []
        self.columns = list(dict.fromkeys(read))
        """Every column that is written, or that a value is calculated from."""
        self.reads_lead = any(column.relation == "lead" for column in read)
        """Whether the lead's own row is looked at."""

    def write(self, lead: Lead, enrichment: Enrichment | None) -> Written:
        """Give the fields of one lead. What has no value is left out, so that it overwrites nothing, or as it says."""
        bound = self._eyes.see(lead, enrichment, late=False, now=None)[0].bound if self._eyes else None
        fields: dict[str, Any] = {}
        held_by: list[str] = []
        for field in self._fields:
            value = _value(field, lead, enrichment, bound)
            if value is not None:
                fields[field.name] = value
            elif field.config.when_null == "blank" and _is_empty(field, lead, enrichment):
                fields[field.name] = ""
            elif field.config.when_null == "hold":
                held_by.append(field.name)
        return Written(fields, held_by)


def hold_for_values(decision: Decision, written: Written) -> Decision:
    """Hold a lead that would be processed while fields have no value that say `when_null: hold`."""
    if not written.held_by or decision.verdict is not Verdict.PROCESS or decision.decided_by:
        return decision
    fields = joined(f"update.{name}" for name in written.held_by)
    has = "has" if len(written.held_by) == 1 else "have"
    reason = f"Held: {fields} {has} no value, and `when_null: hold`. Otherwise it would be process: {decision.reason}"
    return replace(decision, verdict=Verdict.HOLD, reason=reason)


def _value(field: _Field, lead: Lead, enrichment: Enrichment | None, bound: object) -> Any:  # noqa: ANN401
    if field.config.text is not None:
        return field.config.text
    if field.column:
        row = lead if field.column.relation == "lead" else enrichment
        return row and row.to_write(field.column.name)
    value = field.calculation.value(bound) if field.calculation else None
    return None if isinstance(value, str) and not value.strip() else value


def _is_empty(field: _Field, lead: Lead, enrichment: Enrichment | None) -> bool:
    """Whether the source says that there is no value: a row that is not there, or cannot be read, says nothing.

    A calculation that fails has values to go by, and says nothing either.
    """
    rows = {"lead": lead if lead.columns else None, "enrichment": enrichment}
    return all(
        (row := rows[column.relation]) and row.columns.get(column.name) is None and column.name not in row.unfit
        for column in field.reads
    )


def _field(  # noqa: PLR0913, PLR0917
    name: str,
    config: FieldConfig,
    names: Names,
    language: Language | None,
    guaranteed: set[Column | None],
    problems: list[str],
) -> _Field:
    where = f"update.{name}"
    if config.value is not None and language:
        calculation = try_compile(f"{where}.value", config.value, language.compile_value, problems)
        if calculation and (of_time := language.time_in(calculation)):
            problems.append(f"{where}.value: `{of_time}` is not used here: {_BY_DATA}")
        known = names.by_variable | names.by_missing
        read = calculation.names & known.keys() if calculation else set()
        return _Field(name, config, calculation=calculation, reads=[known[each] for each in read])
    if config.column is None:
        return _Field(name, config)
    column = names.column(config.column)
    if column is None:
        problems.append(f"{where}: {names.problem(config.column)}")
    elif config.when_null == "hold" and column in guaranteed:
        problems.append(
            f"{where}.when_null: `hold` never holds a lead: wait.require waits for {config.column} already, and no "
            "rule processes late leads. Leave one of the two out"
        )
    return _Field(name, config, column=column, reads=[column] if column else [])
