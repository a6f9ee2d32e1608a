"""A source on MariaDB behind a network that takes everything and answers nothing: what was asked ends by itself."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from leadgate.errors import SourceUnavailable
from leadgate.source.database import Database
from tests.support.stalling import StallingProxy


@pytest.fixture
def proxy(mariadb_url: str) -> Iterator[StallingProxy]:
    """The way to the tests' MariaDB."""
    with StallingProxy(mariadb_url) as proxy:
        yield proxy


@pytest.fixture
def source(proxy: StallingProxy, tmp_path: Path) -> Iterator[Database]:
    """A source behind the proxy, with one connection in its pool."""
    database = Database.open(proxy.url, tmp_path)
    ask(database)
    yield database
    database.close()


def ask(database: Database) -> None:
    """Ask for one row, on the connection that lies in the pool: SQLAlchemy tries it before it lends it."""
    with database.connect("source") as connection:
        connection.execute(text("select 1"))


def test_who_was_asked_to_end_waits_no_longer(source: Database, proxy: StallingProxy) -> None:
    """What waits when the signal comes ends in time, with the new connection that is tried, and so do others."""
    proxy.stall()
    began = time.monotonic()
    asked_to_end = threading.Timer(1, source.end_with, [lambda: began + 3])
    asked_to_end.start()
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match="cannot be reached right now"):
            ask(source)
    assert 2 < time.monotonic() - began < 12


def test_a_server_that_stays_silent_is_given_up(
    proxy: StallingProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own time, or by that of the address; a new connection that is taken and not greeted too."""
    monkeypatch.setattr("leadgate.silence._CONNECT_SECONDS", 1)
    database = Database.open(f"{proxy.url}?read_timeout=2", tmp_path)
    ask(database)
    proxy.stall()
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="cannot be reached right now"):
        ask(database)
    assert 1.5 < time.monotonic() - began < 10
    database.close()
