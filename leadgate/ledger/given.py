"""Many rows for one statement: each database is given them in the way that it takes apart fastest.

A statement with a thousand parameter sets costs the driver and SQLAlchemy far more than the database. PostgreSQL is
given the rows as one JSON document; SQLite, to which JSON is dear, in a temporary table, once for all the statements
that read it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    select,
    table,
    type_coerce,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.types import TypeEngine

from leadgate.ledger.schema import UtcDateTime, entries

Types = dict[str, TypeEngine[Any]]

_DOCUMENT = "given_rows"
"""The statement's parameter that holds the rows, on PostgreSQL."""
_MOST_PARAMETERS = 32_766
"""SQLite's limit for a statement, unless it was built with another."""


class Given:
    """Rows of one shape, to be given to a statement and selected from in it."""

    def __init__(self, name: str, types: Types) -> None:
        self._table = f"given_{name}"
        self._types = types
        self._instants = [name for name, kind in types.items() if isinstance(kind, UtcDateTime)]

    def rows(self, engine: Engine, *names: str) -> Subquery:
        """The rows as something to select from, with a column for each of the `names`, or for all."""
        types = {name: self._types[name] for name in names} if names else self._types
        found: list[ColumnElement[Any]]
        if engine.dialect.name == "sqlite":
            given = table(self._table, *map(column, types), schema="temp")
            found = [type_coerce(given.c[name], kind) for name, kind in types.items()]
        else:
            inside = [column(name, _inside(kind)) for name, kind in types.items()]
            document = cast(bindparam(_DOCUMENT, type_=Text()), JSON)
            record = func.json_to_recordset(document).table_valued(*inside)
            record = record.render_derived(name="record", with_types=True)
            found = [_taken_out(record.c[name], kind) for name, kind in types.items()]
        return select(*(one.label(name) for name, one in zip(types, found, strict=True))).subquery("given")

    def give(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Hand rows over for the statements that follow in this transaction; return the parameters for them.

        Ordered by lead, so that two runs that write the same leads wait for each other, and never in a circle.
        JSON is to be written as `as_json`; what a row lacks is null.
        """
        ordered = sorted(rows, key=itemgetter("lead_id"))
        if self._instants:
            ordered = [{**row, **{name: _instant(row[name]) for name in self._instants}} for row in ordered]
        if connection.dialect.name != "sqlite":
            return {_DOCUMENT: orjson.dumps(ordered).decode()}
        names = list(self._types)
        connection.exec_driver_sql(f"create temp table if not exists {self._table} ({', '.join(names)})")
        connection.exec_driver_sql(f"delete from temp.{self._table}")  # noqa: S608 - a name of ours
        at_once = _MOST_PARAMETERS // len(names)
        one = f"({', '.join('?' * len(names))})"
        for start in range(0, len(ordered), at_once):
            chunk = ordered[start : start + at_once]
            values = [value for row in chunk for value in map(row.get, names)]
            insert = f"insert into temp.{self._table} values {', '.join([one] * len(chunk))}"  # noqa: S608
            connection.exec_driver_sql(insert, tuple(values))
        return {}


def _inside(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """What PostgreSQL reads a value as: JSON as text, in which what no text may hold (NUL) stays escaped."""
    if isinstance(kind, UtcDateTime):
        return DateTime()
    return Text() if isinstance(kind, JSON) else kind


def _taken_out(value: ColumnElement[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    if isinstance(kind, UtcDateTime):
        return func.timezone("UTC", value)
    return cast(value, kind) if isinstance(kind, JSON) else value


def key_is(row: ReadOnlyColumnCollection[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether an entry is the one a given row is about.

    The rows carry the pipeline too: SQLite, told it by a parameter, goes through the pipeline's entries instead.
    """
    return and_(entries.c.pipeline == row.pipeline, entries.c.lead_id == row.lead_id)


def as_json(value: object) -> str | None:
    """A value of a JSON column; None is SQL's null."""
    return None if value is None else orjson.dumps(value).decode()


def _instant(value: datetime | None) -> str | None:
    """An instant as SQLite keeps it, and as PostgreSQL reads it."""
    if value is None:
        return None
    if value.tzinfo is None:
        msg = f"{value!r} has no time zone"
        raise ValueError(msg)
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
