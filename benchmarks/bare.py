"""The limit: the same bodies sent by nothing but httpx, without a source, rules, a ledger or Prefect.

Run as a process of its own: `python -m benchmarks.bare URL KEY CONCURRENCY FILE`, with a body on each line of FILE.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import httpx

from benchmarks.measured import Instant, Measured, Span, peak_mib


async def send_all(url: str, key: str, concurrency: int, bodies: Iterable[bytes]) -> Span:
    """Send every body as fast as the connections allow; return from when to when."""
    queue = deque(bodies)
    async with httpx.AsyncClient(
        base_url=f"{url}/restapi/v1.3",
        headers={"X_KEY": key, "Content-Type": "application/json"},
        limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
        timeout=30,
    ) as client:

        async def work() -> None:
            while queue:
                (await client.put("/leads", content=queue.popleft())).raise_for_status()

        begun = Instant.now()
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
        return Span(begun, Instant.now())


if __name__ == "__main__":
    address, key, concurrency, file = sys.argv[1:]
    bodies = Path(file).read_bytes().splitlines()
    span = asyncio.run(send_all(address, key, int(concurrency), bodies))
    Measured(first_request=span.begun, work=span, whole=span, peak_mib=peak_mib()).tell()
