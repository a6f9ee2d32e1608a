"""What the stories start with: a practice LeadByte, and a pipeline with an empty source."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.support.pipelines import Practice


@pytest.fixture
def acme(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """The pipeline `acme`: tests/support/pipelines.py has its file, and what its source looks like."""
    practice = Practice(tmp_path, leadbyte.url)
    yield practice
    practice.audit(leadbyte)
    practice.close()
