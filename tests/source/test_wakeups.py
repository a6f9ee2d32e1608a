"""Waking up at once on PostgreSQL: what ends a wait, and what may go wrong without anybody's noticing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from leadgate.source import wakeups as module
from leadgate.source.wakeups import Wakeups
from leadgate.stopping import Stop
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
HOUR = timedelta(hours=1)
QUIET_SECONDS = 0.3
"""How long a wait must go on to show that nothing was heard."""


@pytest.fixture
def owner(postgres_url: str) -> Iterator[psycopg.Connection]:
    """A connection of whoever writes to the source; each statement is committed."""
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


@pytest.fixture
def stop() -> Stop:
    """A run that nobody has asked to stop."""
    return Stop()


@pytest_asyncio.fixture
async def wakeups(postgres_url: str, stop: Stop) -> AsyncIterator[Wakeups]:
    """Wake-ups that listen already, and will connect again at once."""
    wakeups = Wakeups(postgres_url)
    await wakeups.wait(HOUR, stop)
    yield wakeups
    wakeups.close()


async def hear(wakeups: Wakeups, stop: Stop) -> None:
    """Wait until there is something to be heard."""
    async with asyncio.timeout(30):
        await wakeups.wait(HOUR, stop)


async def hear_nothing(wakeups: Wakeups, stop: Stop) -> None:
    """Fail if there is something to be heard."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(QUIET_SECONDS):
            await wakeups.wait(HOUR, stop)


async def notice_the_loss(wakeups: Wakeups, stop: Stop) -> None:
    """Wait, as a run does, until it is seen that there is no connection any more."""
    while wakeups._connection:
        await wakeups.wait(timedelta(milliseconds=20), stop)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again without a pause."""
    monkeypatch.setattr(module, "TRY_AGAIN_AFTER", timedelta())


def listeners(owner: psycopg.Connection) -> list[int]:
    """The server's processes that belong to connections which listen."""
    found = owner.execute(
        "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN leadgate' AND datname = current_database()"
    )
    return [pid for (pid,) in found]


async def test_having_connected_is_itself_a_reason_to_look(postgres_url: str, stop: Stop) -> None:
    """What was told before that was heard by nobody; so the first wait ends as soon as there is a connection."""
    wakeups = Wakeups(postgres_url)
    await hear(wakeups, stop)
    await hear_nothing(wakeups, stop)
    wakeups.close()


async def test_a_notification_ends_the_wait(wakeups: Wakeups, stop: Stop, owner: psycopg.Connection) -> None:
    """Also one that came while nobody waited, since the connection stays."""
    waiting = asyncio.create_task(wakeups.wait(HOUR, stop))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    owner.execute("NOTIFY leadgate")
    async with asyncio.timeout(30):
        await waiting
    owner.execute("NOTIFY leadgate, 'with words, which nobody reads'")
    await hear(wakeups, stop)


async def test_a_burst_is_one_wake_up(wakeups: Wakeups, stop: Stop, owner: psycopg.Connection) -> None:
    """A thousand notifications are heard at once, and none is left for the next wait."""
    for _ in range(1000):
        owner.execute("NOTIFY leadgate")
    await hear(wakeups, stop)
    await hear_nothing(wakeups, stop)


async def test_another_channel_is_not_heard(wakeups: Wakeups, stop: Stop, owner: psycopg.Connection) -> None:
    """The database may have channels of its own."""
    owner.execute("NOTIFY something_else")
    await hear_nothing(wakeups, stop)


async def test_a_stop_ends_the_wait(wakeups: Wakeups, stop: Stop) -> None:
    """At once, and not when the span is over."""
    waiting = asyncio.create_task(wakeups.wait(HOUR, stop))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    stop.request("SIGTERM")
    async with asyncio.timeout(30):
        await waiting
    assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing goes on after the wait"


async def test_the_end_of_the_span_ends_the_wait(wakeups: Wakeups, stop: Stop) -> None:
    """A source that says nothing is looked at all the same, and the connection is kept."""
    for _ in range(3):
        await wakeups.wait(timedelta(milliseconds=20), stop)
    await hear_nothing(wakeups, stop)


