"""Many rows as one parameter: they travel as a JSON document, which the database itself takes apart.

A statement with a thousand parameter sets costs the driver and SQLAlchemy far more than the database; one with a
document costs them the same for one row as for a thousand.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
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
    type_coerce,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.types import TypeEngine

from leadgate.ledger.schema import UtcDateTime, entries

Types = dict[str, TypeEngine[Any]]

DOCUMENT = "given_rows"
"""The statement's parameter that holds the rows, as `in_order` writes them."""


def given(engine: Engine, types: Types) -> Subquery:
    """The rows of a document as something to select from, with a column for each name."""
    rows = bindparam(DOCUMENT, type_=Text())
    found: list[ColumnElement[Any]]
    if engine.dialect.name == "sqlite":
        each = func.json_each(rows).table_valued("value", name="each")
        found = [type_coerce(func.json_extract(each.c.value, f"$.{name}"), kind) for name, kind in types.items()]
    else:
        inside = [column(name, _inside(kind)) for name, kind in types.items()]
        record = func.json_to_recordset(cast(rows, JSON)).table_valued(*inside)
        record = record.render_derived(name="record", with_types=True)
        found = [_taken_out(record.c[name], kind) for name, kind in types.items()]
    return select(*(one.label(name) for name, one in zip(types, found, strict=True))).subquery("given")


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


def in_order(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Write rows as the parameter that `given` reads: by lead, instants as SQLite keeps them, JSON as `as_json`.

    In one order, so that two runs that write the same leads wait for each other, and never in a circle.
    """
    ordered = sorted(rows, key=lambda row: str(row["lead_id"]))
    return {DOCUMENT: json.dumps(ordered, default=_instant)}


def as_json(value: object) -> str | None:
    """A value of a JSON column inside a document; None is SQL's null."""
    return None if value is None else json.dumps(value)


def _instant(value: object) -> str:
    if not isinstance(value, datetime):
        msg = f"{type(value).__name__} has no place in a document"
        raise TypeError(msg)
    if value.tzinfo is None:
        msg = f"{value!r} has no time zone"
        raise ValueError(msg)
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
