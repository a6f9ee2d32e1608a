"""The time of day as leadgate is given it: a function that is handed in, so that a test can have its own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the present instant, with a zone."""


CLOCKS_AGREE = timedelta(minutes=2)
"""How far two clocks may differ for anything to be concluded from them."""


def utc_now() -> datetime:
    """The present instant, as the computer has it."""
    return datetime.now(UTC)
