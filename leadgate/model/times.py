"""How a column that is no date and time holds one: text in a format, or a count of (milli)seconds. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cached_property

EPOCH_S, EPOCH_MS = "epoch_s", "epoch_ms"
"""In place of a format: seconds or milliseconds since 1970, in UTC."""

_UNITS = {EPOCH_S: timedelta(seconds=1), EPOCH_MS: timedelta(milliseconds=1)}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRIAL = datetime(2023, 11, 28, 17, 58, 59, 123456, tzinfo=UTC)
# In order of time: texts of a format that are not in this order cannot be read forward.
_ASCENDING = [
    datetime(*parts, tzinfo=UTC)  # type: ignore[misc] # the zone comes last
    for parts in (
        (1999, 12, 31, 23, 59, 59),
        (2000, 1, 1, 0, 30),
        (2000, 1, 1, 1, 0),
        (2000, 1, 1, 9, 5),
        (2000, 1, 1, 12, 30),
        (2000, 1, 1, 13, 0),
        (2000, 2, 9),
        (2000, 2, 10),
        (2000, 4, 3),
        (2000, 8, 2),
        (2000, 12, 1),
        (2001, 1, 31),
    )
]
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_OF_TIME = re.compile(r"%[HIMSfpcX]")
_OF_ZONE = re.compile(r"%:?[zZ]")


_UNCLEAR = {
    "%x": "has %x, a date as the machine's language has it: write its parts, such as %d/%m/%Y",
    "%y": "has a year of two digits, whose century nobody can tell: give a `query:` that writes four, as %Y",
    "%Z": "has %Z, a zone by its letters, which says little: write %z for +01:00, or set source.time_zone",
}


def _half_of_a_day(code: str) -> str | None:
    if ("%I" in code) is not ("%p" in code):
        return "does not say the hour: write %H for hours up to 24, or %I with %p for AM and PM"
    return None


_NO_DIGITS_OF_ITS = re.compile(r"(?i)\.\d+|(z|[+-]\d\d:?\d\d)$")
_RUN_TOGETHER = re.compile(r"%[YmdHIMSfj]%[YmdHIMSfj]")
_WIDTH = 2


def _is_whole(text: str, written: str) -> bool:
    """Whether parts that follow each other with nothing between have all their digits, as `written` has them."""
    ours, theirs = (re.findall(r"\d+", _NO_DIGITS_OF_ITS.sub("", each)) for each in (text, written))
    return len(ours) == len(theirs) and all(
        one == other or (len(other) <= _WIDTH and one.zfill(len(other)) == other)
        for one, other in zip(ours, theirs, strict=True)
    )


@dataclass(frozen=True)
class TimeForm:
    """A form of instants: Python's format codes, such as `%d/%m/%Y %H:%M`, or `epoch_s` and `epoch_ms`."""

    code: str

    @property
    def is_count(self) -> bool:
        """Whether it is a number of seconds or milliseconds, not a format."""
        return self.code in _UNITS

    @property
    def names_no_zone(self) -> bool:
        """Whether it gives times whose zone stands elsewhere."""
        return not self.is_count and self._has_time and not _OF_ZONE.search(self.code)

    def fault(self) -> str | None:
        """Say why nothing can be read in this form; None where it can."""
        if self.is_count:
            return None
        try:
            text = _TRIAL.strftime(self.code)
            found = datetime.strptime(text, self.code)  # noqa: DTZ007 - the day alone is compared
        except (ValueError, re.error):
            return "is no format of Python's codes: write one such as %d/%m/%Y %H:%M, or epoch_ms"
        if found.date() != _TRIAL.date():
            return "gives no whole date: it needs year, month and day, such as %d/%m/%Y"
        return next((said for part, said in _UNCLEAR.items() if part in self.code), None) or _half_of_a_day(self.code)

    def read(self, raw: object, zone: tzinfo) -> tuple[datetime, date | datetime] | None:
        """Read a value: its instant in UTC, and the date or time as it was written; None where it cannot be read.

        What names no zone is of `zone`; a date is its midnight.
        """
        try:
            if self.is_count:
                instant = _EPOCH + _whole(raw) * _UNITS[self.code]
                return instant, instant
            text = str(raw).strip()
            found = datetime.strptime(text, self.code)  # noqa: DTZ007 - the zone comes next
            if self._runs_together and not _is_whole(text, found.strftime(self.code)):
                return None  # 2026112 is the second of November, or the twelfth of January
            instant = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, TypeError, ArithmeticError):
            return None
        if not self._has_time:
            return instant, found.date()
        return instant, instant if found.tzinfo else found

    @cached_property
    def sorts(self) -> bool:
        """Whether values are in the order of their instants, so that a database can find the newest."""
        if self.is_count:
            return True
        texts = [instant.strftime(self.code) for instant in _ASCENDING]
        return not _OF_ZONE.search(self.code) and texts == sorted(texts)

    def is_padded(self, raw: object) -> bool:
        """Whether a value is as long as all others, as it must be to be in their order; 9:05 is not."""
        text = str(raw).strip()
        try:
            return self.is_count or datetime.strptime(text, self.code).strftime(self.code) == text  # noqa: DTZ007
        except ValueError:
            return True  # no time at all, which is told elsewhere

    def write(self, instant: datetime, like: object, zone: tzinfo) -> object:
        """Give an instant as the column holds them, to be compared with `like`, one of its values; never later."""
        if self.is_count:
            value = (instant - _EPOCH) // _UNITS[self.code]
            return str(value) if isinstance(like, str) else value
        text = instant.astimezone(zone).strftime(self.code)
        return int(text) if isinstance(like, int) else text

    @cached_property
    def _runs_together(self) -> bool:
        """Whether parts follow each other with nothing between."""
        return bool(_RUN_TOGETHER.search(self.code))

    @cached_property
    def _has_time(self) -> bool:
        return bool(_OF_TIME.search(self.code))


def _whole(raw: object) -> int:
    """Read a whole number; raise ValueError where it is none."""
    match raw:
        case bool():
            pass
        case int() | float() | Decimal():
            return int(raw)
        case str() if _WHOLE.fullmatch(raw.strip()):
            return int(raw.strip())
    raise ValueError("no whole number")
