"""A value as the driver gives it, as a value of the type rules were promised. Pure."""

import json
import math
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from leadgate.model import ColumnType
from leadgate.source.ids import number_text

_BOOLS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on", b"\x01"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off", b"\x00"), False),
}


def convert(value: object, column_type: ColumnType, zone: tzinfo = UTC) -> Any:  # noqa: ANN401 - as column_type says
    """Give a value as `column_type`; None for null, and for what cannot be read as that type.

    A date and time that names no zone is of `zone`.
    """
    if value is None or type(value) is _AS_THEY_ARE.get(column_type):
        return value
    if isinstance(value, memoryview):
        value = bytes(value)
    try:
        if column_type is ColumnType.TIMESTAMP:
            return _timestamp(value, zone)
        return _CONVERTERS[column_type](value)
    except (ValueError, TypeError, ArithmeticError):
        return None


def _string(value: Any) -> str | None:  # noqa: ANN401 - whatever the driver gives
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return number_text(value)
        case bytes():
            return value.decode()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _int(value: Any) -> int | None:  # noqa: ANN401
    if isinstance(value, float | Decimal):
        return int(value) if value == int(value) else None
    return int(value)


def _double(value: Any) -> float | None:  # noqa: ANN401
    number = float(value)
    return number if math.isfinite(number) else None


def _bool(value: Any) -> bool | None:  # noqa: ANN401
    """Only what plainly says yes or no: a 2 in a TINYINT(1) says neither."""
    match value:
        case int() | float() | Decimal():
            return bool(value) if value in {0, 1} else None
        case str():
            return _BOOLS.get(value.strip().lower())
        case _:
            return _BOOLS.get(value)


def _timestamp(value: Any, zone: tzinfo) -> datetime:  # noqa: ANN401
    """An instant in UTC; what names no zone is of `zone`, a date is its midnight, a number counts Unix seconds."""
    match value:
        case datetime():
            instant = value
        case date():
            instant = datetime(value.year, value.month, value.day, tzinfo=zone)
        case int() | float() | Decimal():
            # OSError and OverflowError are the platform's ways to say that the year is out of range.
            try:
                return datetime.fromtimestamp(float(value), UTC)
            except OSError as error:
                raise ValueError from error
        case str():
            instant = datetime.fromisoformat(value.strip())
        case _:
            raise TypeError
    return (instant.replace(tzinfo=zone) if instant.tzinfo is None else instant).astimezone(UTC)


_CONVERTERS = {
    ColumnType.STRING: _string,
    ColumnType.INT: _int,
    ColumnType.DOUBLE: _double,
    ColumnType.BOOL: _bool,
}
_AS_THEY_ARE: dict[ColumnType, type] = {ColumnType.STRING: str, ColumnType.INT: int, ColumnType.BOOL: bool}
"""What a driver gives that needs no look: nearly every value of a run."""
