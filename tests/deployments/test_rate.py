"""One account's rate, held across runs by a real Prefect server; and what becomes of it when the server forgets it."""

import asyncio
import logging
import time

import pytest
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from leadgate.clock import utc_now
from leadgate.config import LeadByteConfig
from leadgate.leadbyte.pacing import Pace
from tasks.rate import AccountLimit, SharedRate, account_limit

RATE = 20
LOG = logging.getLogger("leadgate.tests.rate")


def limit_of(base_url: str, rate: float = RATE) -> AccountLimit:
    """The limit of an account."""
    return account_limit(LeadByteConfig(base_url=base_url, api_key="key", requests_per_second=rate))


def test_a_limit_is_named_by_the_account() -> None:
    """By its host, and its port where the address has one; with it go a hundred slots a request."""
    assert limit_of("https://acme.leadbyte.com") == ("leadbyte-acme-leadbyte-com", 200, 2000)
    assert limit_of("https://ACME.leadbyte.com/", 0.5) == ("leadbyte-acme-leadbyte-com", 102, 50)
    assert limit_of("http://127.0.0.1:8000").name == "leadbyte-127-0-0-1-8000"


async def test_two_runs_together_keep_the_rate(client: SyncPrefectClient) -> None:
    """In no second do they send more than the rate, and the little that an idle account may make up for."""
    limit = limit_of("https://together.leadbyte.com")
    create = GlobalConcurrencyLimitCreate(name=limit.name, limit=limit.limit, slot_decay_per_second=limit.decay)
    client.create_global_concurrency_limit(create)
    sent: list[float] = []

    async def one_run() -> None:
        async with get_client() as ours:
            rate = SharedRate(ours, limit.name, LOG)
            assert await rate.is_there()
            pace = Pace(requests_per_second=RATE, clock=utc_now, take_turn=rate.take_turn)

            async def one_connection() -> None:
                for _ in range(10):
                    assert await pace.wait_for_turn() is None
                    sent.append(time.monotonic())

            await asyncio.gather(*(one_connection() for _ in range(4)))

    await asyncio.gather(one_run(), one_run())
    assert len(sent) == 80
    most = max(sum(first <= at < first + 1 for at in sent) for first in sent)
    # Turns that a busy machine comes back with late: two of each run at most.
    assert most <= 1.05 * RATE + 1 + 4


async def test_a_limit_that_vanishes_leaves_the_runs_own_bound(
    client: SyncPrefectClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so once, and nobody waits; one that was never there is not asked for again."""
    limit = limit_of("https://vanishing.leadbyte.com")
    async with get_client() as ours:
        rate = SharedRate(ours, limit.name, LOG)
        assert not await rate.is_there()
        create = GlobalConcurrencyLimitCreate(name=limit.name, limit=limit.limit, slot_decay_per_second=limit.decay)
        client.create_global_concurrency_limit(create)
        await rate.take_turn()
        client.delete_global_concurrency_limit_by_name(limit.name)
        await asyncio.gather(*(rate.take_turn() for _ in range(20)))
    (said,) = [record.getMessage() for record in caplog.records if record.name == LOG.name]
    assert said == f"event=rate scope=run limit={limit.name} found=False"
