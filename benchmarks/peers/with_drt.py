"""drt: a sync to its REST destination, or to one of ours. `python -m benchmarks.peers.with_drt JOB_FILE`."""

# mypy: disable-error-code="import-not-found"

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.peers.job import SOURCE_TABLE, VIEW, Job, body_of, set_default, tell

BATCH_TEMPLATE = (
    '{"leads": [{% for row in rows %}'
    '{"quarantineId": "{{ row.quarantine_id }}",'
    ' "update": {"postcode": "{{ row.postcode }}", "phone1": "{{ row.mobile }}"},'
    ' "action": "{{ row.action }}"}'
    "{% if not loop.last %},{% endif %}{% endfor %}]}"
)
_SYNC = """\
name: release_leads
model: ref('{relation}')
destination:
{destination}
sync:
  mode: incremental
  cursor_field: updated_at
  batch_size: {rows_a_load}
  rate_limit:
    requests_per_second: 0
  on_error: fail
"""
_REST = """\
  type: rest_api
  url: "{url}"
  method: PUT
  headers:
    Content-Type: application/json
  auth:
    type: api_key
    header: X_KEY
    value_env: LEADBYTE_API_KEY
  body_mode: batch
  batch_template: '{template}'
  max_records_per_request: {batch_size}"""
_ROWS_A_LOAD = 1000


def write_project(job: Job) -> None:
    """Write what `drt init` asks for: the project, the connection in the user's home, the sync."""
    folder, address = Path(job.folder), urlsplit(job.source_url)
    if address.scheme == "sqlite":
        profile = f"type: sqlite\n  database: {address.path[1:]}"
    else:
        profile = (
            f"type: postgres\n  host: {address.hostname}\n  port: {address.port}\n"
            f"  user: {address.username}\n  dbname: {address.path[1:]}"
        )
    rest = _REST.format(url=job.url, template=BATCH_TEMPLATE, batch_size=job.batch_size)
    if job.same_duties:
        # Each load ends before the next begins: it is long enough to keep all threads at work.
        rows_a_load = max(_ROWS_A_LOAD, job.batch_size * job.in_flight * 5)
        sync = _SYNC.format(relation=SOURCE_TABLE, destination="  type: leadbyte", rows_a_load=rows_a_load)
    else:
        sync = _SYNC.format(relation=VIEW, destination=rest, rows_a_load=_ROWS_A_LOAD)
    files = {
        "drt_project.yml": "name: benchmark\nversion: '0.1'\nprofile: source\n",
        ".drt/profiles.yml": f"source:\n  {profile}\n",
        "syncs/release_leads.yml": sync,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def register_leadbyte(job: Job, client: httpx.Client) -> None:
    """Make `type: leadbyte` known to drt, as a plugin does: a destination with an intent and an outcome a lead."""
    from drt.config.base import GenericDestinationConfig  # noqa: PLC0415 - as in main
    from drt.connectors.registry import register_destination  # noqa: PLC0415
    from drt.destinations.base import SyncResult  # noqa: PLC0415

    from benchmarks.peers.duties import LeadRecords, decide  # noqa: PLC0415 - SQLAlchemy, which drt does without

    records = LeadRecords(job.state_url, job.in_flight)

    def release_batch(batch: list[dict[str, Any]]) -> None:
        if rows := records.intend([decide(row) for row in batch]):
            answer = client.put(job.url, json=body_of(rows))
            records.record(rows, answer.status_code, answer.text)
            answer.raise_for_status()

    class LeadByteDestination:
        """Releases the leads of each load, as many batches at once as requests may be in flight."""

        def load(self, records: list[dict[str, Any]], config: object, sync_options: object) -> SyncResult:  # noqa: ARG002 - as drt calls it
            starts = range(0, len(records), job.batch_size)
            with ThreadPoolExecutor(job.in_flight) as threads:
                list(threads.map(release_batch, [records[start : start + job.batch_size] for start in starts]))
            return SyncResult(success=len(records))

    register_destination("leadbyte", GenericDestinationConfig, LeadByteDestination)


def main(job: Job) -> None:
    """Sync every lead of the job, as `drt run` does."""
    from drt.cli.main import app  # noqa: PLC0415 - a test reads the template without drt

    set_default("LEADBYTE_API_KEY", job.key)
    write_project(job)
    os.chdir(job.folder)
    run = partial(app, ["run"], standalone_mode=False)
    with httpx.Client(headers=job.headers, timeout=30) as client:
        if job.same_duties:
            register_leadbyte(job, client)
        tell(run, httpx.Client, "request")


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
