"""When the ledger cannot be used: one clear error that names it, says what to do, and shows no password."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from leadgate.errors import ConfigError, LedgerError, LedgerUnavailable
from leadgate.ledger import Ledger, claims, open_engine, waiting
from leadgate.ledger.engine import ledger_errors
from leadgate.ledger.status import read_status
from leadgate.ledger.waiting import read_known
from leadgate.model import State
from tests.ledger.steps import LEASE, NOW, PIPELINE, attempt, claim, history, intend, leads, make_ready, states
from tests.support.ledgers import new_engine
from tests.support.postgres import PostgresServer
from tests.support.process import free_port

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.mark.parametrize("url", ["", "leadgate.db", "/var/lib/leadgate.db", "postgresql://u:se/cret@h:x/db", "sqlite:"])
def test_an_address_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    """The error shows two that are, and not a part of this one, which may hold a password."""
    with pytest.raises(ConfigError, match=r"^ledger\.url: .*sqlite:///leadgate\.db or postgresql://") as error:
        open_engine(url, base_dir=tmp_path)
    assert "cret" not in str(error.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_ledger_in_memory_is_refused(url: str, tmp_path: Path) -> None:
    """It would forget what was sent, and send it again."""
    with pytest.raises(ConfigError, match=r"^ledger\.url: a ledger in memory would forget.*name a file"):
        open_engine(url, base_dir=tmp_path)


@pytest.mark.parametrize("backend", ["mysql+pymysql", "mariadb+pymysql", "mssql+pyodbc"])
def test_another_database_is_refused(backend: str, tmp_path: Path) -> None:
    """A source may be kept in MySQL, the ledger may not."""
    with pytest.raises(ConfigError, match="kept in SQLite or PostgreSQL: write") as error:
        open_engine(f"{backend}://user:secret@db.example/leadgate", base_dir=tmp_path)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("driver", ["postgresql+nothing", "postgresql+pg8000", "sqlite+nothing"])
def test_a_driver_that_is_not_there_is_an_error(driver: str, tmp_path: Path) -> None:
    """The error says which address has one."""
    place = "/leadgate.db" if driver.startswith("sqlite") else "user:secret@db.example/leadgate"
    with pytest.raises(ConfigError, match=r"its driver is not installed: write postgresql:// or") as error:
        open_engine(f"{driver}://{place}", base_dir=tmp_path)
    assert "secret" not in str(error.value)


def test_a_relative_file_lies_beside_the_pipeline_file(tmp_path: Path) -> None:
    """Wherever the command is started."""
    (tmp_path / "below").mkdir()
    open_engine("sqlite:///below/leadgate.db", base_dir=tmp_path, create=True).dispose()
    assert (tmp_path / "below" / "leadgate.db").is_file()


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """It is not made: a wrong name would make a second, empty ledger, and every lead would be new."""
    with pytest.raises(ConfigError, match=f"there is no folder {tmp_path}/nowhere: create it"):
        open_engine("sqlite:///nowhere/leadgate.db", base_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_ledger_is_left_as_it_is(tmp_path: Path) -> None:
    """Another file, or a folder, cannot be used, and trying again would not help."""
    file = tmp_path / "notes.txt"
    file.write_text("Not a database, but notes that someone still wants to have.\n" * 20, encoding="utf-8")
    before = file.read_bytes()
    for name in (file.name, "."):
        with pytest.raises(LedgerError, match=r"^ledger /.*Check that `ledger.url` names a ledger") as error:
            open_engine(f"sqlite:///{name}", base_dir=tmp_path)
        assert not isinstance(error.value, LedgerUnavailable)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://user:secret@127.0.0.1:{port}/leadgate",
        "postgres://user@127.0.0.1:{port}/leadgate?password=secret",
    ],
)
def test_a_postgresql_that_is_down_is_named_without_its_password(address: str, tmp_path: Path) -> None:
    """The run may be tried again: LedgerUnavailable says so. No cause hangs on it that would show the password."""
    with pytest.raises(
        LedgerUnavailable, match=r"^ledger postgresql 127\.0\.0\.1:\d+/leadgate: .*Nothing is lost"
    ) as error:
        open_engine(address.format(port=free_port()), base_dir=tmp_path)
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


@on_postgresql
def test_a_connection_that_was_cut_between_two_steps_is_replaced(
    ledger: Ledger, engine: Engine, postgres_server: PostgresServer
) -> None:
    """A restart of PostgreSQL between two statements of a run is not even noticed."""
    waiting.register(ledger, leads("1"), now=NOW)
    cut_connections(postgres_server, engine)
    assert waiting.register(ledger, leads("2"), now=NOW).new == 1
    cut_connections(postgres_server, engine)
    assert read_known(ledger, ["1", "2"]) == {"1", "2"}


@on_postgresql
@pytest.mark.parametrize("statement", ["UPDATE leadgate_entries", "INSERT INTO leadgate_attempts"])
def test_a_connection_that_is_cut_inside_a_step_undoes_the_step(
    ledger: Ledger, engine: Engine, postgres_server: PostgresServer, statement: str
) -> None:
    """Nothing was committed, so nothing may be sent; the next try succeeds."""
    sent = attempt(claim(ledger, "17"))
    before = history(engine, "17")
    cut: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def cut_once(*given: Any) -> None:  # noqa: ANN401
        if given[2].startswith(statement) and not cut:
            cut.append(given[2])
            cut_connections(postgres_server, engine)

    with pytest.raises(LedgerUnavailable, match="run again"):
        intend(ledger, sent)
    assert cut
    assert history(engine, "17") == before
    assert intend(ledger, sent) == {"17"}


def cut_connections(server: PostgresServer, engine: Engine) -> None:
    """End every connection to the ledger, as a restart of PostgreSQL would."""
    with server.connect("postgres") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [engine.url.database]
        )


@pytest.fixture
def impatient(database_url: str, engine: Engine, tmp_path: Path) -> Ledger:
    """A run that waits for a locked SQLite file only for a moment; `engine` has made the file."""
    return Ledger(open_engine(f"{database_url}?timeout=0.05", base_dir=tmp_path), pipeline=PIPELINE, owner="second")


def locked(engine: Engine) -> "closing[sqlite3.Connection]":
    """Another program that writes to the file, and takes its time."""
    other = sqlite3.connect(str(engine.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return closing(other)


@on_sqlite
@pytest.mark.parametrize(
    "step",
    [
        lambda ledger: waiting.register(ledger, leads("2"), now=NOW),
        lambda ledger: claims.claim(ledger, limit=1, lease=LEASE, now=NOW),
        lambda ledger: claims.release(ledger, now=NOW),
    ],
    ids=["register", "claim", "release"],
)
def test_a_sqlite_file_that_stays_locked_is_named(
    impatient: Ledger, ledger: Ledger, engine: Engine, step: Callable[[Ledger], object]
) -> None:
    """The run may be tried again, and then succeeds."""
    make_ready(ledger, "1")
    with locked(engine), pytest.raises(LedgerUnavailable, match=r"leadgate\.db: .*database is locked.*free the file"):
        step(impatient)
    assert states(engine, "1") == [State.READY]
    step(impatient)
    impatient.close()


@on_sqlite
def test_reading_does_not_wait_for_who_writes(
    impatient: Ledger, ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    """A status is told, and the ledger opened, while a run is writing."""
    waiting.register(ledger, leads("1"), now=NOW)
    with locked(engine):
        assert read_status(impatient).counts[State.WAITING] == 1
        open_engine(f"{engine.url.render_as_string()}?timeout=0.05", base_dir=tmp_path).dispose()
    impatient.close()


@on_sqlite
def test_a_file_that_may_not_be_written_is_no_passing_trouble(ledger: Ledger, engine: Engine) -> None:
    """Trying again would not help: the error says to look at the address."""

    @event.listens_for(engine, "begin")
    def forbid_writing(connection: Any) -> None:  # noqa: ANN401
        connection.exec_driver_sql("pragma query_only = on")

    with pytest.raises(LedgerError, match=r"attempt to write a readonly database.*may write") as error:
        waiting.register(ledger, leads("1"), now=NOW)
    assert not isinstance(error.value, LedgerUnavailable)


@on_sqlite
def test_what_was_committed_to_sqlite_survives_a_power_cut(engine: Engine) -> None:
    """An intent that was lost would let a lead be acted on twice, so each commit reaches the disk."""
    with engine.connect() as connection:
        pragmas = [connection.exec_driver_sql(f"pragma {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]


def test_a_run_with_too_many_connections_is_told_so(engine: Engine) -> None:
    """It is one of ours, too, and may be tried again."""
    with pytest.raises(LedgerUnavailable, match="all connections are in use"), ledger_errors(engine):
        raise PoolTimeoutError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datestyle", "German, DMY"),
        ("intervalstyle", "iso_8601"),
        ("client_encoding", "EUC_TW"),
        ("timezone", "Asia/Kolkata"),
        ("array_nulls", "off"),
        ("standard_conforming_strings", "off"),
        ("extra_float_digits", "-15"),
        ("default_transaction_isolation", "serializable"),
    ],
)
def test_a_postgresql_whose_sessions_are_set_up_otherwise_keeps_the_same(
    postgres_url: str, tmp_path: Path, name: str, value: str
) -> None:
    """What a database sets for each session changes nothing that is kept: ids such as NULL, and instants."""
    base = create_engine(f"{postgres_url}?client_encoding=utf8", isolation_level="AUTOCOMMIT")
    with base.connect() as connection:
        connection.execute(text(f"alter database {base.url.database} set {name} = '{value}'"))
    try:
        made = new_engine(postgres_url, base_dir=tmp_path, pipelines=(PIPELINE,))
        book = Ledger(made, pipeline=PIPELINE, owner="first")
        make_ready(book, "NULL", "a\\'b", "ü")
        held = claims.claim(book, limit=9, lease=LEASE, now=NOW)
        assert {each.lead_id: each.quarantined_at for each in held} == dict.fromkeys(
            ("NULL", "a\\'b", "ü"), NOW - timedelta(hours=1)
        )
        claims.release(book, now=NOW)
        made.dispose()
    finally:
        with base.connect() as connection:
            connection.execute(text(f"alter database {base.url.database} reset {name}"))
        base.dispose()


@pytest.mark.parametrize(
    "options", ["sslmode=s3cret", "options=-c%20nope=1", "service=nope", "row_factory=x", "prepare_threshold=x"]
)
def test_an_option_that_no_driver_takes_is_no_outage(postgres_url: str, tmp_path: Path, options: str) -> None:
    """It would not pass, however often a run tries."""
    with pytest.raises(ConfigError, match=r"^ledger\.url: an option of the address.*correct it") as error:
        open_engine(f"{postgres_url}?{options}", base_dir=tmp_path, create=True)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("option", ["detect_types=x", "check_same_thread=x", "cached_statements=x"])
def test_an_option_that_sqlite_does_not_take_is_none_either(tmp_path: Path, option: str) -> None:
    """Whether SQLAlchemy or the driver finds out."""
    with pytest.raises(ConfigError, match=r"^ledger\.url: an option of the address"):
        open_engine(f"sqlite:///leadgate.db?{option}", base_dir=tmp_path, create=True)


def test_a_ledger_that_cannot_be_seen_is_not_a_missing_one(postgres_server: PostgresServer, postgres_url: str) -> None:
    """Who is told to make one would make a second. A server that only reads unless it is told is told."""
    open_engine(postgres_url, base_dir=Path(), create=True).dispose()
    name = postgres_url.rpartition("/")[2]
    with postgres_server.connect(name) as connection:
        try:
            connection.execute(f"alter database {name} set search_path = nowhere".encode())
            with pytest.raises(LedgerError, match="no schema of the user's search_path is there"):
                open_engine(postgres_url, base_dir=Path())
            connection.execute(f"alter database {name} reset search_path".encode())
            connection.execute(f"alter database {name} set default_transaction_read_only = on".encode())
            engine = open_engine(postgres_url, base_dir=Path())
            with engine.begin() as writing:
                writing.execute(text("create table leadgate_trial (id int)"))
            engine.dispose()
        finally:
            connection.execute("set default_transaction_read_only = off")
            connection.execute(f"alter database {name} reset all".encode())
