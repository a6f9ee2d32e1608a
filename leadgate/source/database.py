"""The connection to the source, which only reads: errors in the user's words, the password never shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from leadgate.addresses import holds_a_stray_at, parse_address, shown
from leadgate.driver_words import driver_words, option_errors
from leadgate.errors import LeadgateError, SourceError, SourceUnavailable
from leadgate.silence import Patience, end_with
from leadgate.source.sessions import set_up_sessions

_ADDRESSES = {
    "sqlite": "sqlite:///FILE",
    "postgresql": "postgresql://USER:PASSWORD@HOST/DATABASE",
    "mysql": "mysql://USER:PASSWORD@HOST/DATABASE",
    "mariadb": "mysql://USER:PASSWORD@HOST/DATABASE",
}
_WRITE = "Write " + ", ".join(dict.fromkeys(_ADDRESSES.values())) + "."
_OPTIONS = "source.url: an option of the address, behind its ?, cannot be used: correct it, or leave it out."
_SILENT_SECONDS = 240
"""How long its server may work on one statement without a word."""
_CORRECT = "Correct it; `leadgate check` looks again."
_READS = "Compare the pipeline file with the database, and see that its user may SELECT; `leadgate check` looks again."

# SQLite and MariaDB say with one class that they cannot be reached and that a column is wrong.
_SQLITE_UNAVAILABLE = ("locked", "busy", "unable to open", "disk i/o", "interrupted")
_MYSQL_UNAVAILABLE = frozenset(
    {1040, 1041, 1053, 1077, 1129, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 1317, 1927, 1969}
)
"""MariaDB's and MySQL's own codes; those of the driver, for a server that is not there, begin with 2000."""
_MYSQL_DRIVER = 2000


class Database:
    """One engine on the user's database; threads may share it."""

    def __init__(self, engine: Engine, shown: str) -> None:
        self._engine = engine
        self._shown = shown

    @classmethod
    def open(cls, address: str, base_dir: Path) -> "Database":
        """Prepare connections to `address`; raise SourceError when it or its driver is wrong. Connects to nothing.

        The database itself is told to let nothing be written.
        """
        try:
            url = parse_address(address)
            is_async = url.get_dialect().is_async
        except ArgumentError:
            # Its text may repeat the address, and with it the password.
            raise SourceError(f"source.url: is no database address that SQLAlchemy knows. {_WRITE}") from None
        backend = url.get_backend_name()
        example = _ADDRESSES.get(backend, "one with a driver that is installed")
        if is_async:
            raise SourceError(
                f"source.url: {url.drivername} is an asyncio driver, and the source is read without. Write {example}."
            )
        if backend != "sqlite" and holds_a_stray_at(address):
            raise SourceError(
                f"source.url: holds more than one @. In a password write @ as %40 and / as %2F: {example}."
            )
        try:
            engine = create_engine(
                _existing_file(url, base_dir) if backend == "sqlite" else url,
                # A prepared statement is lost behind a pooler such as PgBouncer.
                connect_args={"prepare_threshold": None, "client_encoding": "utf8"}
                if url.get_driver_name() == "psycopg"
                else {},
                # A restarted server is noticed before a statement is lost on it.
                pool_pre_ping=True,
                hide_parameters=True,
                # BEGIN READ ONLY for each transaction: a SET would outlive it in a pooler's shared session.
                execution_options={"postgresql_readonly": True} if backend == "postgresql" else {},
            )
        except ImportError as error:
            raise SourceError(
                f"source.url: {url.drivername} needs {error.name}: install it, or write {example}."
            ) from None
        except (SQLAlchemyError, TypeError, ValueError) as error:
            raise SourceError(f"source.url: cannot be used ({type(error).__name__}). {_WRITE}") from None
        set_up_sessions(engine)
        Patience(_SILENT_SECONDS).bound(engine)
        return cls(engine, shown(url))

    @contextmanager
    def connect(self, where: str) -> Iterator[Connection]:
        """Lend a connection; every SQLAlchemy error becomes SourceUnavailable or a SourceError that names `where`."""
        try:
            with self._open(where) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._explain(error, where) from None
        except LeadgateError:
            raise
        except Exception as error:  # noqa: BLE001 - drivers raise much beside the errors that SQLAlchemy knows
            raise SourceError(f"{where} ({self._engine.dialect.name}): {driver_words(error)}. {_READS}") from None

    def _open(self, where: str) -> Connection:
        try:
            with option_errors(SourceError(_OPTIONS)):
                return self._engine.connect()
        except SQLAlchemyError as error:
            found = self._explain(error, where)
            if isinstance(found, SourceUnavailable):
                raise found from None
            # Nothing was asked of a table yet.
            raise SourceError(f"source.url ({self.dialect.name}): {driver_words(error)}. {_CORRECT}") from None

    def end_with(self, ends_at: Callable[[], float | None]) -> None:
        """Wait no longer than the process may, once it is asked to end."""
        end_with(self._engine, ends_at)

    @property
    def dialect(self) -> Dialect:
        """The database's way of writing SQL."""
        return self._engine.dialect

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _explain(self, error: SQLAlchemyError, where: str) -> SourceError:
        dialect = self._engine.dialect.name
        if _is_unavailable(error, dialect):
            return SourceUnavailable(
                f"{where}: its database, {self._shown}, cannot be reached right now ({driver_words(error)}). "
                "Check source.url and that the database is up; the next run tries again."
            )
        return SourceError(f"{where} ({dialect}): {driver_words(error)}. {_READS}")


def _existing_file(url: URL, base_dir: Path) -> URL:
    """Name the file so that SQLite opens it read-only, and creates none where there is none."""
    name = url.database or ""
    if name in {"", ":memory:"} or url.query.get("mode") == "memory":
        raise SourceError(
            "source.url: a SQLite database in memory is empty to every process. Name a file: sqlite:///leads.db"
        )
    path = base_dir / (unquote(urlsplit(name).path) if name.startswith("file:") else name)
    if not path.is_file():
        raise SourceError(
            f"source.url: there is no SQLite file {path}. A relative path starts at the pipeline file's folder."
        )
    return url.set(database=path.resolve().as_uri(), query={**url.query, "mode": "ro", "uri": "true"})


def _is_unavailable(error: SQLAlchemyError, dialect: str) -> bool:
    """Whether another try may help: no connection, or one that was lost."""
    if isinstance(error, PoolTimeout | InterfaceError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return True
    if not isinstance(error, OperationalError):
        return False
    if dialect == "sqlite":
        return any(words in str(error.orig).lower() for words in _SQLITE_UNAVAILABLE)
    if dialect in {"mysql", "mariadb"}:
        code = error.orig.args[0] if error.orig and error.orig.args else None
        return not isinstance(code, int) or code in _MYSQL_UNAVAILABLE or _MYSQL_DRIVER <= code < _MYSQL_DRIVER + 1000
    return True
