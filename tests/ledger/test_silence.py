"""A network that takes everything and answers nothing: whatever was asked of the ledger ends by itself."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from leadgate.errors import LedgerUnavailable
from leadgate.ledger import open_engine
from leadgate.ledger.engine import ledger_errors
from leadgate.silence import end_with
from tests.support.ledgers import new_engine
from tests.support.stalling import StallingProxy


@pytest.fixture
def silent_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server counts as silent after two seconds."""
    monkeypatch.setattr("leadgate.ledger.engine._SILENT_SECONDS", 2)


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[StallingProxy]:
    """The way to the tests' PostgreSQL."""
    with StallingProxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture
def url(postgres_url: str, proxy: StallingProxy, tmp_path: Path) -> str:
    """The address of a ledger behind the proxy."""
    new_engine(postgres_url, base_dir=tmp_path).dispose()
    return proxy.url


def ask(engine: Engine, between: Callable[[], None]) -> None:
    """Ask the ledger's server twice on one connection, and do something in between."""
    with ledger_errors(engine), engine.connect() as connection:
        connection.execute(text("select 1"))
        between()
        connection.execute(text("select 1"))


@pytest.mark.usefixtures("silent_soon")
def test_a_statement_without_an_answer_ends(url: str, proxy: StallingProxy, tmp_path: Path) -> None:
    """One sentence that names the ledger, within the time, on a connection that was well before."""
    engine = open_engine(url, base_dir=tmp_path)
    began = time.monotonic()
    with pytest.raises(LedgerUnavailable, match=r"^ledger postgresql .*no answer in time.* run again\.$"):
        ask(engine, between=proxy.stall)
    assert 1.5 < time.monotonic() - began < 10
    engine.dispose()


def test_a_new_connection_without_an_answer_ends(url: str, proxy: StallingProxy, tmp_path: Path) -> None:
    """Also where the port takes the connection."""
    proxy.stall()
    began = time.monotonic()
    with pytest.raises(LedgerUnavailable, match="no answer in time"):
        open_engine(f"{url}?connect_timeout=2", base_dir=tmp_path)
    assert time.monotonic() - began < 15


def test_who_was_asked_to_end_waits_no_longer(url: str, proxy: StallingProxy, tmp_path: Path) -> None:
    """A statement that waits when the signal comes ends in time, and so does each that comes after."""
    engine = open_engine(url, base_dir=tmp_path)
    began = time.monotonic()
    end_with(engine, lambda: began + 3)
    for _ in range(2):
        with pytest.raises(LedgerUnavailable):
            ask(engine, between=proxy.stall)
    assert 2 < time.monotonic() - began < 12
    engine.dispose()


@pytest.mark.usefixtures("silent_soon")
def test_a_result_that_goes_on_is_not_silent(url: str, tmp_path: Path) -> None:
    """What counts is the time without a word, not that of the whole read."""
    engine = open_engine(url, base_dir=tmp_path)
    slow = "select repeat('x', 9000), pg_sleep(0.01) from generate_series(1, 300)"
    with ledger_errors(engine), engine.connect() as connection:
        connection.execute(text("set statement_timeout = 0"))
        assert len(connection.execute(text(slow)).all()) == 300
    engine.dispose()
