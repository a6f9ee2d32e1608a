"""Makes a value of the database fit the type its column is declared with, without loss, or says that it does not.

Drivers differ: SQLite gives 0 and 1 for a bool, MySQL bytes for a bit, and a text column may hold numbers.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from leadgate.model import ColumnType

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_BOOLS = {"true": True, "t": True, "yes": True, "y": True, "1": True} | {
    "false": False,
    "f": False,
    "no": False,
    "n": False,
    "0": False,
}
_INT_MAX = 2**63
_EXACT_IN_DOUBLE = 2**53
# What CEL can hold; databases write "never" and "always" beyond it, such as 9999-12-31 23:59:59.999999.
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def fact(value: Any) -> str | int | float | bool | None:  # noqa: ANN401
    """Give a value that fitted as JSON can hold it; times in ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    kept: str | int | float | bool | None = value
    return kept


def told(value: Any) -> str:  # noqa: ANN401
    """Write a value that fitted, or None, into a reason."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(fact(value))


def _string(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        # Python refuses to write out numbers of thousands of digits.
        return str(value) if abs(value) < _INT_MAX else None
    if isinstance(value, float | Decimal | UUID):
        return str(value)
    if not isinstance(value, str):
        return None
    # CEL would cut the text at a NUL, and cannot take half a surrogate pair.
    if value.isascii():
        return value if "\0" not in value else None
    return value if "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value) else None


def _int(value: object) -> int | None:
    number: int | None = None
    if isinstance(value, int):
        number = int(value)
    elif isinstance(value, float):
        number = int(value) if value.is_integer() and abs(value) <= _EXACT_IN_DOUBLE else None
    elif isinstance(value, Decimal):
        # The size is looked at first: a whole Decimal may have a million digits.
        number = int(value) if value.is_finite() and abs(value) < _INT_MAX and value == int(value) else None
    elif isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        number = int(value.strip())
    return number if number is not None and -_INT_MAX <= number < _INT_MAX else None


def _double(value: object) -> float | None:
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, int):
        return float(value) if abs(value) <= _EXACT_IN_DOUBLE else None
    number = math.nan
    if isinstance(value, Decimal) and not value.is_snan():
        number = float(value)
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value.strip())
    return number if math.isfinite(number) else None


def _bool(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, bytes) and len(value) == 1 and value[0] in {0, 1}:
        return bool(value[0])
    if isinstance(value, int | float) and value in {0, 1}:
        return bool(value)
    if isinstance(value, Decimal) and value.is_finite() and value in {0, 1}:
        return bool(value)
    return _BOOLS.get(value.strip().lower()) if isinstance(value, str) else None


def timestamp(value: object) -> datetime | None:
    """Give an instant in UTC; one without a zone is taken as UTC, a date as its midnight."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        try:
            at = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except (OverflowError, ValueError):
            return None
        return min(max(at, _FIRST), _LAST)
    if isinstance(value, date):
        return min(max(datetime.combine(value, time(), UTC), _FIRST), _LAST)
    return None


FITTING: Mapping[ColumnType, Callable[[Any], Any]] = {
    ColumnType.STRING: _string,
    ColumnType.INT: _int,
    ColumnType.DOUBLE: _double,
    ColumnType.BOOL: _bool,
    ColumnType.TIMESTAMP: timestamp,
}
"""For each type the function that gives a value as that type, or None when it does not fit."""
