"""Connections that do not wait for ever: a server or a network that falls silent ends what was asked.

The system's own time-outs do not help where packets are still acknowledged and no answer comes. A read of the result
that goes on is not silent, however long it takes.
"""

import time
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

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

    def is_over(self) -> bool:
        """Whether nothing may be waited for any more."""
        ends_at = self.ends_at()
        return ends_at is not None and time.monotonic() >= ends_at

    def bound(self, engine: Engine) -> None:
        """Let every connection of an engine wait no longer than this; the drivers that it knows are ours."""
        engine.update_execution_options(**{_PATIENCE: self})
        match engine.driver:
            case "psycopg":
                self._bound_postgresql(engine)
            case "pymysql":
                self._bound_mysql(engine)

    def _bound_postgresql(self, engine: Engine) -> None:
        from leadgate.silent_connection import connection_class  # noqa: PLC0415 - loads psycopg, which SQLite does without

        connections = connection_class(self.seconds)

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: object, _record: object, args: Any, options: dict[str, Any]) -> object:  # noqa: ANN401
            asked = int(options.get("connect_timeout", 0)) or _CONNECT_SECONDS
            seconds = min(asked, max(_CONNECT_AT_LEAST, int(self.seconds())))
            return connections.connect(*args, **{**options, "connect_timeout": seconds})

    def _bound_mysql(self, engine: Engine) -> None:
        from leadgate.silent_mysql import Cuttable, cut_when_over  # noqa: PLC0415 - loads PyMySQL

        known = WeakSet[Cuttable]()
        cut_when_over(known, self.is_over, of=engine)

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: object, _record: object, args: Any, options: dict[str, Any]) -> object:  # noqa: ANN401
            options = dict(options)
            read, write = (options.pop(name, self._seconds) for name in ("read_timeout", "write_timeout"))
            greeting = min(_CONNECT_SECONDS, self.seconds())
            made = Cuttable(known, *args, **options, read_timeout=greeting, write_timeout=greeting)
            made.bound(read=min(read, self.seconds()), write=min(write, self.seconds()))
            return made


def end_with(engine: Engine, ends_at: Callable[[], float | None]) -> None:
    """Let an engine's connections wait no longer than the process may, once it is asked to end."""
    if patience := engine.get_execution_options().get(_PATIENCE):
        patience.ends_at = ends_at
