"""A sandbox on a real socket, closed after the test."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from leadgate.sandbox import Sandbox
from tests.sandbox.calling import Caller, Clock, Start


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts sandboxes, and closes them and their callers afterwards."""
    started: list[Caller] = []

    async def begin(**options: Any) -> Caller:  # noqa: ANN401 - as Sandbox takes them
        sandbox = Sandbox(**options)
        await sandbox.start()
        caller = Caller(sandbox, httpx.AsyncClient(base_url=sandbox.url, timeout=10))
        started.append(caller)
        return caller

    yield begin
    for caller in started:
        await caller.client.aclose()
        await caller.sandbox.stop()
