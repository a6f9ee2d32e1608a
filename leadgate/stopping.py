"""Stopping gently: after SIGTERM or Ctrl-C nothing new is begun, and what is in flight gets a bounded time to end."""

import asyncio
import signal
import threading
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")

GRACE = timedelta(seconds=20)
"""How long requests in flight may go on after a signal; with what is recorded after them a run ends within 30 s."""
_GIVES_UP_AFTER = GRACE + timedelta(seconds=4)
"""How long after a signal anything may still be waited for, such as a database that does not answer."""


class Stop:
    """Whether the run was asked to stop, and until when its requests may still be answered."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.signal_name: str | None = None
        self.ends_at: float | None = None
        """Until when anything may be waited for, by `time.monotonic`; None before the signal."""
        self._scopes: set[asyncio.Timeout] = set()
        self._deadline: float | None = None

    def __bool__(self) -> bool:
        return self.requested.is_set()

    def request(self, signal_name: str) -> None:
        """Ask the run to stop; what is in flight is cut off when the grace is over."""
        if self:
            return
        self.signal_name = signal_name
        self.note_signal()
        self._deadline = asyncio.get_running_loop().time() + GRACE.total_seconds()
        for scope in self._scopes:
            scope.reschedule(self._deadline)
        self.requested.set()

    def note_signal(self) -> None:
        """Note when the signal came, also where the loop is held up by the very call that must end."""
        self.ends_at = self.ends_at or time.monotonic() + _GIVES_UP_AFTER.total_seconds()

    async def bounded(self, work: Awaitable[T]) -> T:
        """Wait for `work`; raise TimeoutError when a stop's grace ends first."""
        async with asyncio.timeout_at(self._deadline) as scope:
            self._scopes.add(scope)
            try:
                return await work
            finally:
                self._scopes.discard(scope)

    async def sleep(self, span: timedelta) -> None:
        """Sleep for a span, or until the run is asked to stop."""
        try:
            async with asyncio.timeout(span.total_seconds()):
                await self.requested.wait()
        except TimeoutError:
            pass


_PRESENT: ContextVar[Stop | None] = ContextVar("stop", default=None)


def is_stopping() -> bool:
    """Whether the run of this context has been asked to stop."""
    stop = _PRESENT.get()
    return stop is not None and stop.ends_at is not None


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Turn the first SIGTERM or SIGINT into a request to stop; the second ends the process as it always would.

    Signals reach the main thread only: elsewhere the run can be stopped by no signal, and ends like any thread.
    """
    stop = Stop()
    _PRESENT.set(stop)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ask(number: int, _frame: object) -> None:
        restore()
        stop.note_signal()
        loop.call_soon_threadsafe(stop.request, signal.Signals(number).name)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    # Not the loop's own handlers: they run when the loop does, which a database that is silent holds up.
    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        restore()
