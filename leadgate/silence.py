"""Connections to PostgreSQL that do not wait for ever: a server or a network that falls silent ends what was asked.

The system's own time-outs do not help where packets are still acknowledged and no answer comes. A read of the result
that goes on is not silent, however long it takes.
"""

import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg
from sqlalchemy import Engine, event

Wait = Generator[Any, Any, Any]
"""What psycopg waits with: it yields what it waits for, and is told now and then what is ready, if anything."""

_PATIENCE = "leadgate_patience"
_CONNECT_SECONDS = 10
_CONNECT_AT_LEAST = 2  # psycopg takes no less
_AT_LEAST_SECONDS = 1.0


class SilentError(psycopg.OperationalError):
    """The server has not answered in time: the connection is closed."""


class Patience:
    """How long an engine's connections wait for a server that says nothing; less when the process is about to end."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.ends_at: Callable[[], float | None] = lambda: None
        """Until when the process may wait at all, by `time.monotonic`; None as long as nobody has asked it to end."""

    def seconds(self) -> float:
        """How long a server may be silent from now on."""
        ends_at = self.ends_at()
        if ends_at is None:
            return self._seconds
        return min(self._seconds, max(_AT_LEAST_SECONDS, ends_at - time.monotonic()))

    def bound(self, engine: Engine) -> None:
        """Let every connection of an engine wait no longer than this; the engine's driver is psycopg."""
        patience = self
        engine.update_execution_options(**{_PATIENCE: patience})

        class Connection(psycopg.Connection[Any]):
            def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as psycopg's own
                try:
                    return super().wait(_bounded(gen, patience), *args, **kwargs)
                except SilentError:
                    self.pgconn.finish()
                    raise

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: object, _record: object, args: Any, options: dict[str, Any]) -> object:  # noqa: ANN401
            asked = int(options.get("connect_timeout", 0)) or _CONNECT_SECONDS
            seconds = min(asked, max(_CONNECT_AT_LEAST, int(patience.seconds())))
            return Connection.connect(*args, **{**options, "connect_timeout": seconds})


def end_with(engine: Engine, ends_at: Callable[[], float | None]) -> None:
    """Let an engine's connections wait no longer than the process may, once it is asked to end."""
    if patience := engine.get_execution_options().get(_PATIENCE):
        patience.ends_at = ends_at


def _bounded(gen: Wait, patience: Patience) -> Wait:
    """Wait as `gen`, and raise SilentError when nothing has been ready for too long. It is asked every 0.1 s."""
    heard_at = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            now = time.monotonic()
            if ready:
                heard_at = now
            elif now - heard_at >= patience.seconds():
                gen.close()
                msg = f"timed out: no answer for {now - heard_at:.0f} s"
                raise SilentError(msg)
            wanted = gen.send(ready)
    except StopIteration as over:
        return over.value
