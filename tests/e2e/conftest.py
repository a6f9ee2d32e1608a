"""What the tests of the whole start with: a practice LeadByte on another port, and a pipeline with an empty source."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.support.pipelines import Practice


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """A pipeline with its source and its ledger in SQLite files."""
    practice = Practice(tmp_path, leadbyte.url)
    yield practice
    practice.audit(leadbyte)
    practice.close()


@pytest.fixture
def postgres_pipeline(tmp_path: Path, leadbyte: Sandbox, prefect_server: str, postgres_url: str) -> Iterator[Practice]:
    """A pipeline with its source and its ledger on PostgreSQL."""
    practice = Practice(tmp_path, leadbyte.url, database_url=postgres_url, ledger_url=postgres_url)
    yield practice
    practice.audit(leadbyte)
    practice.close()
