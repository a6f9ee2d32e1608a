"""A network that falls silent: it forwards to a server, and from a moment on acknowledges all and answers nothing."""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self

from sqlalchemy import make_url


class StallingProxy:
    """A port of 127.0.0.1 that forwards to that of a database on this machine, until it stalls. For `with`."""

    def __init__(self, url: str) -> None:
        direct = make_url(url)
        self._to = direct.port
        self._listening = socket.create_server(("127.0.0.1", 0))
        behind = direct.set(host="127.0.0.1", port=int(self._listening.getsockname()[1]))
        self.url = behind.render_as_string(hide_password=False)
        """The database's address by this way."""
        self._stalls = threading.Event()
        self._ended = threading.Event()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._forward, name="stalling-proxy", daemon=True)

    def stall(self) -> None:
        """Answer nothing from now on; connections are taken, and what they send is acknowledged."""
        self._stalls.set()

    def __enter__(self) -> Self:
        """Begin to forward."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close every connection."""
        self._ended.set()
        self._thread.join(10)

    def _forward(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._listening, selectors.EVENT_READ)
            while not self._ended.is_set():
                for key, _ in ready.select(0.05):
                    assert isinstance(key.fileobj, socket.socket)
                    if key.fileobj is self._listening:
                        self._accept(ready)
                    else:
                        self._pass_on(ready, key.fileobj)
            for each in [self._listening, *self._peers]:
                each.close()

    def _accept(self, ready: selectors.BaseSelector) -> None:
        client, _ = self._listening.accept()
        server = socket.create_connection(("127.0.0.1", self._to))
        for each, peer in ((client, server), (server, client)):
            self._peers[each] = peer
            ready.register(each, selectors.EVENT_READ)

    def _pass_on(self, ready: selectors.BaseSelector, source: socket.socket) -> None:
        try:
            data = source.recv(65536)
            if data and not self._stalls.is_set():
                self._peers[source].sendall(data)
        except OSError:
            data = b""
        if data:
            return
        ready.unregister(source)
        if not self._stalls.is_set():
            peer = self._peers[source]
            try:
                peer.shutdown(socket.SHUT_WR)
            except OSError:
                return
