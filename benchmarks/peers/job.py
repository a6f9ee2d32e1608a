"""What every peer is given, reads and sends: the same leads, the same bodies, one sandbox.

Runs in each peer's own environment, so that it imports nothing of leadgate. A peer that is used as it is meant reads a
view of the source which holds the rules: its rows are decided, and only have to be sent. One with leadgate's duties
reads what the rules read, and decides itself.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measured import Instant, Measured, Span, peak_mib, watching

SOURCE_TABLE = "lead_enrichment"
COLUMNS = ("quarantine_id", "postcode", "mobile", "phone_verified", "opted_out", "score")
"""What the rules and the update read."""

VIEW = "lead_requests"
CREATE_VIEW = """\
CREATE VIEW lead_requests AS
SELECT quarantine_id, postcode, mobile, CASE WHEN opted_out THEN 'reject' ELSE 'process' END AS action, updated_at
FROM lead_enrichment"""
_DECIDED = ("quarantine_id", "postcode", "mobile", "action")


@dataclass(frozen=True, slots=True)
class Job:
    """What one run of a peer is to do; URLs of databases are SQLAlchemy's.

    `state_url` is an empty database and `folder` an empty folder: where a peer keeps what it remembers.
    """

    sandbox_url: str
    key: str
    source_url: str
    state_url: str
    folder: str
    leads: int
    batch_size: int
    in_flight: int
    same_duties: bool = False

    @property
    def url(self) -> str:
        """Where updates and acts are PUT."""
        return f"{self.sandbox_url}/restapi/v1.3/leads"

    @property
    def headers(self) -> dict[str, str]:
        """What LeadByte wants to see beside the body."""
        return {"X_KEY": self.key}

    def write(self) -> Path:
        """Keep it in its folder; return the file's path."""
        path = Path(self.folder) / "job.json"
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: str) -> "Job":
        """Read what `write` kept."""
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))


def read_rows(job: Job) -> list[dict[str, Any]]:
    """The rows of as many leads as the job asks for."""
    from sqlalchemy import create_engine, text  # noqa: PLC0415 - drt needs it only to have leadgate's duties

    columns, relation = (COLUMNS, SOURCE_TABLE) if job.same_duties else (_DECIDED, VIEW)
    query = f"SELECT {', '.join(columns)} FROM {relation} ORDER BY quarantine_id LIMIT :leads"  # noqa: S608
    engine = create_engine(job.source_url)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), {"leads": job.leads}).mappings()]
    finally:
        engine.dispose()


def body_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The body of one PUT for these rows."""
    return {
        "leads": [
            {
                "quarantineId": str(row["quarantine_id"]),
                "update": {"postcode": row["postcode"], "phone1": row["mobile"]},
                "action": row["action"],
            }
            for row in rows
        ]
    }


def tell(run: Callable[[], object], owner: type, method: str) -> None:
    """Run a peer and print what was measured; `method` of `owner` is what sends a request."""
    with watching(owner, method) as request:
        begun = Instant.now()
        run()
        whole = Span(begun, Instant.now())
    Measured(request.first, whole, whole, peak_mib()).tell()


def quiet_environment(environment: Mapping[str, str], home: str) -> dict[str, str]:
    """The environment of a peer: it keeps its files in `home`, and reports to nobody."""
    return {**environment, "HOME": home, "DO_NOT_TRACK": "1", "RUNTIME__DLTHUB_TELEMETRY": "false"}


def set_default(name: str, value: object) -> None:
    """Set a variable of the environment, which is where some tools read their settings from."""
    os.environ.setdefault(name, str(value))
