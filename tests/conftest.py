"""What every test may ask for: real databases and a real Prefect server, each started when first wanted."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from leadgate import sign_of_life
from leadgate.sandbox import Sandbox, sandbox_thread
from tests.support.mariadb import MariaDBMissing, MariaDBServer, check_may_be_emptied
from tests.support.mariadb import empty_database as empty_mariadb
from tests.support.postgres import PostgresServer
from tests.support.process import reserve_port

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.prefect_server import PrefectServer

_DATABASE = "leadgate_test"
_prefect_home = tempfile.mkdtemp(prefix="leadgate-prefect-home-")
atexit.register(shutil.rmtree, _prefect_home, ignore_errors=True)
_prefect_port = reserve_port()

# Prefect reads these when it is first imported, and every process a test starts inherits them. The address is
# known before the server runs, so a flow test that forgot to ask for the server fails and starts none silently.
os.environ |= {
    "DO_NOT_TRACK": "1",
    "PREFECT_API_URL": f"http://127.0.0.1:{_prefect_port.getsockname()[1]}/api",
    "PREFECT_HOME": _prefect_home,
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
for _name in ("PREFECT_API_KEY", "PREFECT_PROFILE"):
    os.environ.pop(_name, None)


# A machine that pauses for a moment breaks no property: what takes long is measured in benchmarks/.
settings.register_profile("untimed", parent=settings(), deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def no_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no command within this process show what it is doing: a machine that pauses changes no exact output."""
    monkeypatch.setattr(sign_of_life, "FIRST_AFTER", 3600)


@pytest.fixture
def leadbyte() -> Iterator[Sandbox]:
    """A practice LeadByte, on which nothing may act twice on one lead."""
    with sandbox_thread() as sandbox:
        yield sandbox
    assert sandbox.quarantine.acted_twice() == []


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'leadgate.db'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test process, with one database for the tests."""
    server = PostgresServer()
    server.create_database(_DATABASE)
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The address of a PostgreSQL database with nothing in it."""
    postgres_server.empty_database(_DATABASE)
    return postgres_server.url(_DATABASE)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: each test that asks runs once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]))


@pytest.fixture(scope="session")
def mariadb_server_url() -> Iterator[str]:
    """The address of a database on a MariaDB; skips without one, unless LEADGATE_TEST_MARIADB=required."""
    given = os.environ.get("LEADGATE_TEST_MARIADB_URL")
    if given:
        yield check_may_be_emptied(given)
        return
    try:
        server = MariaDBServer()
    except MariaDBMissing as missing:
        if os.environ.get("LEADGATE_TEST_MARIADB") == "required":
            raise
        pytest.skip(str(missing))
    yield server.url(_DATABASE)
    server.stop()


@pytest.fixture
def mariadb_url(mariadb_server_url: str) -> str:
    """The address of a MariaDB database with nothing in it."""
    empty_mariadb(mariadb_server_url)
    return mariadb_server_url


@pytest.fixture(scope="session")
def prefect_process() -> "Iterator[PrefectServer]":
    """A running Prefect server, which every flow of this test process talks to."""
    from tests.support.prefect_server import PrefectServer  # noqa: PLC0415 - httpx is only wanted by flow tests

    server = PrefectServer(_prefect_port)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def prefect_server(prefect_process: "PrefectServer") -> str:
    """The API address of the Prefect server."""
    return prefect_process.api_url


@pytest.fixture
def page() -> "Iterator[Page]":
    """An empty page in a real Chromium; skips without one, unless LEADGATE_NEEDS_BROWSER=1."""
    from tests.support.browser import ChromiumMissing, find_chromium, is_needed, open_page  # noqa: PLC0415 - as above

    try:
        find_chromium()
    except ChromiumMissing as missing:
        if is_needed():
            raise
        pytest.skip(str(missing))
    with open_page() as page:
        yield page
