"""A lead's id as text inside, and back as a value of the source's own column type. Nothing here reads a database.

LeadByte answers `"123"`, `123` and `{"123": ...}` for one and the same lead, and sources hold ids as integers,
decimals, text or UUIDs: `id_text` makes one text of them all, `bind_values` finds the way back.
"""

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, LargeBinary, Numeric, String, Uuid, bindparam, cast
from sqlalchemy.types import NullType, TypeEngine

from leadgate.model.ids import normal_id
from leadgate.model.values import number_text

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LARGEST = 2**63 - 1


class IdKind(Enum):
    """How the source compares its id column; the value is the type a looked-up id is bound as."""

    INTEGER = BigInteger()
    NUMBER = Numeric()
    TEXT = String()
    UUID = Uuid()
    ANY = NullType()
    """SQLite: a column may hold numbers and text at once, whatever it was declared as."""


def id_text(value: object) -> str | None:
    """Give an id as text (`123` for 123, 123.0 and "123"); None for what cannot be an id."""
    match value:
        case bool() | None:
            text = None
        case int() | UUID():
            text = str(value)
        case float() | Decimal():
            text = number_text(value)
        case str():
            text = value
        case _:
            text = None
    return normal_id(text) if text else None


def cursor_of(raw: object) -> str:
    """Write down an id as the driver gave it, so that reading may go on behind it another time."""
    return json.dumps(raw, default=str)


def cursor_at(kind: IdKind, cursor: str) -> Any:  # noqa: ANN401 - the kind's
    """Give back the id that was written down, to be bound as the kind's type."""
    value = json.loads(cursor)
    match kind:
        case IdKind.UUID:
            return UUID(value)
        case IdKind.NUMBER:
            return Decimal(str(value))
        case _:
            return value


def bound_value(raw: object, type_: TypeEngine[Any]) -> ColumnElement[Any]:
    """Bind a value as a driver gave it, to be compared with others of its column."""
    if isinstance(raw, str) and not raw.isascii():
        as_bytes = raw.encode(errors="surrogateescape")
        if as_bytes.decode(errors="ignore") != raw:  # not UTF-8, and in SQLite nevertheless
            return cast(bindparam(None, as_bytes, type_=LargeBinary()), String())
    return bindparam(None, raw, type_=type_)


def bind_values(kind: IdKind, ids: Iterable[str]) -> list[Any]:
    """Turn ids back into values of the column's type; those that no value reads as are left out: none can match."""
    return [value for lead_id in ids for value in _values(kind, lead_id)]


def _values(kind: IdKind, lead_id: str) -> Iterator[Any]:
    match kind:
        case IdKind.INTEGER:
            yield from _integers(lead_id)
        case IdKind.NUMBER:
            if _NUMBER.fullmatch(lead_id) and number_text(Decimal(lead_id)) == lead_id:
                yield Decimal(lead_id)
        case IdKind.UUID:
            if _UUID.fullmatch(lead_id):
                yield UUID(lead_id)
        case IdKind.TEXT:
            # PostgreSQL has no NUL in text, and says so with an error.
            if "\0" not in lead_id:
                yield lead_id
        case IdKind.ANY:
            yield lead_id
            yield from _integers(lead_id) or _fractions(lead_id)


def _integers(lead_id: str) -> list[int]:
    return [int(lead_id)] if _INTEGER.fullmatch(lead_id) and abs(int(lead_id)) <= _LARGEST else []


def _fractions(lead_id: str) -> list[float]:
    return [float(lead_id)] if "." in lead_id and _NUMBER.fullmatch(lead_id) else []
