"""Waiting for something that another process or thread does."""

import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 1


def wait_until(
    condition: Callable[[], bool], *, what: str, seconds: float = 30, found: Callable[[], object] | None = None
) -> None:
    """Return as soon as `condition` holds; fail, naming `what` and what was `found`, when it has not after `seconds`.

    What takes long to ask is asked more seldom: a server that is asked all the time does not get on with its work.
    """
    end = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if condition():
            return
        ended = time.monotonic()
        if ended > end:
            told = f" Found: {found()}." if found else ""
            raise AssertionError(f"Waited {seconds:g} s in vain until {what}.{told}")
        time.sleep(min(_LONGEST_PAUSE_SECONDS, max(_PAUSE_SECONDS, 4 * (ended - began))))
