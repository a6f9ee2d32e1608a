"""What the flow tests start with: a practice LeadByte, a pipeline with an empty source, and what Prefect knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.support.pipelines import Practice
from tests.support.prefect_records import PrefectRecords


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """A pipeline with its source and its ledger in SQLite files."""
    practice = Practice(tmp_path, leadbyte.url)
    yield practice
    practice.audit(leadbyte)
    practice.close()


@pytest.fixture
def records(prefect_server: str) -> PrefectRecords:
    """What the Prefect server of the tests has kept."""
    return PrefectRecords(prefect_server)
