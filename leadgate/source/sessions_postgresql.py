"""How a session of a PostgreSQL source is set up, as sessions.py says; loaded, as psycopg is, where there is one."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, Engine, event

from leadgate.addresses import POSTGRESQL_SETTINGS
from leadgate.source.sessions import as_utf8

_UNREADABLE = (psycopg.Error, LookupError, ArithmeticError, RecursionError, TypeError, ValueError, NotImplementedError)
"""What drivers raise for a value: `infinity` and years before Christ, JSON too deep, bytes that are no text."""
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


def set_up_postgresql(engine: Engine) -> None:
    """Set up every session that an engine opens from now on."""
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _encode, retval=True)


def _set_up(connection: psycopg.Connection[Any], record: Any) -> None:  # noqa: ANN401
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


def _begin(connection: Connection) -> None:
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
            return as_utf8(loaded) if isinstance(loaded, bytes) else loaded

    return Tolerant
