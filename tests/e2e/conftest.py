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


@pytest.fixture
def lone_lead(tmp_path: Path, leadbyte: Sandbox) -> Iterator[Practice]:
    """A pipeline with one lead that would be processed, and no Prefect server."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.quarantine(1)
    practice.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.9)
    yield practice
    practice.close()
