"""Connections to PostgreSQL that do not wait for ever: a server or a network that falls silent ends what was asked.

The system's own time-outs do not help where packets are still acknowledged and no answer comes. A read of the result
that goes on is not silent, however long it takes.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

_PATIENCE = "leadgate_patience"
_CONNECT_SECONDS = 10
_CONNECT_AT_LEAST = 2  # psycopg takes no less
_AT_LEAST_SECONDS = 1.0


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
        from leadgate.silent_connection import connection_class  # noqa: PLC0415 - loads psycopg, which SQLite does without

        patience, connections = self, connection_class(self.seconds)
        engine.update_execution_options(**{_PATIENCE: patience})

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: object, _record: object, args: Any, options: dict[str, Any]) -> object:  # noqa: ANN401
            asked = int(options.get("connect_timeout", 0)) or _CONNECT_SECONDS
            seconds = min(asked, max(_CONNECT_AT_LEAST, int(patience.seconds())))
            return connections.connect(*args, **{**options, "connect_timeout": seconds})


def end_with(engine: Engine, ends_at: Callable[[], float | None]) -> None:
    """Let an engine's connections wait no longer than the process may, once it is asked to end."""
    if patience := engine.get_execution_options().get(_PATIENCE):
        patience.ends_at = ends_at
