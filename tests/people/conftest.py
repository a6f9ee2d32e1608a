"""A pipeline and a LeadByte for each test; in the end no lead was acted on twice, and the ledger is sound."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.ledger import Ledger
from leadgate.sandbox import sandbox_thread
from tests.intake.pipeline import open_pipeline
from tests.people.runs import Runs
from tests.support.audit import audit_ledger, audit_sandbox


@pytest.fixture
def runs(database_url: str, tmp_path: Path) -> Iterator[Runs]:
    """On each kind of database; the clock stands still, and LeadByte carries acts out at once."""
    with sandbox_thread() as sandbox, open_pipeline(database_url, tmp_path) as pipeline:
        runs = Runs(pipeline, sandbox)
        yield runs
        audit_ledger(pipeline.ledger.engine, pipeline.clock() + timedelta(days=1), finished=True)
        audit_sandbox(sandbox.quarantine, pipeline.ledger.engine)


@pytest.fixture
def rival(runs: Runs) -> Iterator[Ledger]:
    """The same ledger, held by another run or used by another person."""
    with runs.pipeline.other_run() as ledger:
        yield ledger
