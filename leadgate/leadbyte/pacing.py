"""When the next request may be sent: its turn, and the pauses LeadByte asks for. What is sent is not known here."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from leadgate.clock import Clock

SHORT_PAUSE = timedelta(seconds=5)
"""Pauses up to this are waited out; longer ones are handed to the caller, so that no lease runs out meanwhile."""

TakeTurn = Callable[[], Awaitable[None]]
"""Waits until one more request may be sent to the account, whoever else sends to it."""

_LONGEST_PAUSE = timedelta(days=1)
"""A longer one is a mistake somewhere; after a day we may ask again."""

_LONGEST_HEADER = 100
# Beyond these, a day more may be no date.
_YEARS = range(1970, 9000)
_SECONDS = re.compile(r"\d+(\.\d*)?")


def read_clock(header: str | None) -> datetime | None:
    """The present by a Date header; None if there is none that can be read and reckoned with."""
    instant = read_date(header)
    return instant if instant and instant.year in _YEARS else None


def read_date(header: str | None) -> datetime | None:
    """The instant that an HTTP date names, in UTC; None if there is no header, or none that can be read."""
    try:
        named = parsedate_to_datetime((header or "").strip()[:_LONGEST_HEADER])
        # HTTP dates are GMT, also where the zone is left out.
        instant = named.astimezone(UTC) if named.tzinfo else named.replace(tzinfo=UTC)
    except (ValueError, OverflowError, LookupError, TypeError):
        return None
    return instant


def read_retry_after(header: str | None, now: datetime) -> datetime | None:
    """When a Retry-After header asks us to come back: seconds or an HTTP date, at most a day ahead.

    A date that has passed means now. None if there is no header, or none that can be read.
    """
    text = (header or "").strip()[:_LONGEST_HEADER]
    if _SECONDS.fullmatch(text):
        seconds = min(float(text), _LONGEST_PAUSE.total_seconds())
        return now + timedelta(seconds=seconds)
    named = read_date(text)
    return min(max(named, now), now + _LONGEST_PAUSE) if named else None


class Pace:
    """Lets requests through when their turn comes, and none while LeadByte has asked for a pause."""

    def __init__(self, *, clock: Clock, take_turn: TakeTurn | None) -> None:
        self._clock = clock
        self._take_turn = take_turn
        self._asked_at: datetime | None = None
        self._pause_until: datetime | None = None

    @property
    def paused_until(self) -> datetime | None:
        """The end of the pause LeadByte asked for; None when there is none, or it is over."""
        return self._pause_until if self._pause_left() else None

    def pause(self, until: datetime) -> None:
        """Send nothing before `until`; a pause that lasts longer stands."""
        now = self._clock()
        if until - now > self._pause_left():
            self._asked_at, self._pause_until = now, until

    async def wait_for_turn(self) -> datetime | None:
        """Wait until a request may be sent, and return None; or return at once when to come back, if that is long."""
        while True:
            left, until = self._pause_left(), self._pause_until
            if left > SHORT_PAUSE:
                return until
            await asyncio.sleep(left.total_seconds())
            if self._take_turn:
                await self._take_turn()
            # A request sent before ours may have met a pause while we waited.
            if self._pause_until == until:
                return None

    def _pause_left(self) -> timedelta:
        if self._asked_at is None or self._pause_until is None:
            return timedelta()
        now = self._clock()
        if now < self._asked_at:
            # The clock was set back: the pause is as long as it was, and not as much longer.
            self._asked_at, self._pause_until = now, self._pause_until - (self._asked_at - now)
        return max(self._pause_until - now, timedelta())
