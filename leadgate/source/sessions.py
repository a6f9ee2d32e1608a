"""How a session of the source is set up: what the server's owner has set cannot change what is read.

A value that a driver cannot load costs that value: it is given as its text, which then does not fit its column's type.
Settings that a query of the user may rest on (TimeZone, search_path, the order of day and month) stay as they are.
"""

from functools import partial
from typing import Any

from sqlalchemy import Engine, event

from leadgate.model.ids import normal_id

as_utf8 = partial(bytes.decode, encoding="utf-8", errors="surrogateescape")
"""Bytes that are no UTF-8 stay in the text as half characters, which no value may hold."""
_MYSQL = (
    "SET SESSION TRANSACTION READ ONLY",
    # TIMESTAMP columns are given in the session's zone, without naming it.
    "SET SESSION time_zone = '+00:00'",
    # A limit would leave leads out, PAD_CHAR_TO_FULL_LENGTH fills ids up with blanks.
    "SET SESSION sql_select_limit = 18446744073709551615, sql_big_selects = 1, sql_auto_is_null = 0",
    # In ORACLE's mode types have names of another schema.
    "SET SESSION sql_mode = REPLACE(REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', ''), 'ORACLE', '')",
)


def set_up_sessions(engine: Engine) -> None:
    """Set up every session that an engine opens from now on."""
    match engine.dialect.name, engine.dialect.driver:
        case "sqlite", _:
            event.listen(engine, "connect", _set_up_sqlite)
        case "postgresql", "psycopg":
            from leadgate.source.sessions_postgresql import set_up_postgresql  # noqa: PLC0415 - loads psycopg

            set_up_postgresql(engine)
        case "mysql" | "mariadb", _:
            event.listen(engine, "connect", _set_up_mysql)


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - any driver's connection
    connection.text_factory = as_utf8
    connection.create_function("leadgate_id", 1, _normal_id, deterministic=True)


def _normal_id(value: object) -> object:
    """Take an id's bytes, since SQLite hands over no text that is not UTF-8; give nothing for what is no id."""
    return (normal_id(as_utf8(value)) or "") if isinstance(value, bytes) else value


def _set_up_mysql(connection: Any, _record: object) -> None:  # noqa: ANN401
    with connection.cursor() as cursor:
        for statement in _MYSQL:
            cursor.execute(statement)
