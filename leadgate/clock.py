"""The time of day as leadgate is given it: a function that is handed in, so that a test can have its own."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present instant, with a zone."""


def utc_now() -> datetime:
    """The present instant, as the computer has it."""
    return datetime.now(UTC)
