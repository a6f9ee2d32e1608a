"""Many rows for one statement, in the form that each database reads fastest.

A statement with a thousand parameter sets costs the driver and SQLAlchemy far more than the database. PostgreSQL gets
the rows as one JSON document; SQLite, for which JSON is slow, in a temporary table for all statements that read it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Subquery,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    table,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from leadgate.ledger.instants import UtcDateTime, in_utc

_DOCUMENT = "given_rows"
"""The statement's parameter that holds the rows, on PostgreSQL."""


class ManyRows:
    """Rows of one shape, handed over to the statements of a transaction, which select from them.

    They have the names and types of columns of the ledger's tables, beside `more` that no table has.
    """

    def __init__(self, name: str, *columns: Column[Any], **more: TypeEngine[Any]) -> None:
        self._table = f"given_{name}"
        self._types: dict[str, TypeEngine[Any]] = {each.name: each.type for each in columns} | more
        self._instants = [name for name, kind in self._types.items() if isinstance(kind, UtcDateTime)]

    def rows(self, dialect: str, *names: str) -> Subquery:
        """The rows as something to select from, with a column for each of the `names`, or for all."""
        types = {name: self._types[name] for name in names} if names else self._types
        found: list[ColumnElement[Any]]
        if dialect == "sqlite":
            given = table(self._table, *map(column, types), schema="temp")
            found = [type_coerce(given.c[name], kind) for name, kind in types.items()]
        else:
            inside = [column(name, _inside(kind)) for name, kind in types.items()]
            document = cast(bindparam(_DOCUMENT, type_=Text()), JSON)
            record = func.json_to_recordset(document).table_valued(*inside)
            record = record.render_derived(name="record", with_types=True)
            found = [_taken_out(record.c[name], kind) for name, kind in types.items()]
        return select(*(one.label(name) for name, one in zip(types, found, strict=True))).subquery("given")

    def hand_over(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Hand rows over to the statements that follow in this transaction; return the parameters for them.

        JSON is to be written as `as_json`; what a row lacks is null. Sorted by lead: their entries are found faster so,
        and two runs that register the same leads cannot wait for each other in a circle.
        """
        rows = sorted(rows, key=itemgetter("lead_id"))
        for name in self._instants:
            rows = [row if row[name] is None else {**row, name: _instant(row[name])} for row in rows]
        if connection.dialect.name != "sqlite":
            return {_DOCUMENT: orjson.dumps(rows).decode()}
        names = list(self._types)
        connection.exec_driver_sql(f"create temp table if not exists {self._table} ({', '.join(names)})")
        connection.exec_driver_sql(f"delete from temp.{self._table}")  # noqa: S608 - a name of ours
        # One row a statement: of many it would be another for each number of them, and SQLite keeps each, values too.
        insert = f"insert into temp.{self._table} values ({', '.join('?' * len(names))})"  # noqa: S608
        if rows:
            connection.exec_driver_sql(insert, [tuple(map(row.get, names)) for row in rows])
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


def as_json(value: object) -> str | None:
    """A value of a JSON column; None is SQL's null."""
    return None if value is None else orjson.dumps(value).decode()


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever stands in the column
    """The value of a JSON column; orjson refuses half a surrogate pair, which json reads."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _instant(value: datetime) -> str:
    """An instant as SQLite keeps it, and as PostgreSQL reads it."""
    return in_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")
