"""Connections of PyMySQL that are cut when the process must end: a wait that has begun cannot be made shorter."""

import contextlib
import socket
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from pymysql.connections import Connection

_LOOKS_EVERY_SECONDS = 0.25


class Cuttable(Connection):
    """A connection that is known from before it is made, so that its handshake can be cut too."""

    _sock: socket.socket | None

    def __init__(self, known: "weakref.WeakSet[Cuttable]", *args: Any, **options: Any) -> None:  # noqa: ANN401 - as PyMySQL's own
        known.add(self)
        super().__init__(*args, **options)

    def bound(self, *, read: float, write: float) -> None:
        """Wait so many seconds for each answer, and for each write, from now on."""
        self._read_timeout, self._write_timeout = read, write

    def cut(self) -> None:
        """End whatever another thread waits for: it finds the connection lost."""
        with contextlib.suppress(OSError):
            if self._sock:
                self._sock.shutdown(socket.SHUT_RDWR)


def cut_when_over(known: "weakref.WeakSet[Cuttable]", is_over: Callable[[], bool], of: object) -> None:
    """Cut all connections once the time is over, and those that are made then; as long as `of` is there."""
    owner = weakref.ref(of)

    def watch() -> None:
        while owner() is not None:
            with contextlib.suppress(RuntimeError):  # one more was made meanwhile: it is cut at the next look
                for connection in list(known) if is_over() else ():
                    connection.cut()
            time.sleep(_LOOKS_EVERY_SECONDS)

    threading.Thread(target=watch, name="leadgate-cuts-silence", daemon=True).start()
