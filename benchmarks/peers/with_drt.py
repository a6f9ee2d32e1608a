"""drt: a sync from the source to its REST destination. `python -m benchmarks.peers.with_drt JOB_FILE`."""

# mypy: disable-error-code="import-not-found"

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.peers.job import VIEW, Job, set_default, tell

BATCH_TEMPLATE = (
    '{"leads": [{% for row in rows %}'
    '{"quarantineId": "{{ row.quarantine_id }}",'
    ' "update": {"postcode": "{{ row.postcode }}", "phone1": "{{ row.mobile }}"},'
    ' "action": "{{ row.action }}"}'
    "{% if not loop.last %},{% endif %}{% endfor %}]}"
)
_SYNC = """\
name: release_leads
model: ref('{view}')
destination:
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
  max_records_per_request: {batch_size}
sync:
  mode: incremental
  cursor_field: updated_at
  batch_size: 1000
  rate_limit:
    requests_per_second: 0
  on_error: fail
"""


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
    sync = _SYNC.format(view=VIEW, url=job.url, template=BATCH_TEMPLATE, batch_size=job.batch_size)
    files = {
        "drt_project.yml": "name: benchmark\nversion: '0.1'\nprofile: source\n",
        ".drt/profiles.yml": f"source:\n  {profile}\n",
        "syncs/release_leads.yml": sync,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(job: Job) -> None:
    """Sync every lead of the job, as `drt run` does."""
    from drt.cli.main import app  # noqa: PLC0415 - a test reads the template without drt

    set_default("LEADBYTE_API_KEY", job.key)
    write_project(job)
    os.chdir(job.folder)
    tell(lambda: app(["run"], standalone_mode=False), httpx.Client, "request")


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
