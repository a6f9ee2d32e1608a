"""Instants as a column of stamps holds them, so that a database can compare the two. Pure."""

from datetime import date, datetime, tzinfo
from decimal import Decimal


def comparable(sample: object, instant: datetime, zone: tzinfo) -> object | None:
    """Give an instant as the column holds them, going by one of its values; never later, a second earlier at most.

    None where values like `sample` do not sort as their instants do.
    """
    match sample:
        case datetime():
            return instant if sample.tzinfo else instant.astimezone(zone).replace(tzinfo=None)
        case date():
            return instant.astimezone(zone).date()
        case int() | float() | Decimal() if not isinstance(sample, bool):
            return int(instant.timestamp() // 1)
        case str():
            return _comparable_text(sample, instant, zone)
        case _:
            return None


def _comparable_text(sample: str, instant: datetime, zone: tzinfo) -> str | None:
    try:
        found = datetime.fromisoformat(sample)
    except ValueError:
        return None
    local = instant.astimezone(found.tzinfo or zone).replace(tzinfo=None)
    date_alone, separator = sample[:10], sample[10:11]
    if date_alone.count("-") != 2:  # noqa: PLR2004 - a date without them sorts otherwise
        return None
    return local.isoformat(separator, "seconds") if separator else local.date().isoformat()
