"""The sandbox as a server: its address, and the way from a request to the desk and back."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from functools import partial

from aiohttp import web

from leadgate.sandbox.bodies import PREFIX
from leadgate.sandbox.calls import CALLS, Call, Desk
from leadgate.sandbox.control import add_control

_LARGEST_BODY = 64 * 2**20


class Sandbox(Desk):
    """A LeadByte to practise on: a desk with a port.

    It runs in the event loop that called `start`; it may be read, and its leads and switches changed, from any thread.
    """

    _runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen for requests; port 0 takes a free one. Raise ConfigError where the port cannot be had."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        for path, call in CALLS.items():
            app.router.add_route(call.method, path, partial(self._serve, call))
        app.router.add_route("*", PREFIX + "/{rest:.*}", partial(self._serve, None))
        add_control(app, self)
        # Requests that are being slow on purpose are not waited for; 0 would mean to wait for ever.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        assert self._runner.server is not None  # noqa: S101 - setup made it
        try:
            await self.door.open(self._runner.server, host, port)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the port and every connection; what was recorded can still be read."""
        self.door.close()
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The address to put into `leadbyte.base_url`."""
        host, port = self.door.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _serve(self, call: Call | None, request: web.Request) -> web.Response:
        reply = await self.answer(call, request.method, request.path, request.headers.get("X_KEY"), request.read)
        if reply.status is None:
            if request.transport:
                request.transport.abort()
            return web.Response()
        headers = {"Date": format_datetime(self.now(), usegmt=True), **(reply.headers or {})}
        if isinstance(reply.body, str):
            return web.Response(status=reply.status, text=reply.body, content_type="text/html", headers=headers)
        body = json.dumps(reply.body).encode()
        return web.Response(status=reply.status, body=body, content_type="application/json", headers=headers)


@contextmanager
def sandbox_thread(sandbox: Sandbox | None = None) -> Iterator[Sandbox]:
    """Run a sandbox in a thread with a loop of its own; it answers inside the `with`, and is closed after it."""
    sandbox = sandbox or Sandbox()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="leadgate-sandbox", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(sandbox.start(), loop).result()
        yield sandbox
    finally:
        asyncio.run_coroutine_threadsafe(sandbox.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
