"""DBOS: a durable workflow, each batch a step of it. `python -m benchmarks.peers.with_dbos JOB_FILE`."""

# mypy: disable-error-code="import-not-found, untyped-decorator"

import asyncio
import sys
from typing import Any

import httpx
from dbos import DBOS

from benchmarks.peers.job import Job, body_of, read_rows, tell


def main(job: Job) -> None:
    """Release every lead of the job in one workflow, as many steps at once as requests may be in flight."""
    DBOS(config={"name": "benchmark", "system_database_url": job.state_url, "log_level": "ERROR"})

    @DBOS.step()
    async def read_leads() -> list[dict[str, Any]]:
        return await asyncio.to_thread(read_rows, job)

    @DBOS.step(retries_allowed=True)
    async def send_batch(client: httpx.AsyncClient, rows: list[dict[str, Any]]) -> None:
        (await client.put(job.url, json=body_of(rows))).raise_for_status()

    @DBOS.workflow()
    async def release_all() -> None:
        rows = await read_leads()
        turns = asyncio.Semaphore(job.in_flight)
        async with httpx.AsyncClient(headers=job.headers, timeout=30) as client:

            async def take_turn(batch: list[dict[str, Any]]) -> None:
                async with turns:
                    await send_batch(client, batch)

            batches = [rows[start : start + job.batch_size] for start in range(0, len(rows), job.batch_size)]
            await asyncio.gather(*(take_turn(batch) for batch in batches))

    DBOS.launch()
    try:
        tell(lambda: asyncio.run(release_all()), httpx.AsyncClient, "put")
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
