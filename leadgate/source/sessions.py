"""How a session of the source is set up: what the server's owner has set cannot change what is read.

A value that a driver cannot load costs that value: it is given as its text, which then does not fit its column's type.
Settings that a query of the user may rest on (TimeZone, search_path, the order of day and month) stay as they are.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, Engine, event

from leadgate.addresses import POSTGRESQL_SETTINGS
from leadgate.model.ids import normal_id

_UNREADABLE = (psycopg.Error, LookupError, ArithmeticError, RecursionError, TypeError, ValueError, NotImplementedError)
"""What drivers raise for a value: `infinity` and years before Christ, JSON too deep, bytes that are no text."""
_MYSQL = (
    "SET SESSION TRANSACTION READ ONLY",
    # TIMESTAMP columns are given in the session's zone, without naming it.
    "SET SESSION time_zone = '+00:00'",
    # A limit would leave leads out, PAD_CHAR_TO_FULL_LENGTH fills ids up with blanks.
    "SET SESSION sql_select_limit = 18446744073709551615, sql_big_selects = 1, sql_auto_is_null = 0",
    # In ORACLE's mode types have names of another schema.
    "SET SESSION sql_mode = REPLACE(REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', ''), 'ORACLE', '')",
)

_ANY_OTHER = 0
"""psycopg's number for types that it does not know, which it reads as text."""
_NONE = "SQL_ASCII"
_SINGLE_BYTE = frozenset(
    {f"ISO_8859_{number}" for number in range(5, 9)}
    | {f"LATIN{number}" for number in range(1, 11)}
    | {f"WIN{number}" for number in (866, 874, *range(1250, 1259))}
    | {"KOI8R", "KOI8U"}
)
"""PostgreSQL's encodings that Python reads too."""

_text = partial(bytes.decode, encoding="utf-8", errors="surrogateescape")
"""Bytes that are no UTF-8 stay in the text as half characters, which no value may hold."""


def set_up_sessions(engine: Engine) -> None:
    """Set up every session that an engine opens from now on."""
    match engine.dialect.name, engine.dialect.driver:
        case "sqlite", _:
            event.listen(engine, "connect", _set_up_sqlite)
        case "postgresql", "psycopg":
            event.listen(engine, "connect", _set_up_postgresql)
            event.listen(engine, "begin", _begin_postgresql)
            event.listen(engine, "before_cursor_execute", _encode, retval=True)
        case "mysql" | "mariadb", _:
            event.listen(engine, "connect", _set_up_mysql)


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - any driver's connection
    connection.text_factory = _text
    connection.create_function("leadgate_id", 1, _normal_id, deterministic=True)


def _normal_id(value: object) -> object:
    """Take an id's bytes, since SQLite hands over no text that is not UTF-8; give nothing for what is no id."""
    return (normal_id(_text(value)) or "") if isinstance(value, bytes) else value


def _set_up_mysql(connection: Any, _record: object) -> None:  # noqa: ANN401
    with connection.cursor() as cursor:
        for statement in _MYSQL:
            cursor.execute(statement)


def _set_up_postgresql(connection: psycopg.Connection[Any], record: Any) -> None:  # noqa: ANN401
    """Make loaders tolerant, and note which settings are not ours."""
    encoding = connection.info.parameter_status("server_encoding")
    for oid, loader in _loaders(texts=encoding != "UTF8").items():
        connection.adapters.register_loader(oid, loader)
    names = list(POSTGRESQL_SETTINGS)
    query = "SELECT current_setting(name) FROM unnest(%s::text[]) AS name"
    try:
        if encoding in _SINGLE_BYTE or encoding == _NONE:
            # A server that converts gives up the whole statement for one byte that is no character.
            connection.execute(f"SET client_encoding = '{encoding}'")
        found = connection.execute(query, [names]).fetchall()
        connection.commit()
    except BaseException:
        connection.close()  # the pool has not taken it yet
        raise
    record.info["leadgate_has_no_encoding"] = encoding == _NONE
    settings = zip(names, (value for (value,) in found), strict=True)
    others = [name for name, value in settings if value.split(",")[0] != POSTGRESQL_SETTINGS[name]]
    record.info["leadgate_settings"] = "; ".join(f"SET LOCAL {name} = '{POSTGRESQL_SETTINGS[name]}'" for name in others)


def _encode(
    connection: Connection, _cursor: object, statement: str, parameters: object, _context: object, _many: object
) -> tuple[str | bytes, object]:
    """Write a statement as a server takes it that knows no encoding: psycopg would not write it at all."""
    if connection.connection.info.get("leadgate_has_no_encoding") and not statement.isascii():
        return statement.encode(), parameters
    return statement, parameters


def _begin_postgresql(connection: Connection) -> None:
    """Set what is not ours for one transaction: behind a pooler the session is shared with others."""
    if settings := connection.connection.info.get("leadgate_settings"):
        connection.exec_driver_sql(settings)


@cache
def _loaders(*, texts: bool) -> Mapping[int, type[Loader]]:
    """A loader that gives up no statement, for each type whose values may not be what Python has."""
    names = ["date", "timestamp", "timestamptz", "time", "timetz", "interval", "json", "jsonb", "numeric"]
    names += ["text", "varchar", "bpchar", "name"] if texts else []
    adapters, found = psycopg.adapters, dict[int, type[Loader]]()
    for name in names:
        oid = adapters.types[name].oid
        base = adapters.get_loader(oid, Format.TEXT)
        assert base is not None  # noqa: S101 - psycopg has one for each of them
        found[oid] = _tolerant(base)
    if texts:
        found[_ANY_OTHER] = _tolerant(TextLoader)  # types of the user's own, such as an enum
    return found


def _tolerant(base: Callable[[int, AdaptContext | None], Any]) -> type[Loader]:
    class Tolerant(Loader):
        def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
            super().__init__(oid, context)
            self._load = base(oid, context).load

        def load(self, data: Buffer) -> Any:  # noqa: ANN401
            try:
                loaded = self._load(data)
            except _UNREADABLE:
                loaded = bytes(data)
            # Also psycopg gives bytes, for a text of a server that knows no encoding.
            return _text(loaded) if isinstance(loaded, bytes) else loaded

    return Tolerant
