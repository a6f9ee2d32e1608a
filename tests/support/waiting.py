"""Waiting for something that another process or thread does."""

import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.01


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 30) -> None:
    """Return as soon as `condition` holds; fail, naming `what`, when it has not after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            msg = f"Waited {seconds:g} s in vain until {what}."
            raise AssertionError(msg)
        time.sleep(_PAUSE_SECONDS)
