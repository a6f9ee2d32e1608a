"""A relation of the pipeline file, held against the database: either it can be read, or every fault is named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, LargeBinary, cast, func, select

from leadgate.errors import SourceError
from leadgate.model import ColumnType
from leadgate.model.ids import UNSEEN
from leadgate.model.times import TimeForm
from leadgate.source.column_types import NativeType
from leadgate.source.describe import Place, describe, rows_of
from leadgate.source.ids import IdKind
from leadgate.suggest import if_it_is_new, suggest


@dataclass(frozen=True, slots=True)
class KnownRelation:
    """A relation whose columns are known, whether or not the database can be reached."""

    place: Place
    native: Mapping[str, NativeType]
    """Every column as the database has it."""
    types: Mapping[str, ColumnType]
    """What rules and updates read each column as."""

    @property
    def forms(self) -> Mapping[str, TimeForm]:
        """How columns hold instants that are text or milliseconds."""
        return self.place.config.time_forms

    @property
    def where(self) -> str:
        """The relation as messages name it."""
        return self.place.where

    @property
    def unusable(self) -> dict[str, str]:
        """Columns that rules and updates cannot read, and what the database says they are."""
        return {name: type_.name for name, type_ in self.native.items() if name not in self.types}


@dataclass(frozen=True, slots=True)
class ReadableRelation(KnownRelation):
    """A relation that can be read: every column in `types` is there and is read as that type."""

    dialect: str
    rows: FromClause
    id_kind: IdKind

    @property
    def id(self) -> ColumnElement[Any]:
        """The id as it is compared and sorted, so that its index serves."""
        return self.rows.c[self.place.config.id]

    @property
    def id_value(self) -> ColumnElement[Any]:
        """The id as it is read."""
        return self.value(self.place.config.id)

    @property
    def normal_id(self) -> ColumnElement[Any]:
        """The id as `normal_id` in leadgate/model/ids.py gives it, of a column of text."""
        match self.dialect:
            case "sqlite":
                return func.leadgate_id(cast(self.id_value, LargeBinary))
            case "postgresql":
                return func.regexp_replace(self.id_value, UNSEEN, "", "g")
            case _:
                return func.regexp_replace(self.id_value, re.sub(r"\\(?:u(\w{4})|U(\w{8}))", r"\\x{\1\2}", UNSEEN), "")

    def value(self, name: str) -> ColumnElement[Any]:
        """A column as it is read."""
        return func.rtrim(self.rows.c[name]) if self.native[name].padded else self.rows.c[name]


def reflect(connection: Connection, place: Place, instants: Mapping[str, str]) -> ReadableRelation:
    """Hold a relation against the database; raise SourceError as `hold_against` does."""
    known = hold_against(describe(connection, place), place, instants)
    rows = rows_of(connection, place, known.native)
    # A column can be seen without the right to read it.
    connection.execute(select(*(rows.c[name] for name in known.types)).limit(0)).close()
    id_kind = known.native[place.config.id].id_kind
    assert id_kind  # noqa: S101 - hold_against has seen to it
    return ReadableRelation(
        place=place,
        native=known.native,
        types=known.types,
        dialect=connection.dialect.name,
        rows=rows,
        id_kind=id_kind,
    )


def hold_against(native: Mapping[str, NativeType], place: Place, instants: Mapping[str, str]) -> KnownRelation:
    """Hold what the file says of a relation against its columns; raise SourceError with every fault, a line each.

    `instants` are the columns that must hold a date and time, by their key in the file.
    """
    config, new = place.config, if_it_is_new(place.known_from)
    types = {name: type_.column_type for name, type_ in native.items() if type_.column_type} | config.column_types
    types |= dict.fromkeys(instants.values(), ColumnType.TIMESTAMP)
    named = [("id", config.id), *((f"types.{name}", name) for name in config.types), *instants.items()]
    problems = [
        f"{place.path}.{key}: {place.where} has no column `{name}`; {suggest(name, native)}{new}"
        for key, name in named
        if name not in native
    ]
    id_type = native.get(config.id)
    if id_type and not id_type.id_kind:
        problems.append(
            f"{place.path}.id: column `{config.id}` of {place.where} is {id_type.name}, and an id is a whole number, "
            "text or a UUID. Name another column, or give a `query:` that casts this one."
        )
    problems += [
        f"{place.path}.{key}: column `{name}` of {place.where} {_no_instant(native[name], declared, name)}"
        for key, name in instants.items()
        if name in native and not _can_hold_instants(native[name], declared := config.column_types.get(name))
    ]
    forms = config.time_forms
    problems += [
        f"{place.path}.types.{name}: column `{name}` of {place.where} is {native[name].name}{_no_form(native[name])}"
        for name, form in forms.items()
        if name in native and not _can_hold_form(native[name], form)
    ]
    if problems:
        raise SourceError("\n".join(problems))
    return KnownRelation(place, native, types)


def _no_instant(native: NativeType, declared: ColumnType | None, name: str) -> str:
    if declared:
        return f"is read as {declared} by its `types:`, not as a date and time: correct that, or leave it out."
    seconds = f"If it counts Unix seconds, say so: `types: {{{name}: timestamp}}`."
    return f"is {native.name}, not a date and time. {seconds}"


def _no_form(native: NativeType) -> str:
    if native.column_type is ColumnType.TIMESTAMP:
        return " already, and has no format: leave it out of `types:`."
    return ", which cannot be read like this: a format is for text or whole numbers, epoch_s and epoch_ms for both."


def _can_hold_form(native: NativeType, form: TimeForm) -> bool:
    """Whether a column may hold text in a format, or milliseconds."""
    numbers = {ColumnType.INT, ColumnType.DOUBLE} if form.is_count else {ColumnType.INT}
    return native.holds_any or native.column_type in {ColumnType.STRING, *numbers}


def _can_hold_instants(native: NativeType, declared: ColumnType | None) -> bool:
    """Whether a column may be read as instants: text may hold dates, and a SQLite expression has no type at all."""
    if declared or native.column_type:
        return (declared or native.column_type) in {ColumnType.TIMESTAMP, ColumnType.STRING}
    return native.id_kind is IdKind.ANY
