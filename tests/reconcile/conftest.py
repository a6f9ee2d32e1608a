"""A LeadByte by the same clock as the runs, and a world around it whose end is audited like a ledger's."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.delivery.world import Clock
from tests.reconcile.world import Reconciling
from tests.support.audit import audit_ledger, audit_sandbox


@pytest.fixture
def clock() -> Clock:
    """The one clock: of the runs, of the ledger and of LeadByte."""
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock, request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """A LeadByte to practise on, which carries an act out at once; or of the kind that the test names."""
    sandbox: Sandbox = getattr(request, "param", Sandbox)(clock=clock)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
def world(database_url: str, sandbox: Sandbox, tmp_path: Path, clock: Clock) -> Iterator[Reconciling]:
    """A ledger on each kind of database, a source, and a sandbox on a real socket; the end is audited."""
    world = Reconciling(database_url, sandbox, tmp_path, clock)
    yield world
    audit_ledger(world.ledger.engine, clock.now)
    audit_sandbox(sandbox.quarantine, world.ledger.engine)
    world.close()
