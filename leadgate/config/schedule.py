"""The shape of `schedule:`: when release-leads runs on a server, in place of every 5 minutes."""

import re
from collections.abc import Sequence
from datetime import timedelta

from pydantic import field_validator, model_validator

from leadgate.config.section import Duration, Section, Unfit
from leadgate.config.zone import checked_zone

_SHORTEST = timedelta(seconds=10)
_LONGEST = timedelta(days=7)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Sequence[tuple[str, int, int, Sequence[str]]] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


class ScheduleConfig(Section):
    """When the deployment release-leads runs by the clock: `every` so long, or by `cron` in a time zone."""

    every: Duration | None = None
    cron: str | None = None
    time_zone: str = "UTC"

    _is_a_zone = field_validator("time_zone")(checked_zone)

    @field_validator("every")
    @classmethod
    def _is_bearable(cls, every: timedelta | None) -> timedelta | None:
        if every is not None and not _SHORTEST <= every <= _LONGEST:
            msg = "must be 10s to 7d: a run takes seconds to start, and leads should not wait for weeks"
            raise ValueError(msg)
        return every

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, cron: str | None) -> str | None:
        if cron is None:
            return None
        fields = cron.split()
        if len(fields) != len(_FIELDS):
            msg = "has not five fields: minute, hour, day, month and day of the week, such as */5 8-18 * * 1-5"
            raise Unfit(msg)
        values = [_values(text, *field) for text, field in zip(fields, _FIELDS, strict=True)]
        days, months = values[2], values[3]
        if fields[4].startswith("*") and min(days) > max(_LONGEST_MONTHS.get(month, 31) for month in months):
            msg = "names a day that its months do not have: no run would ever begin"
            raise Unfit(msg)
        return " ".join(fields)

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "ScheduleConfig":
        if (self.every is None) == (self.cron is None):
            how_many = "neither `every` nor `cron` is" if self.every is None else "`every` and `cron` are both"
            msg = f"{how_many} given: write one of them, such as {{every: 5m}} or {{cron: '*/5 8-18 * * 1-5'}}"
            raise ValueError(msg)
        if self.every is not None and "time_zone" in self.model_fields_set:
            msg = "`time_zone` goes with `cron`, not with `every`: leave it out"
            raise ValueError(msg)
        return self


def _values(text: str, name: str, low: int, high: int, names: Sequence[str]) -> set[int]:
    """Read one field: numbers, names and ranges with commas between them, each with a step where there is one."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(\*|(\w+)(?:-(\w+))?)(?:/([0-9]{1,2}))?", part, re.ASCII)
        step = int(match[4] or 1) if match else 0
        first = _number(match[2], low, names) if match and match[2] else low
        last = _number(match[3], low, names) if match and match[3] else high if match and match[1] == "*" else first
        if match and match[4] and match[2] and not match[3]:
            last = high
        if not step or first is None or last is None or not low <= first <= last <= high:
            words = f" or {names[0]} to {names[-1]}" if names else ""
            msg = f"has a wrong {name}: write *, or {low} to {high}{words}, with , - and / between"
            raise Unfit(msg)
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, low: int, names: Sequence[str]) -> int | None:
    if text.lower() in names:
        return low + names.index(text.lower())
    return int(text) if re.fullmatch("[0-9]{1,2}", text) else None
