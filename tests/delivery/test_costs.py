"""What a wave costs, counted, since it cannot be timed: statements, requests and bytes do not grow unseen."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from leadgate.leadbyte.wire import body_bytes
from leadgate.model import State
from tests.delivery.world import World

IN_ORDER = {"batch_size": 50, "concurrency": 1}
UPDATES = 5
"""Statements of a batch: entries, decisions and attempts before the request; entries and attempts after it."""
ACTS = UPDATES + 2
"""The account's brake before the request as well, and after it the probes that it has overtaken."""
REQUESTS = {"combined": [ACTS], "update_first": [UPDATES, ACTS]}


@contextmanager
def counting(engine: Engine) -> Iterator[Callable[[], int]]:
    """Count the statements a ledger runs on its tables; SQLite's temporary ones, which hold what is given, are not."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: Any) -> None:  # noqa: ANN401
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield lambda: sum(not re.match(r"BEGIN|(create|delete from|insert into) temp\b", one) for one in statements)
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("leads", [50, 100, 500])
@pytest.mark.parametrize("mode", REQUESTS)
async def test_statements_grow_with_batches_and_requests_are_as_few_as_can_be(
    world: World, leads: int, mode: str
) -> None:
    """Whatever the number of leads in them; batches that come together take fewer."""
    ids = [str(number) for number in range(1, leads + 1)]
    wave = world.wave(*ids)
    with counting(world.ledger.engine) as statements:
        tally = await world.deliver(wave, leadbyte=IN_ORDER, delivery={"mode": mode})
    assert tally.went == {State.PROCESSED: leads}
    batches = leads // 50
    assert len(world.asked()) == batches * len(REQUESTS[mode])
    # A batch writes twice, and in the end what is left is given back: on PostgreSQL each locks its entries first.
    locks = int(world.ledger.engine.dialect.name == "postgresql")
    assert statements() <= sum(most + 2 * locks for most in REQUESTS[mode]) * batches + (1 + locks)


@pytest.mark.parametrize("leads", [10, 1000])
def test_finding_and_claiming_take_as_many_statements_for_a_thousand_leads_as_for_ten(world: World, leads: int) -> None:
    """Registering: known, whose they are, forgotten, new. A look: what it found. A claim: leads, their overrides."""
    ids = [str(number) for number in range(1, leads + 1)]
    with counting(world.ledger.engine) as statements:
        world.seed(ids)
        assert len(world.claim()) == leads
    assert statements() <= 4 + 1 + 2


async def test_a_lead_takes_no_more_bytes_than_it_has_to(world: World) -> None:
    """A request holds the id, the fields and the act, and nothing else."""
    await world.deliver(world.wave(*map(str, range(1001, 1051))), leadbyte=IN_ORDER)
    ((_, body),) = world.asked()
    a_lead = '{"quarantineId":"1001","update":{"postcode":"TN25 6QD"},"action":"process"},'
    assert len(body_bytes(body)) <= 50 * len(a_lead) + len('{"leads":[]}')
