"""A clock that stands still, and a client that speaks to a sandbox as leadgate would."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx

from leadgate.sandbox import Sandbox

PREFIX = "/restapi/v1.3"


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time it shows."""
        return self.now

    def advance(self, **span: float) -> None:
        """Go on by a span, given as timedelta takes it."""
        self.now += timedelta(**span)


class Caller:
    """Sends the documented calls to one sandbox."""

    def __init__(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        self.sandbox, self.client = sandbox, client

    async def update(self, *lead_ids: str, action: str | None = None, key: str | None = None) -> httpx.Response:
        """PUT /leads for these leads, with an action for each if given."""
        acting = {"action": action} if action else {}
        leads = [{"quarantineId": lead_id, "update": {"postcode": "TN25 6QD"}} | acting for lead_id in lead_ids]
        return await self.put({"leads": leads}, key=key)

    async def put(self, body: dict[str, Any], key: str | None = None) -> httpx.Response:
        """PUT /leads with this body."""
        return await self.client.put(f"{PREFIX}/leads", json=body, headers={"X_KEY": key or self.sandbox.key})

    async def act(self, lead_id: int | str, action: str = "process", key: str | None = None) -> httpx.Response:
        """POST /quarantine/process for one lead."""
        body = {"quarantineId": lead_id, "action": action}
        headers = {"X_KEY": key or self.sandbox.key}
        return await self.client.post(f"{PREFIX}/quarantine/process", json=body, headers=headers)


class Start(Protocol):
    """Starts a sandbox with the options given, and returns who calls it."""

    def __call__(self, **options: Any) -> Awaitable[Caller]:  # noqa: ANN401 - as Sandbox takes them
        """As Sandbox takes them."""
