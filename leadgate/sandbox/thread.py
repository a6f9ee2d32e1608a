"""The sandbox in a thread of its own, for whoever has no event loop: tests without async, and the demo."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TypedDict, Unpack

from leadgate.clock import Clock
from leadgate.sandbox.calls import SandboxRequest
from leadgate.sandbox.faults import Faults, Permission
from leadgate.sandbox.server import Sandbox


class SandboxOptions(TypedDict, total=False):
    """What `Sandbox` takes."""

    keys: Mapping[str, Permission]
    lag: timedelta
    latency: timedelta
    faults: Faults | Mapping[str, object]
    strict: bool
    keep: int
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    on_request: Callable[[SandboxRequest], None]


@contextmanager
def sandbox_thread(host: str = "127.0.0.1", port: int = 0, **options: Unpack[SandboxOptions]) -> Iterator[Sandbox]:
    """Run a sandbox in a thread with a loop of its own; it answers inside the `with`, and is closed after it."""
    sandbox = Sandbox(**options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="leadgate-sandbox", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(sandbox.start(host, port), loop).result()
        yield sandbox
    finally:
        asyncio.run_coroutine_threadsafe(sandbox.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
