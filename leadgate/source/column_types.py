"""How a database's column types become the types rules know. Types only: values are read in model/values.py.

docs/source.md holds the same as a table. What has no place in it (JSON, bytes, arrays, intervals) is not offered
to rules unless the pipeline file says under `types:` what to read it as.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Enum, Float, Integer, Numeric, String, Uuid
from sqlalchemy.types import CHAR, NullType, TypeEngine

from leadgate.model import ColumnType
from leadgate.source.ids import IdKind


@dataclass(frozen=True, slots=True)
class NativeType:
    """A column's type: its own name, what rules see it as, how ids in it compare; None where it does not serve."""

    name: str
    column_type: ColumnType | None = None
    id_kind: IdKind | None = None
    padded: bool = False
    """Filled up with blanks that mean nothing (PostgreSQL's char(n))."""
    holds_any: bool = False
    """Values of any kind may stand in it: SQLite's do, whatever their column says."""


# In this order, since some are kinds of those below them.
_REFLECTED: tuple[tuple[type[TypeEngine[Any]], ColumnType | None, IdKind | None], ...] = (
    (Boolean, ColumnType.BOOL, None),
    (Enum, ColumnType.STRING, None),
    (Uuid, ColumnType.STRING, IdKind.UUID),
    (String, ColumnType.STRING, IdKind.TEXT),
    (Integer, ColumnType.INT, IdKind.INTEGER),
    (Float, ColumnType.DOUBLE, IdKind.NUMBER),
    (Numeric, ColumnType.DOUBLE, IdKind.NUMBER),
    (DateTime, ColumnType.TIMESTAMP, None),
    (Date, ColumnType.TIMESTAMP, None),
)


def from_sqlalchemy(type_: TypeEngine[Any], dialect: str) -> NativeType:
    """The type of a reflected column of a table or view."""
    # By name: loading a dialect's types loads its drivers, whichever database the source is.
    if type_.__visit_name__ == "DOMAIN":
        type_ = type_.data_type  # type: ignore[attr-defined]
    name = "of a type that is not known" if isinstance(type_, NullType) else type(type_).__name__
    match type_:
        case _ if (type_.__visit_name__, _width(type_)) in {("TINYINT", 1), ("BIT", 1)}:
            return NativeType(name, ColumnType.BOOL)
        case Numeric(scale=0):
            return NativeType(name, ColumnType.INT, IdKind.NUMBER)
        case Uuid() if dialect in {"mysql", "mariadb"}:
            # MariaDB compares a UUID with text, and takes no other.
            return NativeType(name, ColumnType.STRING, IdKind.TEXT)
        case CHAR() if dialect == "postgresql":
            return NativeType(name, ColumnType.STRING, IdKind.TEXT, padded=True)
        case _:
            row = next((row for row in _REFLECTED if isinstance(type_, row[0])), (None, None, None))
            return NativeType(name, *row[1:])


def _width(type_: TypeEngine[Any]) -> int | None:
    """How many digits or bits a type of MySQL has."""
    width: int | None = getattr(type_, "display_width", None) or getattr(type_, "length", None)
    return width


_SQLITE = (
    (r"BLOB|JSON|ARRAY|INTERVAL|POINT", None),
    (r"BOOL", ColumnType.BOOL),
    (r"TIMESTAMP|DATE", ColumnType.TIMESTAMP),
    (r"INT|(NUMERIC|DECIMAL)\s*\(\s*\d+\s*(,\s*0\s*)?\)", ColumnType.INT),
    (r"CHAR|CLOB|TEXT|STRING|UUID|ENUM", ColumnType.STRING),
    (r"REAL|FLOA|DOUB|NUM|DEC", ColumnType.DOUBLE),
)


def from_sqlite(declared: str) -> NativeType:
    """The type of a SQLite column by its declaration, which is empty for an expression and binds no value."""
    found = next((type_ for words, type_ in _SQLITE if re.search(words, declared, re.IGNORECASE)), None)
    is_no_id = found in {ColumnType.BOOL, ColumnType.TIMESTAMP} or "BLOB" in declared.upper()
    return NativeType(
        declared or "an expression without a type", found, None if is_no_id else IdKind.ANY, holds_any=True
    )


_POSTGRESQL = {
    "bool": (ColumnType.BOOL, None),
    "int2": (ColumnType.INT, IdKind.INTEGER),
    "int4": (ColumnType.INT, IdKind.INTEGER),
    "int8": (ColumnType.INT, IdKind.INTEGER),
    "float4": (ColumnType.DOUBLE, IdKind.NUMBER),
    "float8": (ColumnType.DOUBLE, IdKind.NUMBER),
    "numeric": (ColumnType.DOUBLE, IdKind.NUMBER),
    "uuid": (ColumnType.STRING, IdKind.UUID),
    "date": (ColumnType.TIMESTAMP, None),
    "timestamp": (ColumnType.TIMESTAMP, None),
    "timestamptz": (ColumnType.TIMESTAMP, None),
}


def from_postgresql(name: str, category: str, scale: int | None) -> NativeType:
    """The type of a query's column, by its name and category in pg_type."""
    if name == "numeric" and scale == 0:
        return NativeType(name, ColumnType.INT, IdKind.NUMBER)
    if name in _POSTGRESQL:
        return NativeType(name, *_POSTGRESQL[name])
    if category == "S":
        return NativeType(name, ColumnType.STRING, IdKind.TEXT, padded=name == "bpchar")
    return NativeType(name, ColumnType.STRING if category == "E" else None)


# The codes of the MySQL protocol, which every driver passes on.
_MYSQL_BIT, _MYSQL_TINY, _MYSQL_DECIMAL = 16, 1, 246
_MYSQL_TYPES: dict[int, tuple[ColumnType, IdKind | None]] = {
    **dict.fromkeys((1, 2, 3, 8, 9), (ColumnType.INT, IdKind.INTEGER)),
    **dict.fromkeys((0, 4, 5, 246), (ColumnType.DOUBLE, IdKind.NUMBER)),
    **dict.fromkeys((7, 10, 12, 14), (ColumnType.TIMESTAMP, None)),
    **dict.fromkeys((15, 247, 248, 249, 250, 251, 252, 253, 254), (ColumnType.STRING, IdKind.TEXT)),
}

_MYSQL_NAMES = {11: "time", 13: "year", 255: "geometry"}
"""Those that rules cannot read."""


def from_mysql(code: int, length: int | None, scale: int | None) -> NativeType:
    """The type of a query's column, by its protocol code; text and bytes share one, so bytes pass for text."""
    name = _MYSQL_NAMES.get(code, f"MySQL type {code}")
    if code in {_MYSQL_BIT, _MYSQL_TINY} and length == 1:
        return NativeType(name, ColumnType.BOOL)
    if code == _MYSQL_DECIMAL and scale == 0:
        return NativeType(name, ColumnType.INT, IdKind.NUMBER)
    return NativeType(name, *_MYSQL_TYPES.get(code, (None, None)))
