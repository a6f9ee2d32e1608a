"""One account's rate, held by a row of the ledger: between two processes, and slot by slot."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadgate.clock import Clock, utc_now
from leadgate.errors import LedgerUnavailable
from leadgate.ledger import Ledger
from leadgate.ledger.rate import Rate, reserve_turns
from leadgate.sandbox import Sandbox
from tests.ledger.steps import NOW, PIPELINE
from tests.support.ledgers import new_engine

ROOT = Path(__file__).parents[2]
RATE = 20
_SEND = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from pydantic import SecretStr
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger, open_engine
from leadgate.ledger.rate import Rate
from leadgate.clock import utc_now

url, base_url, key, rate, requests = sys.argv[1:]
ledger = Ledger(open_engine(url, base_dir=Path(".")), pipeline="acme", owner=key)
rate = Rate(ledger, "one", requests_per_second=float(rate))

async def send():
    client = LeadByteClient(base_url=base_url, api_key=SecretStr(key), timeout=timedelta(seconds=9), concurrency=4,
                            clock=utc_now, take_turn=rate.take_turn)
    async with client:
        await asyncio.gather(*(client.check() for _ in range(4)))  # connected: no first request is late
        print("ready", flush=True)
        sys.stdin.readline()
        await asyncio.gather(*(client.check() for _ in range(int(requests))))

asyncio.run(send())
"""


def send_from_two_processes(database_url: str, leadbyte: Sandbox, *, rate: float, requests: int) -> list[datetime]:
    """Let two processes send so many requests each, as fast as they may; return when they arrived, in order."""
    argv = [sys.executable, "-c", _SEND, database_url, leadbyte.url, leadbyte.key, str(rate), str(requests)]
    senders = [
        subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for sender in senders:
        assert sender.stdout
        assert sender.stdout.readline() == "ready\n"
    connected = len(leadbyte.requests)
    for sender in senders:
        assert sender.stdin
        sender.stdin.write("go\n")
        sender.stdin.flush()
    for sender in senders:
        sender.communicate(timeout=100)
        assert sender.returncode == 0
    return sorted(exchange.at for exchange in leadbyte.requests[connected:])


@contextmanager
def opened(url: str, clock: Clock = lambda: NOW) -> Iterator[Ledger]:
    """A ledger on SQLite that goes by a clock; no `ledger`, which the test would be run on PostgreSQL for too."""
    with closing(Ledger(new_engine(url, base_dir=Path()), pipeline=PIPELINE, owner="first", clock=clock)) as ledger:
        yield ledger


def test_two_processes_together_keep_the_rate(engine: Engine, database_url: str, leadbyte: Sandbox) -> None:
    """In no second do more requests arrive than the rate and the little that late ones make up for; few less.

    A machine that pauses lets requests pile up on their way, now and then; a rate that is not kept does so each time.
    """
    for _ in range(3):
        sent = send_from_two_processes(database_url, leadbyte, rate=RATE, requests=30)
        assert len(sent) == 60
        most = max(sum(first <= at < first + timedelta(seconds=1) for at in sent) for first in sent)
        if most <= 1.05 * RATE + 1 and sent[-1] - sent[0] < timedelta(seconds=59 / (0.9 * RATE)):
            return
    pytest.fail(f"{most} requests in one second, {len(sent)} in {sent[-1] - sent[0]}")


def test_slots_follow_each_other_whoever_reserves_them(engine: Engine) -> None:
    """A block is as long as its turns; another account is none of it, and a caller's distance is its own."""
    asked = [("one", 1, 10), ("one", 3, 10), ("one", 1, 50), ("one", 1, 10), ("other", 1, 10)]
    ledger = Ledger(engine, pipeline=PIPELINE, owner="first", clock=lambda: NOW)
    spans = [
        reserve_turns(ledger, account, turns, every=timedelta(seconds=seconds)).total_seconds()
        for account, turns, seconds in asked
    ]
    assert spans == pytest.approx([0, 10, 40, 90, 0], abs=3)  # PostgreSQL's clock goes on meanwhile


def test_an_idle_account_makes_up_for_a_moment_only(sqlite_url: str) -> None:
    """However long nobody sent; and a slot that a wrong clock reserved far ahead is not waited for."""
    clock = iter([NOW, NOW + timedelta(hours=2), NOW])
    with opened(sqlite_url, lambda: next(clock)) as ledger:
        late = timedelta(seconds=-0.01)
        spans = [reserve_turns(ledger, "one", 1, every=timedelta(seconds=1)) for _ in range(3)]
        assert spans == [timedelta(), late, late]


async def test_a_block_is_as_large_as_the_line_and_a_tenth_of_a_second_at_most(sqlite_url: str) -> None:
    """So that neither a hundred requests a second cost a hundred transactions, nor a run that dies much time."""
    asked: list[datetime] = []

    def clock() -> datetime:
        asked.append(NOW)
        return NOW

    with opened(sqlite_url, clock) as ledger:
        rate = Rate(ledger, "one", requests_per_second=1000)
        await asyncio.gather(*(rate.take_turn() for _ in range(100)))
        assert len(asked) == 1
        await rate.take_turn()
        assert len(asked) == 2
        slots = reserve_turns(ledger, "one", 1, every=timedelta(seconds=1))
        assert slots == timedelta(seconds=0.101)


async def test_a_ledger_that_cannot_be_reached_gives_no_turn(sqlite_url: str, tmp_path: Path) -> None:
    """The next one is asked for anew."""
    with opened(f"{sqlite_url}?timeout=0") as ledger:
        rate = Rate(ledger, "one", requests_per_second=10)
        with closing(sqlite3.connect(tmp_path / "leadgate.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerUnavailable):
                await rate.take_turn()
            other.execute("COMMIT")
        await rate.take_turn()


async def test_a_process_that_is_always_held_up_goes_on(sqlite_url: str) -> None:
    """Each of its slots is past when it wakes: it loses one, and uses the next."""
    held_up = asyncio.Event()

    async def hold_up() -> None:
        while not held_up.is_set():
            until = time.monotonic() + 0.04
            while time.monotonic() < until:
                pass
            await asyncio.sleep(0)

    with opened(sqlite_url, utc_now) as ledger:
        rate = Rate(ledger, "one", requests_per_second=50)
        holding = asyncio.create_task(hold_up())
        async with asyncio.timeout(60):
            for _ in range(10):
                await rate.take_turn()
        held_up.set()
        await holding
