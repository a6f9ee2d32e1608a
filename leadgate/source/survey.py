"""A first look at a database whose tables nobody has named: its schema, and in which form its columns write dates."""

import warnings
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Inspector, func, inspect, select
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from leadgate.config import RelationConfig
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.model import ColumnType
from leadgate.source.column_types import NativeType
from leadgate.source.database import Database
from leadgate.source.date_formats import DateForm, guess_form
from leadgate.source.describe import Place, describe, list_tables, rows_of
from leadgate.source.guess import Found, Guessed, guess_source, may_be_a_time
from leadgate.source.ids import IdKind
from leadgate.suggest import known_here

_SAMPLE = 1000
_LONGEST = 50
"""Characters of a value that are read: no date is longer."""
_SERVERS_OF_ONE = frozenset({"sqlite", "mysql", "mariadb"})
"""Where a schema is a database of its own, so only the one that the address names is looked at."""


class Surveyed(NamedTuple):
    """What was found of a database: no value of a row is in it."""

    guessed: Guessed
    forms: dict[tuple[str, str], DateForm]
    """How columns write their dates, by table and column."""
    others: list[str]
    """The tables and views that were passed over."""
    unread: list[str]
    """Those chosen whose rows cannot be read."""


def survey(address: str, base_dir: Path) -> Surveyed:
    """Guess what the file says of a database.

    A relative SQLite path starts at `base_dir`. Raises SourceError if no table fits, SourceUnavailable without a
    connection.
    """
    database = Database.open(address, base_dir)
    try:
        with database.connect("source.url") as connection:
            tables = read_schema(connection)
            guessed = guess_source(tables)
            if guessed is None:
                raise SourceError(_no_table(tables))
            chosen = {found.name: found for found in (guessed.leads, guessed.enrichment)}
        forms: dict[tuple[str, str], DateForm] = {}
        unread: list[str] = []
        for name, found in chosen.items():
            try:
                with database.connect("source.url") as connection:
                    forms |= {(name, column): form for column, form in _read_forms(connection, found).items()}
            except SourceUnavailable:
                raise
            except SourceError:
                unread.append(name)
        others = [found.name for found in tables if found.name not in chosen]
        return Surveyed(guessed, forms, others, unread)
    finally:
        database.close()


def read_schema(connection: Connection) -> list[Found]:
    """Every table and view with its columns and keys; those of the default schema without its name."""
    inspector: Inspector = inspect(connection)
    others = connection.dialect.name not in _SERVERS_OF_ONE or not inspector.default_schema_name
    # `table:` takes the part before a dot for a schema: what has a dot of its own cannot be named so.
    names = [name for name in list_tables(inspector, others=others) if name.count(".") <= others]
    return [found for name in names if (found := _read_table(connection, inspector, name))]


def _read_table(connection: Connection, inspector: Inspector, name: str) -> Found | None:
    """Give a table as it is found; None for a view that its database cannot read any more."""
    place = _place(name)
    schema, table = place.schema_and_table
    try:
        columns = describe(connection, place)
    except (SourceError, SQLAlchemyError):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        key = inspector.get_pk_constraint(table, schema)
        foreign = inspector.get_foreign_keys(table, schema)
    refers = {
        column: (".".join(filter(None, (each["referred_schema"], each["referred_table"]))), referred)
        for each in foreign
        for column, referred in zip(each["constrained_columns"], each["referred_columns"], strict=False)
    }
    return Found(name, columns, tuple(key["constrained_columns"]), refers)


def _read_forms(connection: Connection, found: Found) -> dict[str, DateForm]:
    """The form of each column of text or numbers that holds dates, by at most 1,000 of its rows, the newest first."""
    columns = [name for name, type_ in found.columns.items() if _may_hold_dates(connection, name, type_)]
    if not columns:
        return {}
    rows = rows_of(connection, _place(found.name), found.columns)
    newest = [rows.c[name].desc() for name in found.primary_key]
    read = select(
        *(func.substr(rows.c[name], 1, _LONGEST) if _is_text(found, name) else rows.c[name] for name in columns)
    )
    sample = connection.execute(read.order_by(*newest).limit(_SAMPLE)).all()
    forms = {
        name: guess_form((row[number] for row in sample), may_be_digits=may_be_a_time(name))
        for number, name in enumerate(columns)
    }
    return {name: form for name, form in forms.items() if form}


def _is_text(found: Found, name: str) -> bool:
    return found.columns[name].column_type is not ColumnType.INT


def _may_hold_dates(connection: Connection, name: str, type_: NativeType) -> bool:
    if type_.column_type is ColumnType.STRING:
        return type_.id_kind in {IdKind.TEXT, IdKind.ANY}
    # SQLite keeps in a column whatever was put there.
    is_open = connection.dialect.name == "sqlite" and type_.column_type in {ColumnType.TIMESTAMP, None}
    return is_open or (type_.column_type is ColumnType.INT and may_be_a_time(name))


def _place(name: str) -> Place:
    return Place("source.url", RelationConfig(table=name, id=""))


def _no_table(tables: list[Found]) -> str:
    seen = known_here(sorted(found.name for found in tables))
    return (
        "source.url: no table or view looks like one of leads, with an id (quarantine_id, lead_id, ...) and a date "
        f"(created_at, received_on, ...); {seen}. Name another database, see that its user may SELECT, or write "
        "the file by hand: `leadgate init` without --from gives one to start from."
    )
