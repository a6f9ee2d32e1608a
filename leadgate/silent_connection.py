"""A connection of psycopg that gives up when its server says nothing for too long."""

import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg

Wait = Generator[Any, Any, Any]
"""What psycopg waits with: it yields what it waits for, and is told now and then what is ready, if anything."""


class SilentError(psycopg.OperationalError):
    """The server has not answered in time: the connection is closed."""


def connection_class(patience: Callable[[], float]) -> type[psycopg.Connection[Any]]:
    """Give a class of connections that wait for a silent server for as many seconds as `patience` says."""

    class Connection(psycopg.Connection[Any]):
        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as psycopg's own
            try:
                return super().wait(_bounded(gen, patience), *args, **kwargs)
            except SilentError:
                self.pgconn.finish()
                raise

    return Connection


def _bounded(gen: Wait, patience: Callable[[], float]) -> Wait:
    """Wait as `gen`, and raise SilentError when nothing has been ready for too long. It is asked every 0.1 s."""
    heard_at = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            now = time.monotonic()
            if ready:
                heard_at = now
            elif now - heard_at >= patience():
                gen.close()
                raise SilentError(f"timed out: no answer for {now - heard_at:.0f} s")
            wanted = gen.send(ready)
    except StopIteration as over:
        return over.value
