"""A value as a driver or a file gives it, made to fit a type, or found not to. Sources, rules and examples alike.

Drivers differ: SQLite gives 0 and 1 for a bool, MySQL bytes for a bit, and a text column may hold numbers.
docs/source.md says what fits.
"""

import json
import math
import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from leadgate.model.words import ColumnType

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_BOOLS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on", "\x01"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off", "\x00"), False),
}
BYTES = (bytes, memoryview)
_PLAIN: dict[ColumnType, type] = {
    ColumnType.BOOL: bool,
    ColumnType.STRING: str,
    ColumnType.INT: int,
    ColumnType.DOUBLE: float,
}
_INT_MAX = 2**63
_EXACT_IN_DOUBLE = 2**53
# What CEL can hold; databases write "never" and "always" beyond it, such as 9999-12-31 23:59:59.999999.
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def fit(value: object, column_type: ColumnType, zone: tzinfo = UTC) -> Any:  # noqa: ANN401 - as column_type says
    """Give a value as `column_type`; None for null, and for what does not fit.

    A date and time that names no zone is of `zone`.
    """
    if value is None or fits_as_it_is(value, column_type):
        return value
    try:
        if isinstance(value, BYTES):
            value = bytes(value).decode()
        if column_type is ColumnType.TIMESTAMP:
            return _timestamp(value, zone)
        return _FITTING[column_type](value)
    except (ValueError, TypeError, ArithmeticError):
        return None


def fits_as_it_is(value: Any, column_type: ColumnType) -> bool:  # noqa: ANN401 - whatever is given
    """Whether a value is of `column_type` already, as nearly every one of a run: a quick look, which may miss some."""
    kind = type(value)
    if kind is not _PLAIN.get(column_type):
        return False
    fits: bool = True
    if kind is str:
        fits = value.isascii() and "\0" not in value
    elif kind is int:
        fits = -_INT_MAX <= value < _INT_MAX
    elif kind is float:
        fits = math.isfinite(value)
    return fits


def as_text(raw: bytes | memoryview) -> object:
    """Give bytes as the text that they are; as they came where they are none."""
    try:
        return bytes(raw).decode()
    except UnicodeDecodeError:
        return raw


def own_value(raw: object, fitted: Any) -> Any:  # noqa: ANN401 - as the source has it
    """Give a value that fits as the source has it, to be written: a date as that date, a number with all its digits.

    A text in a column of numbers or times stays that text. An instant that names its zone is in UTC, as rules see it.
    """
    match raw:
        case datetime():
            return fitted if raw.tzinfo else raw
        case date():
            return raw
        case Decimal() | int() if type(fitted) is float:
            return raw
        case str() if type(fitted) in {int, float, datetime}:
            return raw.strip()
        case _:
            return fitted


def number_text(value: float | Decimal) -> str | None:
    """Write a number without exponent or trailing zeros, so that 123.0 reads 123; None for NaN and infinity."""
    text = _digits(Decimal(repr(value)) if isinstance(value, float) else value)
    return text.rstrip("0").rstrip(".") if text and "." in text else text


def _digits(number: Decimal) -> str | None:
    return format(number, "f") if number.is_finite() else None


def _string(value: Any) -> str | None:  # noqa: ANN401 - whatever is given
    match value:
        case str():
            text: str | None = value
        case bool():
            text = "true" if value else "false"
        case float():
            text = number_text(value)
        case Decimal():
            text = _digits(value)
        case dict() | list():
            text = json.dumps(value, ensure_ascii=False, default=str)
        case date():
            text = value.isoformat()
        case timedelta():
            text = _span_text(value)
        case _:
            text = str(value)
    if text is None or "\0" in text:
        # CEL would cut the text there, and PostgreSQL has no NUL in text.
        return None
    # Half a surrogate pair is no text either.
    return text if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text) else None


def _span_text(span: timedelta) -> str:
    """Write a time of day, or a span, as databases do: 09:05:00, -26:00:00.5."""
    seconds, micro = divmod(abs(span) // timedelta(microseconds=1), 1_000_000)
    minutes, second = divmod(seconds, 60)
    text = f"{'-' * (span < timedelta())}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"
    return f"{text}.{micro:06d}".rstrip("0") if micro else text


def _int(value: Any) -> int | None:  # noqa: ANN401
    match value:
        case int():
            number = int(value)
        case float() if value.is_integer() and abs(value) <= _EXACT_IN_DOUBLE:
            number = int(value)
        # The size is looked at first: a whole Decimal may have a million digits.
        case Decimal() if value.is_finite() and abs(value) <= _INT_MAX and value == int(value):
            number = int(value)
        case str() if _WHOLE.fullmatch(value.strip()):
            number = int(value.strip())
        case _:
            return None
    return number if -_INT_MAX <= number < _INT_MAX else None


def _double(value: Any) -> float | None:  # noqa: ANN401
    match value:
        case int() if abs(value) > _EXACT_IN_DOUBLE:
            return None
        case int() | float() | Decimal():
            number = float(value)
        case str() if _NUMBER.fullmatch(value.strip()):
            number = float(value.strip())
        case _:
            return None
    return number if math.isfinite(number) else None


def _bool(value: Any) -> bool | None:  # noqa: ANN401
    """Only what plainly says yes or no: a 2 in a TINYINT(1) says neither."""
    match value:
        case int() | float() | Decimal():
            return bool(value) if value in {0, 1} else None
        case str():
            return _BOOLS.get(value.strip().lower())
        case _:
            return None


def _timestamp(value: Any, zone: tzinfo) -> datetime | None:  # noqa: ANN401
    """An instant in UTC; what names no zone is of `zone`, a date is its midnight, a number counts Unix seconds."""
    match value:
        case datetime():
            instant = value
        case date():
            instant = datetime(value.year, value.month, value.day, tzinfo=zone)
        case int() | float() | Decimal() if not isinstance(value, bool):
            # OSError is one of the platform's ways to say that the year is out of range.
            try:
                instant = datetime.fromtimestamp(float(value), UTC)
            except OSError:
                return None
        case str():
            instant = datetime.fromisoformat(value.strip())
        case _:
            return None
    instant = (instant.replace(tzinfo=zone) if instant.tzinfo is None else instant).astimezone(UTC)
    return min(max(instant, _FIRST), _LAST)


_FITTING = {
    ColumnType.STRING: _string,
    ColumnType.INT: _int,
    ColumnType.DOUBLE: _double,
    ColumnType.BOOL: _bool,
}
