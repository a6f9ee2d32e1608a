"""dlt: a table of the source into a custom destination. `python -m benchmarks.peers.with_dlt JOB_FILE`."""

# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator"

import math
import sys
from typing import Any

from benchmarks.peers.duties import LeadRecords, decide
from benchmarks.peers.job import COLUMNS, SOURCE_TABLE, VIEW, Job, body_of, set_default, tell


def main(job: Job) -> None:
    """Load every lead of the job into the destination, as many files at once as requests may be in flight."""
    # A file is loaded by one thread: rows are cut into as many files as there are threads.
    rows_a_file = math.ceil(job.leads / job.in_flight / job.batch_size) * job.batch_size
    set_default("LOAD__WORKERS", job.in_flight)
    set_default("NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS", rows_a_file)
    set_default("NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS", rows_a_file)

    import dlt  # noqa: PLC0415 - reads its settings when it is imported
    import requests  # noqa: PLC0415
    from dlt.sources.helpers import requests as retrying  # noqa: PLC0415
    from dlt.sources.sql_database import sql_table  # noqa: PLC0415

    @dlt.destination(batch_size=job.batch_size, name="leadbyte")
    def leadbyte(items: list[dict[str, Any]], table: dict[str, Any]) -> None:  # noqa: ARG001 - what dlt calls it with
        retrying.put(job.url, headers=job.headers, json=body_of(items))

    def load() -> None:
        leads = sql_table(credentials=job.source_url, table=VIEW, incremental=dlt.sources.incremental("updated_at"))
        pipeline = dlt.pipeline("release_leads", destination=leadbyte, pipelines_dir=job.folder)
        pipeline.run(leads).raise_on_failed_jobs()

    @dlt.destination(batch_size=job.batch_size, name="leadbyte_once")
    def leadbyte_once(items: list[dict[str, Any]], table: dict[str, Any]) -> None:  # noqa: ARG001 - as above
        # dlt loads a file again that it did not finish: the leads that it sent have their intents.
        if rows := records.intend(items):
            answer = session.put(job.url, json=body_of(rows), timeout=30)
            records.record(rows, answer.status_code, answer.text)
            answer.raise_for_status()

    def load_once() -> None:
        leads = sql_table(
            credentials=job.source_url,
            table=SOURCE_TABLE,
            included_columns=[*COLUMNS, "updated_at"],
            incremental=dlt.sources.incremental("updated_at"),
        ).add_map(decide)
        pipeline = dlt.pipeline("release_leads", destination=leadbyte_once, pipelines_dir=job.folder)
        pipeline.run(leads).raise_on_failed_jobs()

    if not job.same_duties:
        tell(load, requests.Session, "send")
        return
    records = LeadRecords(job.state_url, job.in_flight)
    with requests.Session() as session:
        session.headers.update(job.headers)
        tell(load_once, requests.Session, "send")


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
