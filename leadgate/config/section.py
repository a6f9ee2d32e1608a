"""What every section of the pipeline file shares: unknown keys are errors, and durations read `15m`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,9})([smhd])")
_LONGEST = timedelta(days=36500)


def parse_duration(text: object) -> timedelta:
    """Read `90s`, `15m`, `24h` or `7d`; raise ValueError that says so for anything else."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        msg = f"{text!r} is not a duration: write a whole number and s, m, h or d, such as 90s, 15m, 24h or 7d"
        raise ValueError(msg)
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > _LONGEST:
        msg = f"{text!r} is longer than a hundred years, which no calendar is sure to hold: write 36500d at most"
        raise ValueError(msg)
    return span


Duration = Annotated[timedelta, BeforeValidator(lambda v: v if isinstance(v, timedelta) else parse_duration(v))]


class Section(BaseModel):
    """A part of the file: unknown keys are errors, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
