"""An event loop whose time jumps to the next thing that is due: sleeps, rates and time-outs cost no waiting."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

# Time moves on a little with every round of the loop, as it does in life: rounding errors cannot stop it.
T = TypeVar("T")

_TICK = 1e-6


class _JumpingSelector(selectors.DefaultSelector):
    """Looks for events without waiting, and remembers how long it was asked to wait."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Skip the wait; without one to skip, wait for a real event."""
        if timeout is None:
            return super().select(None)
        self.skipped += max(timeout, 0) + _TICK
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at second 0 and never sleeps; only for code without real sockets."""

    def __init__(self) -> None:
        self._jumps = _JumpingSelector()
        super().__init__(self._jumps)

    def time(self) -> float:
        """Seconds since START."""
        return self._jumps.skipped


def now() -> datetime:
    """The running loop's time as an instant: the clock to inject."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)
