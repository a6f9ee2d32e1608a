"""The sandbox in a thread of its own, for whoever has no event loop: tests without async, and the demo."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from leadgate.sandbox.server import Sandbox


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
