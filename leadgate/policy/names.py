"""What a rule may name, and in which words users are told about it: columns, built-in names, types."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from leadgate.model import Columns, ColumnType
from leadgate.suggest import close_to, if_it_is_new, known_here, suggest

RelationName = Literal["enrichment", "lead"]

BUILT_IN = {"late": "bool", "waited": "duration", "now": "timestamp"}
"""The names besides the columns, and their types."""

WORDS = {
    "string": "string",
    "int": "whole number",
    "double": "decimal number",
    "bool": "bool",
    "timestamp": "timestamp",
    "duration": "duration",
    "null": "null",
    "list": "list",
    "bytes": "byte string",
    "uint": "number with u",
}
"""The types as users read them in messages."""

_RELATIONS = ("enrichment", "lead", "missing")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTABLE = re.compile(r"[A-Za-z0-9_./ -]+")
# CEL keeps these three for itself even after a dot.
_KEPT = {"in", "true", "false", "null"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of one of the two relations, and the type a rule sees."""

    relation: RelationName
    name: str
    type: ColumnType

    @property
    def variable(self) -> str:
        """The name under which CEL knows the column's value."""
        return f"{self.relation}.{self.name}"


class Names:
    """Every column a rule may read, by each of its names."""

    def __init__(self, columns: Columns) -> None:
        both: list[tuple[RelationName, dict[str, ColumnType]]] = [
            ("lead", dict(columns.lead)),
            ("enrichment", dict(columns.enrichment)),
        ]
        found = [Column(relation, name, type_) for relation, types in both for name, type_ in types.items()]
        self.by_variable = {column.variable: column for column in found}
        # Without a relation, a name means the enrichment's column: it comes later and so replaces the lead's.
        self.by_name = {column.name: column for column in found}
        self._unreadable = columns.unreadable
        self.known_from = columns.known_from
        self.by_missing = {f"missing.{name}": column for name, column in self.by_name.items()}

    @property
    def usable(self) -> dict[str, Column]:
        """The columns that can be written in a condition, by their variable."""
        return _quotable(self.by_variable)

    @property
    def usable_missing(self) -> dict[str, Column]:
        """The same columns, by the name that asks whether they are missing."""
        return _quotable(self.by_missing)

    def column(self, name: str) -> Column | None:
        """The column that a list names: COLUMN of the enrichment, or lead.COLUMN."""
        return self.by_variable.get(f"enrichment.{name}") or self.by_variable.get(name)

    def problem(self, name: str) -> str:
        """Say why a list cannot name a column so."""
        relation, column = "enrichment", name
        if name.startswith(("lead.", "enrichment.")):
            relation, _, column = name.partition(".")
        where = "source.leads" if relation == "lead" else "source.enrichment"
        if native := self._unreadable.get(f"{relation}.{column}"):
            return (
                f"column `{column}` of {where} is {native}, which cannot be read: say under {where} what to read it "
                f"as, such as `types: {{{column}: string}}`"
            )
        other = "enrichment" if relation == "lead" else "lead"
        if f"{other}.{column}" in self.by_variable:
            return f"{where} has no column `{column}`; did you mean {f'lead.{column}' if other == 'lead' else column}?"
        own = [known.name for known in self.by_variable.values() if known.relation == relation]
        meant = suggest(column, own, _written(relation))
        return f"{where} has no column `{column}`; {meant}{if_it_is_new(self.known_from)}"

    def misspelt(self, text: str) -> Iterator[tuple[str, int]]:
        """Give columns that stand in a condition with wrong quotes or none, as they should be written."""
        for variable in [*self.usable, *self.usable_missing]:
            relation, _, column = variable.partition(".")
            name = spell(variable)
            signs = "*" if "`" in name else "+"
            if found := re.search(rf"\b{relation}\.?[\[\"' ]{signs}{re.escape(column)}\b", text):
                yield name, found.start()

    def nearest(self, name: str) -> str:
        """Say which name may have been meant, or which there are: the end of a message."""
        relation, _, column = name.rpartition(".")
        column = column.strip("`")
        if native := self._unreadable.get(f"{'enrichment' if relation == 'missing' else relation}.{column}"):
            where = "source.leads" if relation == "lead" else "source.enrichment"
            return f"the source has it as {native}: say under {where} what to read it as, `types: {{{column}: string}}`"
        new = if_it_is_new(self.known_from) if relation in _RELATIONS else ""
        return f"{self._nearest(relation, column)}{new}"

    def _nearest(self, relation: str, column: str) -> str:
        known = [*self.usable, *self.by_missing]
        meant = [f"{close_to(relation, _RELATIONS)}.{column}", f"enrichment.{column}", f"lead.{column}"]
        own = {variable.partition(".")[2]: variable for variable in known if variable.startswith(f"{relation}.")}
        if found := next((variable for variable in meant if variable in known), None):
            return f"did you mean {spell(found)}?"
        if near := close_to(column, own):
            return f"did you mean {spell(own[near])}?"
        if not relation and (near := close_to(column, BUILT_IN)):
            return f"did you mean {near}?"
        if near := close_to(column, self.by_name):
            return f"did you mean {spell(self.by_name[near].variable)}?"
        return known_here(map(spell, own.values() or self.usable))


def _written(relation: str) -> Callable[[str], str]:
    return "lead.{}".format if relation == "lead" else str


def _quotable(columns: dict[str, Column]) -> dict[str, Column]:
    return {variable: column for variable, column in columns.items() if can_be_written(column.name)}


def can_be_written(column: str) -> bool:
    """Whether a condition can name a column, between backticks if need be."""
    return bool(_QUOTABLE.fullmatch(column))


@cache
def spell(name: str) -> str:
    """Write a variable as a condition has to: backticks around a column that is no plain word."""
    relation, dot, column = name.partition(".")
    if not dot or (_PLAIN.fullmatch(column) and column not in _KEPT):
        return name
    return f"{relation}.`{column}`"


def joined(parts: Iterable[str]) -> str:
    """Join with commas and a last `and`."""
    *front, last = parts
    return f"{', '.join(front)} and {last}" if front else last


def a(type_: str) -> str:
    """Name a type in the users' words, with its article."""
    return "null" if type_ == "null" else f"a {WORDS.get(type_, type_)}"
