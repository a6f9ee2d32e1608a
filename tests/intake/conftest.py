"""A pipeline whose source and ledger are on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake.pipeline import Pipeline, open_pipeline


@pytest.fixture
def pipeline(database_url: str, tmp_path: Path) -> Iterator[Pipeline]:
    """Empty; its clock stands still."""
    with open_pipeline(database_url, tmp_path) as opened:
        yield opened
