"""How a ledger's database is opened: dialects, pragmas, migrations, and errors that name it without its password."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from leadgate.addresses import POSTGRESQL_SETTINGS, holds_a_stray_at, parse_address, shown
from leadgate.driver_words import driver_words, option_errors
from leadgate.errors import ConfigError, LedgerError, LedgerUnavailable
from leadgate.ledger.file import LedgerFile
from leadgate.ledger.many_rows import read_json
from leadgate.ledger.schema import REVISION, metadata
from leadgate.silence import Patience

_READS_ONLY = "leadgate_reads_only"
_ENCODINGS = frozenset({"UTF8", "SQL_ASCII"})
_OPTIONS = "ledger.url: an option of the address, behind its ?, cannot be used: correct it, or leave it out"
_NAMES = {table.name for table in metadata.tables.values()}
_NAMES |= {str(rule.name) for table in metadata.tables.values() for rule in table.constraints}
"""What the ledger's tables and constraints are called: harmless, wherever a driver quotes them."""
_SILENT_SECONDS = 60
"""How long a server may be silent, and a statement or a wait for a lock may last, as on SQLite."""
_OF_SESSION = {
    "default_transaction_read_only": "off",
    "statement_timeout": f"{_SILENT_SECONDS - 5}s",  # its server gives up first, and says so
    # A run that is not heard of any more gives up its locks, whatever the network between still acknowledges.
    "idle_in_transaction_session_timeout": "5min",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_MIGRATION_LOCK = 0x6C656164  # "lead": one process migrates a PostgreSQL ledger, the others wait
_MIGRATIONS = "leadgate.ledger:migrations"
_ALEMBIC = threading.Lock()  # Alembic keeps the migration that runs in a global
_GIVES_WAY = ("40001", "40P01")
"""PostgreSQL's codes for a transaction that it ended for the sake of another: not serializable, deadlock."""
_SQLITE_PASSES = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_PROTOCOL")


class GaveWay(LedgerUnavailable):
    """The database ended a transaction so that another run's could go on."""


def open_engine(url: str, *, base_dir: Path, create: bool = False) -> Engine:
    """Connect to the ledger and bring its tables up to date; relative SQLite files are relative to `base_dir`.

    A ledger is made only with `create`: a run must not take a lost ledger for a new one. Raises ConfigError for a bad
    address, LedgerUnavailable without an answer, and LedgerError if there is no ledger, or one that cannot be written
    or that another version of leadgate has written.
    """
    parsed = _resolve(url, base_dir)
    engine = _sqlite(parsed, create=create) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    try:
        with ledger_errors(engine), option_errors(ConfigError(_OPTIONS)):
            engine.connect().close()
        with ledger_errors(engine):
            _migrate(engine, create=create)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _check_database(connection: Connection) -> None:
    """Refuse a PostgreSQL database whose encoding cannot hold every text, or without a schema to look in."""
    schema, encoding = connection.execute(text("select current_schema(), current_setting('server_encoding')")).one()
    where = f"ledger {shown(connection.engine.url)}"
    if schema is None:
        raise LedgerError(
            f"{where}: no schema of the user's search_path is there, so that no ledger can be seen: correct it"
        )
    if encoding not in _ENCODINGS:
        raise LedgerError(
            f"{where}: its encoding {encoding} does not hold every text: make a database WITH ENCODING 'UTF8' for it"
        )


@contextmanager
def ledger_errors(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into ours, which name the ledger and never show its password."""
    try:
        yield
    except PoolTimeoutError:
        raise LedgerUnavailable(
            f"ledger {shown(engine.url)}: all connections are in use. Run again with a lower leadbyte.concurrency."
        ) from None
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _GIVES_WAY:
            raise GaveWay(
                f"ledger {shown(engine.url)}: other runs kept changing the same leads. Nothing is lost: run again."
            ) from None
        if _passes(error):
            raise LedgerUnavailable(
                f"ledger {shown(engine.url)}: cannot be used right now ({driver_words(error, _NAMES)}). "
                "Nothing is lost: start the database again (or free the file) and run again."
            ) from None
        raise LedgerError(
            f"ledger {shown(engine.url)}: refused a statement ({driver_words(error, _NAMES)}). "
            "Check that `ledger.url` names a ledger which this user may write."
        ) from None


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that only reads: on SQLite it does not stand in a writer's way."""
    with ledger_errors(engine), engine.connect().execution_options(**{_READS_ONLY: True}) as connection:
        yield connection


def _resolve(url: str, base_dir: Path) -> URL:
    try:
        parsed = parse_address(url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "ledger.url: is not a database address: write sqlite:///leadgate.db or postgresql://USER@HOST/DB"
        ) from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigError(
            "ledger.url: the ledger is kept in SQLite or PostgreSQL: write sqlite:///FILE or postgresql://USER@HOST/DB"
        )
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in {None, "", ":memory:"}:
            raise ConfigError(
                "ledger.url: a ledger in memory would forget what was sent: name a file, such as sqlite:///leadgate.db"
            )
        named = base_dir / str(parsed.database)
        file = named.parent.resolve() / named.name  # a link in its place is seen as one where a ledger is made
        if not file.parent.is_dir():
            raise ConfigError(f"ledger.url: there is no folder {file.parent}: create it, or name a file in another one")
        return parsed.set(database=str(file))
    if holds_a_stray_at(url):
        raise ConfigError("ledger.url: holds more than one @: in a password write @ as %40 and / as %2F")
    return parsed


def _sqlite(url: URL, *, create: bool) -> Engine:
    # How long a writer waits for the others; `?timeout=5` in the address says otherwise.
    patience = {} if "timeout" in url.query else {"timeout": _SILENT_SECONDS}
    with _driver_errors():
        engine = create_engine(
            url,
            hide_parameters=True,
            json_deserializer=read_json,
            connect_args=patience,
            # What a connection has read stays in its memory until another one has written.
            pool_use_lifo=True,
        )
    file = LedgerFile(str(url.database), create=create)
    if not (create or file.is_there):
        raise _no_ledger(url)
    event.listen(engine, "do_connect", file.connect)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", file.check)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: URL) -> Engine:
    with _driver_errors():
        engine = create_engine(
            url,
            hide_parameters=True,
            json_deserializer=read_json,
            pool_pre_ping=True,
            connect_args={"client_encoding": "utf8"},
            # Whatever the server's default: who waited for a lock must see what the other has written.
            isolation_level="READ COMMITTED",
        )
    event.listen(engine, "connect", _prepare_postgresql)
    Patience(_SILENT_SECONDS).bound(engine)
    return engine


@contextmanager
def _driver_errors() -> Iterator[None]:
    try:
        yield
    except (NoSuchModuleError, ImportError):
        raise ConfigError(
            "ledger.url: its driver is not installed: write postgresql:// or sqlite:///, without +DRIVER"
        ) from None
    except (ArgumentError, TypeError, ValueError):
        raise ConfigError(_OPTIONS) from None


def _no_ledger(url: URL) -> LedgerError:
    return LedgerError(
        f"ledger {shown(url)}: there is none, and no run makes one: leads that a lost ledger knew would be acted on "
        "again. If there was one, put it back where `ledger.url` says. If leadgate has never acted on these leads, "
        "type `leadgate ledger create --first-time`. Otherwise type `leadgate ledger create`: leads older than the new "
        "ledger then count as maybe acted on, and wait for evidence."
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401
    connection.isolation_level = None  # transactions begin where we say so, see _begin
    _write_ahead(connection)
    # An intent must survive a power cut, or a lead could be acted on twice after it: commits reach the disk.
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")


def _write_ahead(connection: Any) -> None:  # noqa: ANN401
    """Turn the write-ahead log on: for this statement alone SQLite does not wait for other processes."""
    patience = connection.execute("pragma busy_timeout").fetchone()[0] / 1000
    for attempt in Retrying(
        retry=retry_if_exception(lambda error: getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY"),
        wait=wait_random(0.005, 0.05),
        stop=stop_after_delay(patience),
        reraise=True,
    ):
        with attempt:
            connection.execute("pragma journal_mode = wal")


def _prepare_postgresql(connection: Any, _record: object) -> None:  # noqa: ANN401
    settings = {**POSTGRESQL_SETTINGS, **_OF_SESSION}
    names, values = list(settings), list(settings.values())
    try:
        connection.execute(
            "select set_config(name, value, false) from unnest(%s::text[], %s::text[]) as settings (name, value)",
            [names, values],
        )
        # As above: a server that was told not to wait for the disk would forget intents when it crashes.
        connection.execute(
            "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()
    except BaseException:
        connection.close()  # the pool has not taken it yet
        raise


def _begin(connection: Connection) -> None:
    """Take the write lock before the first read, so that two claims can never see the same ready lead."""
    reads_only = connection.get_execution_options().get(_READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _migrate(engine: Engine, *, create: bool) -> None:
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            _check_database(connection)
        found = _revision(connection)
    if found == REVISION:
        return
    if found is None and not create:
        raise _no_ledger(engine.url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        found = _revision(connection)
        if found != REVISION:
            _upgrade(engine, connection, found)


def _upgrade(engine: Engine, connection: Connection, found: str | None) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, and needed once in a version's life
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise LedgerError(
            f"ledger {shown(engine.url)}: was written by another leadgate (revision {found}, this one knows "
            f"{REVISION}). Upgrade leadgate, or point `ledger.url` at another ledger."
        )
    config.attributes["connection"] = connection
    with _ALEMBIC:
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("leadgate_version"):
        return None
    found: str | None = connection.scalar(text("select version_num from leadgate_version"))
    return found


def _passes(error: DBAPIError) -> bool:
    """Whether the same statement may succeed later. SQLite calls nearly every error operational."""
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorname", None)
    return code.startswith(_SQLITE_PASSES) if code else isinstance(error, OperationalError)
