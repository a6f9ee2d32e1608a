"""The obvious Prefect flow: one task run a lead, mapped. `python -m benchmarks.peers.with_prefect JOB_FILE`."""

import sys
from typing import Any

import httpx
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from benchmarks.peers.duties import LeadRecords, decide
from benchmarks.peers.job import Job, body_of, read_rows, tell


def main(job: Job) -> None:
    """Release every lead of the job in one flow run."""
    client = httpx.Client(headers=job.headers, timeout=30)
    records = LeadRecords(job.state_url, job.in_flight) if job.same_duties else None

    @task(retries=2, retry_delay_seconds=1)
    def release_lead(row: dict[str, Any]) -> None:
        client.put(job.url, json=body_of([row])).raise_for_status()

    @task
    def release_once(row: dict[str, Any]) -> None:
        assert records  # noqa: S101
        if rows := records.intend([decide(row)]):
            answer = client.put(job.url, json=body_of(rows))
            records.record(rows, answer.status_code, answer.text)
            answer.raise_for_status()

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=job.in_flight))  # type: ignore[arg-type]  # as Prefect's own docs
    def release_each() -> None:
        (release_once if job.same_duties else release_lead).map(read_rows(job)).result()

    with client:
        tell(release_each, httpx.Client, "put")


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
