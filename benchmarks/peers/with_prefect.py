"""The obvious Prefect flow: one task run a lead, mapped. `python -m benchmarks.peers.with_prefect JOB_FILE`."""

import sys
from typing import Any

import httpx
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from benchmarks.peers.job import Job, body_of, read_rows, tell


def main(job: Job) -> None:
    """Release every lead of the job in one flow run."""
    client = httpx.Client(headers=job.headers, timeout=30)

    @task(retries=2, retry_delay_seconds=1)
    def release_lead(row: dict[str, Any]) -> None:
        client.put(job.url, json=body_of([row])).raise_for_status()

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=job.in_flight))  # type: ignore[arg-type]  # as Prefect's own docs
    def release_each() -> None:
        release_lead.map(read_rows(job)).result()

    with client:
        tell(release_each, httpx.Client, "put")


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
