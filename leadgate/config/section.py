"""What every section of the pipeline file shares: unknown keys are errors, and durations read `15m`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from leadgate.errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
DURATION = "([0-9]{1,9})([smhd])"
"""The pattern of a duration."""
_DURATION = re.compile(DURATION)
_LONGEST = timedelta(days=36500)


class Unfit(ValueError):
    """What is wrong with a value, said without it: "is no time zone". Whoever may show the value puts it before."""


def read_duration(text: str, name: str) -> timedelta:
    """As `parse_duration`, of a parameter; raise ConfigError that names it."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None


def parse_duration(text: object) -> timedelta:
    """Read `90s`, `15m`, `24h` or `7d`; raise ValueError that says so for anything else."""
    try:
        return _read_duration(text)
    except ValueError as error:
        raise ValueError(f"{text!r} {error}") from None


def _read_duration(text: object) -> timedelta:
    """As `parse_duration`; the text of the error does not quote what was written."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise Unfit("is not a duration: write a whole number and s, m, h or d, such as 90s, 15m, 24h or 7d")
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > _LONGEST:
        raise Unfit("is longer than a hundred years, which no calendar is sure to hold: write 36500d at most")
    return span


def in_largest_unit(span: timedelta) -> str:
    """Write a span as a file would have it, in the largest unit below a day in which it is a whole number."""
    seconds = int(span.total_seconds())
    size, unit = next((size, unit) for size, unit in [(3600, "h"), (60, "m"), (1, "s")] if seconds % size == 0)
    return f"{seconds // size}{unit}" if seconds else "0s"


def shortened(condition: str) -> str:
    """Write a condition or a calculation on one line, of 80 characters at most."""
    text = " ".join(condition.split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


LONGEST_SHOWN = 80
"""Characters of a condition that messages show."""


Duration = Annotated[timedelta, BeforeValidator(lambda v: v if isinstance(v, timedelta) else _read_duration(v))]


class Section(BaseModel):
    """A part of the file: unknown keys are errors, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Block(Section):
    """A reference to a Prefect block, KIND/NAME: blocks.py puts what it holds in its place."""

    block: str
