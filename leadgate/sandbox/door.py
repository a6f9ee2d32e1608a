"""The sandbox's port: opened, shut for a while (connections are refused), and opened again on the same number."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

from leadgate.errors import ConfigError

_BACKLOG = 1024


class Door:
    """One listening port; once it is open, it is to be used in the event loop that opened it."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        self._server: web.Server | None = None
        self._held: socket.socket | None = None
        self._listener: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None
        self.address = ("", 0)

    async def open(self, server: web.Server, host: str, port: int) -> None:
        """Let `server` answer at a port; 0 takes a free one. Raise ConfigError where the port cannot be had."""
        self._server = server
        self._held = _bind(host, port)
        self.address = self._held.getsockname()[:2]
        await self._listen()

    def shut_for(self, span: timedelta, spare: object = None) -> None:
        """Cut every connection but `spare` and refuse new ones, until the span is over."""
        if self._listener:
            self._listener.close()
            self._listener = None
            # Bound and not listening: connections are refused, and nobody else can take the port meanwhile.
            self._held = _bind(*self.address)
        for connection in self._server.connections if self._server else ():
            if connection is not spare and connection.transport:
                connection.transport.abort()
        if self._reopening:
            self._reopening.cancel()
        self._reopening = asyncio.create_task(self._reopen(span))

    def close(self) -> None:
        """Stop listening for good."""
        if self._reopening:
            self._reopening.cancel()
        if self._listener:
            self._listener.close()
        if self._held:
            self._held.close()
        self._listener = self._held = None

    async def _reopen(self, span: timedelta) -> None:
        await self._sleep(span.total_seconds())
        await self._listen()

    async def _listen(self) -> None:
        if self._held and self._server:
            loop = asyncio.get_running_loop()
            # Kept before it is started: whoever shuts the door meanwhile must find it.
            self._listener = await loop.create_server(
                self._server, sock=self._held, backlog=_BACKLOG, start_serving=False
            )
            self._held = None
            await self._listener.start_serving()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        bound = socket.socket(family, kind)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except BaseException:
            bound.close()
            raise
    except OSError as error:
        used = error.errno == errno.EADDRINUSE
        problem = "is in use" if used else f"cannot be listened on ({error.strerror})"
        raise ConfigError(f"{host}:{port} {problem}. Name another with --port, or --port 0 for a free one.") from None
    return bound
