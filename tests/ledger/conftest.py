"""A ledger on SQLite and on PostgreSQL, two runs that share it, and an audit after every test."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadgate.ledger import Ledger
from tests.delivery.world import release_brake
from tests.ledger.steps import NOW, PIPELINE
from tests.support.audit import audit_ledger
from tests.support.ledgers import new_engine


@pytest.fixture
def engine(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A ledger's database, opened for the first time."""
    opened = new_engine(database_url, base_dir=tmp_path, pipelines=(PIPELINE, "other", "another"))
    yield opened
    opened.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """The ledger as one run sees it, of an account whose acts go together: LeadByte has answered one."""
    opened = Ledger(engine, pipeline=PIPELINE, owner="first")
    release_brake(opened)
    return opened


@pytest.fixture
def rival(engine: Engine) -> Ledger:
    """The same ledger as another run sees it."""
    return Ledger(engine, pipeline=PIPELINE, owner="second")


@pytest.fixture(autouse=True)
def audited(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did to a ledger, its rules still hold."""
    engine = request.getfixturevalue("engine") if "engine" in request.fixturenames else None
    yield
    if engine:
        audit_ledger(engine, NOW + timedelta(days=1))
