"""Waking up at once: on PostgreSQL the source may say, by NOTIFY, that there is something to look at.

A notification is a reason to look sooner and never the record of anything: one that is lost, doubled or late costs
time alone. So whatever goes wrong here is borne quietly, and whoever waits looks again when the span is over.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from leadgate.addresses import parse_address
from leadgate.stopping import Stop

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

logger = logging.getLogger(__name__)

CHANNEL = "leadgate"
BURST = timedelta(milliseconds=20)
"""How long to go on listening after a notification, so that a burst of them is one wake-up."""
TRY_AGAIN_AFTER = timedelta(seconds=10)
"""The least time between two connections, so that a pooler that shows us the door is not run over."""

# A connection that only listens would never notice a network that forgot it.
_OPTIONS: dict[str, Any] = {"connect_timeout": 10, "keepalives_idle": 60}


class Wakeups:
    """What ends a wait before its time: notifications of the source, on a connection of its own. One loop's only."""

    def __init__(self, address: str) -> None:
        url = parse_address(address)
        self._options: Mapping[str, Any] | None = None
        if (url.get_backend_name(), url.get_driver_name()) == ("postgresql", "psycopg"):
            self._options = {**_OPTIONS, **url.get_dialect()().create_connect_args(url)[1]}
        self._connection: psycopg.AsyncConnection[TupleRow] | None = None
        self._try_at = 0.0
        self._told = False

    async def wait(self, span: timedelta, stop: Stop) -> None:
        """Wait for a notification, the end of the span or the request to stop, whichever is first."""
        ways = [asyncio.create_task(stop.sleep(span))]
        if self._options:
            ways.append(asyncio.create_task(self._hear(self._options)))
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def close(self) -> None:
        """Close the connection; the next wait would open another."""
        if self._connection:
            self._connection.pgconn.finish()
            self._connection = None

    async def _hear(self, options: Mapping[str, Any]) -> None:
        """Return when a notification has come, or may have come while nobody listened; never when none can."""
        import psycopg  # noqa: PLC0415 - slow to load, and only PostgreSQL has notifications

        try:
            if self._connection is None or self._connection.closed:
                self._connection = await self._listen(options)
                return
            async for _ in self._connection.notifies(stop_after=1):
                pass
            async for _ in self._connection.notifies(timeout=BURST.total_seconds()):
                pass
        except (psycopg.Error, OSError) as error:
            self.close()
            if not self._told:
                # Not the error's text, which may name a user or a host.
                name = type(error).__name__
                logger.info("event=no_wakeups error=%s", name)
                self._told = True
            await asyncio.Future()

    async def _listen(self, options: Mapping[str, Any]) -> "psycopg.AsyncConnection[TupleRow]":
        import psycopg  # noqa: PLC0415 - loaded by now

        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._try_at - loop.time())
        self._try_at = loop.time() + TRY_AGAIN_AFTER.total_seconds()
        connection = await psycopg.AsyncConnection.connect(**options, autocommit=True)
        try:
            await connection.execute(f"LISTEN {CHANNEL}")
        except BaseException:
            await connection.close()
            raise
        return connection
