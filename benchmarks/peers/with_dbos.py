"""DBOS: a durable workflow, each batch a step of it. `python -m benchmarks.peers.with_dbos JOB_FILE`."""

# mypy: disable-error-code="import-not-found, untyped-decorator"

import asyncio
import sys
from typing import Any

import httpx
from dbos import DBOS

from benchmarks.peers.duties import LeadRecords, decide
from benchmarks.peers.job import Job, body_of, read_rows, tell


def main(job: Job) -> None:
    """Release every lead of the job in one workflow, as many steps at once as requests may be in flight."""
    DBOS(config={"name": "benchmark", "system_database_url": job.state_url, "log_level": "ERROR"})
    records = LeadRecords(job.state_url, job.in_flight) if job.same_duties else None

    @DBOS.step()
    async def read_leads() -> list[dict[str, Any]]:
        return await asyncio.to_thread(read_rows, job)

    @DBOS.step(retries_allowed=True)
    async def send_batch(client: httpx.AsyncClient, rows: list[dict[str, Any]]) -> None:
        (await client.put(job.url, json=body_of(rows))).raise_for_status()

    # A step that was killed is run again, and then finds the intents. One step does it all: several for each batch,
    # with batches at once, would be numbered in another order when the workflow is recovered.
    @DBOS.step(retries_allowed=False)
    async def send_once(client: httpx.AsyncClient, rows: list[dict[str, Any]]) -> None:
        assert records  # noqa: S101
        if intended := await asyncio.to_thread(records.intend, [decide(row) for row in rows]):
            answer = await client.put(job.url, json=body_of(intended))
            await asyncio.to_thread(records.record, intended, answer.status_code, answer.text)
            answer.raise_for_status()

    @DBOS.workflow()
    async def release_all() -> None:
        rows = await read_leads()
        turns = asyncio.Semaphore(job.in_flight)
        release_batch = send_once if job.same_duties else send_batch
        async with httpx.AsyncClient(headers=job.headers, timeout=30) as client:

            async def take_turn(batch: list[dict[str, Any]]) -> None:
                async with turns:
                    await release_batch(client, batch)

            batches = [rows[start : start + job.batch_size] for start in range(0, len(rows), job.batch_size)]
            await asyncio.gather(*(take_turn(batch) for batch in batches))

    DBOS.launch()
    try:
        tell(lambda: asyncio.run(release_all()), httpx.AsyncClient, "put")
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
