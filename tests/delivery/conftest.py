"""A world for each test, whose end is audited: no lead was acted on twice, none is sent again after an act."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.model import State
from leadgate.sandbox import Sandbox
from tests.delivery.world import World

_AGAIN = {State.WAITING, State.READY, State.FAILED}
"""States from which a lead is, or can be, sent to LeadByte again."""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A LeadByte to practise on, whose acts take an hour, as if its queue were long."""
    sandbox = Sandbox(lag=timedelta(hours=1))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
def world(database_url: str, sandbox: Sandbox, tmp_path: Path) -> Iterator[World]:
    """A ledger on each kind of database, and a sandbox on a real socket."""
    world = World(database_url, sandbox, tmp_path)
    yield world
    audit(world)
    world.ledger.close()


def audit(world: World) -> None:
    """Hold the promise after every test, whatever it was about."""
    assert world.sandbox.quarantine.acted_twice() == []
    taken = [lead_id for lead_id, acts in world.sandbox.quarantine.acts.items() if any(act.accepted for act in acts)]
    assert {lead_id: state for lead_id, state in world.states(taken).items() if state in _AGAIN} == {}