@pytest.mark.usefixtures("at_once")
async def test_a_lost_connection_is_made_again(
    postgres_url: str, stop: Stop, owner: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """The wait in which it is lost lasts its span; the next connects, and ends since something may have been missed."""
    caplog.set_level(logging.INFO, logger="leadgate")
    wakeups = Wakeups(postgres_url)
    await hear(wakeups, stop)
    for _ in range(2):
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", listeners(owner))
        await notice_the_loss(wakeups, stop)
        await hear(wakeups, stop)
    owner.execute("NOTIFY leadgate")
    await hear(wakeups, stop)
    wakeups.close()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["event=no_wakeups error=OperationalError"], "one line, however often"


async def test_a_connection_that_keeps_being_lost_is_not_run_after(
    wakeups: Wakeups, stop: Stop, owner: psycopg.Connection
) -> None:
    """After one try the waits last their spans, until it is time for the next."""
    owner.execute("SELECT pg_terminate_backend(%s, 5000)", listeners(owner))
    await notice_the_loss(wakeups, stop)
    await hear_nothing(wakeups, stop)
    assert listeners(owner) == []


@pytest.mark.usefixtures("at_once")
async def test_a_server_that_is_down_is_waited_for(stop: Stop, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is raised, each wait lasts its span, and the wait hears again when the server is back."""
    caplog.set_level(logging.INFO, logger="leadgate")
    server = PostgresServer()
    try:
        wakeups = Wakeups(server.url("postgres"))
        await hear(wakeups, stop)
        await asyncio.to_thread(server.restart)
        await notice_the_loss(wakeups, stop)
        await hear(wakeups, stop)
        with server.connect("postgres") as connection:
            connection.execute("NOTIFY leadgate")
        await hear(wakeups, stop)
    finally:
        server.stop()
    await notice_the_loss(wakeups, stop)
    for _ in range(3):
        await wakeups.wait(timedelta(milliseconds=20), stop)
    await hear_nothing(wakeups, stop)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("address", ["sqlite:///source.db", "mysql+pymysql://u:p@127.0.0.1:1/db"])
async def test_other_databases_are_waited_for_as_ever(address: str, stop: Stop) -> None:
    """The span and the stop end the wait, and no connection is tried."""
    wakeups = Wakeups(address)
    await wakeups.wait(timedelta(milliseconds=20), stop)
    await hear_nothing(wakeups, stop)
    stop.request("SIGTERM")
    await hear(wakeups, stop)
    wakeups.close()


async def test_closing_ends_the_connection(wakeups: Wakeups, owner: psycopg.Connection) -> None:
    """The server is rid of it, and a second time does nothing."""
    assert len(listeners(owner)) == 1
    wakeups.close()
    wakeups.close()
    await asyncio.to_thread(wait_until, lambda: not listeners(owner), what="the server has let it go")


@pytest.mark.parametrize(
    ("statement", "wakes"),
    [
        ("INSERT INTO lead_enrichment (quarantine_id) SELECT generate_series(2, 1001)", True),
        (
            "INSERT INTO lead_enrichment VALUES (1) ON CONFLICT (quarantine_id) DO UPDATE SET score = 1",
            True,
        ),
        ("UPDATE lead_enrichment SET score = 0.5", True),
        ("COPY lead_enrichment (quarantine_id) FROM PROGRAM 'echo 7'", True),
        ("INSERT INTO quarantined_leads (quarantine_id) VALUES (2)", True),
        ("DELETE FROM lead_enrichment", False),
        ("SELECT count(*) FROM lead_enrichment", False),
    ],
)
async def test_the_example_trigger_wakes_leadgate(
    wakeups: Wakeups, stop: Stop, owner: psycopg.Connection, statement: str, wakes: bool
) -> None:
    """examples/notify_postgresql.sql as it stands, on the tables of examples/source_postgresql.sql."""
    for script in ("source_postgresql.sql", "notify_postgresql.sql"):
        owner.execute((EXAMPLES / script).read_text(encoding="utf-8").encode())
    owner.execute("INSERT INTO lead_enrichment (quarantine_id) VALUES (1)")
    await hear(wakeups, stop)
    owner.execute(statement.encode())
    await (hear if wakes else hear_nothing)(wakeups, stop)
    await hear_nothing(wakeups, stop)  # a statement is one notification
