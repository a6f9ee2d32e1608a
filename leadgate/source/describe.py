"""What a table, view or query of the source gives: its columns with their types, asked of the database itself."""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnClause,
    Connection,
    CursorResult,
    FromClause,
    Inspector,
    column,
    inspect,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.exc import NoSuchTableError, SAWarning
from sqlalchemy.sql.elements import quoted_name

from leadgate.config import RelationConfig
from leadgate.errors import SourceError
from leadgate.source.column_types import NativeType, from_mysql, from_postgresql, from_sqlalchemy, from_sqlite
from leadgate.suggest import suggest

_TOKENS = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|(?P<dollar>\$\w*\$).*?(?P=dollar)""",
    re.DOTALL,
)

_OWN = frozenset({"information_schema", "mysql", "performance_schema", "sys"})
"""Schemas that are the database's own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a relation stands in the pipeline file, and what it is there."""

    path: str
    config: RelationConfig
    known_from: str | None = None
    """The file that its columns are known from; None if the source itself was asked."""

    @property
    def where(self) -> str:
        """The relation as messages name it."""
        return f"{self.path} (table {self.config.table})" if self.config.query is None else f"{self.path} (its query)"

    @property
    def schema_and_table(self) -> tuple[str | None, str]:
        """The name of a table, taken apart at its last dot."""
        schema, _, name = (self.config.table or "").rpartition(".")
        return schema or None, name

    @property
    def _bare(self) -> str:
        """The query without its comments, texts and quoted names, each of its characters in its place."""
        query = self.config.query or ""
        return _TOKENS.sub(lambda token: (" " if token["comment"] else "x") * len(token[0]), query)

    @property
    def groups(self) -> bool:
        """Whether a row of the query is made of several, so that no index gives them in order."""
        return bool(re.search(r"\b(GROUP\s+BY|DISTINCT)\b|\bOVER\s*\(", self._bare, re.IGNORECASE))

    @property
    def casts_its_id(self) -> bool:
        """Whether the query makes numbers of the ids by a cast, and holds nothing that leaves out other texts."""
        inner = r"(?:[^()]|\([^()]*\))*\bAS\s+(?:UNSIGNED|SIGNED|INT|INTEGER|BIGINT)\b[^()]*"
        cast = rf"\bCAST\s*\({inner}\)\s*(?:AS\s+)?[`\"]?{re.escape(self.config.id)}\b"
        kept = r"\b(?:REGEXP|RLIKE|GLOB|REGEXP_LIKE)\b"
        casts = re.search(cast, self.config.query or "", re.IGNORECASE)
        return casts is not None and not re.search(kept, self._bare, re.IGNORECASE)

    @property
    def query(self) -> str:
        """The query without its last semicolon; raise SourceError unless it is one SELECT or WITH statement."""
        query, bare = self.config.query or "", self._bare
        end = len(bare.rstrip("; \t\r\n"))
        if not re.match(r"\s*(SELECT|WITH)\b", bare, re.IGNORECASE) or ";" in bare[:end]:
            raise SourceError(
                f"{self.path}.query: must be one SELECT (or WITH ... SELECT) statement, since it is read as a table."
            )
        return query[:end]


def describe(connection: Connection, place: Place) -> dict[str, NativeType]:
    """The columns of a relation in order; raise SourceError when there is no such table or the query is none."""
    return _describe_query(connection, place) if place.config.query is not None else _describe_table(connection, place)


def rows_of(connection: Connection, place: Place, names: Iterable[str]) -> FromClause:
    """What to select from, with every name quoted as the database spells it."""
    # Databases that fold names to upper case are reflected in lower case, and must not be quoted.
    quote = None if connection.dialect.requires_name_normalize else True
    columns: list[ColumnClause[Any]] = [column(quoted_name(name, quote)) for name in names]
    if place.config.query is not None:
        # A colon would name a parameter; the line break ends a comment at the end.
        return text(place.query.replace(":", r"\:") + "\n").columns(*columns).subquery("leadgate_rows")
    schema, name = place.schema_and_table
    return table(quoted_name(name, quote), *columns, schema=quoted_name(schema, quote) if schema else None)


def _describe_table(connection: Connection, place: Place) -> dict[str, NativeType]:
    schema, name = place.schema_and_table
    inspector: Inspector = inspect(connection)
    try:
        with warnings.catch_warnings():
            # A type SQLAlchemy does not know is told where a column of that type is wanted.
            warnings.simplefilter("ignore", SAWarning)
            columns = inspector.get_columns(name, schema)
    except NoSuchTableError:
        known = _tables(inspector, schema) or list(_tables_of_all(inspector))
        table_name = place.config.table or ""
        raise SourceError(
            f"{place.path}.table: there is no table or view `{table_name}`; {suggest(table_name, sorted(known))}"
        ) from None
    if connection.dialect.name == "sqlite":
        return _sqlite_columns(connection, schema or "main", name)
    return {str(found["name"]): from_sqlalchemy(found["type"], connection.dialect.name) for found in columns}


def list_tables(inspector: Inspector, *, others: bool) -> list[str]:
    """The tables and views as `table:` names them: those of the default schema, and with `others` of the rest too."""
    default = inspector.default_schema_name
    rest = _tables_of_all(inspector, but=default) if others else ()
    return [*(_tables(inspector, None) if default else ()), *rest]


def _tables_of_all(inspector: Inspector, *, but: str | None = None) -> Iterator[str]:
    for schema in inspector.get_schema_names():
        if schema not in {*_OWN, but}:
            yield from _tables(inspector, schema)


def _tables(inspector: Inspector, schema: str | None) -> list[str]:
    """The tables and views of a schema, as `table:` names them."""
    names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
    if inspector.dialect.name == "postgresql":
        names += inspector.get_materialized_view_names(schema)
    return [f"{schema}.{name}" for name in names] if schema else names


def _describe_query(connection: Connection, place: Place) -> dict[str, NativeType]:
    result: CursorResult[Any] = connection.execute(
        select(literal_column("*")).select_from(rows_of(connection, place, ())).limit(0)
    )
    described: list[tuple[Any, ...]] = [tuple(entry) for entry in result.cursor.description or ()]
    result.close()
    twice = [name for name, count in Counter(entry[0] for entry in described).items() if count > 1]
    if twice:
        raise SourceError(
            f"{place.path}.query: gives two columns named `{twice[0]}`: name one of them otherwise with AS."
        )
    match connection.dialect.name:
        case "sqlite":
            return _sqlite_query_columns(connection, place)
        case "postgresql":
            return _postgresql_columns(connection, described)
        case "mysql" | "mariadb":
            return {entry[0]: from_mysql(entry[1], entry[3], entry[5]) for entry in described}
        case dialect:
            return {entry[0]: NativeType(f"of a type {dialect} does not tell") for entry in described}


def _sqlite_columns(connection: Connection, schema: str, name: str) -> dict[str, NativeType]:
    quote = connection.dialect.identifier_preparer.quote_identifier
    rows = connection.exec_driver_sql(f"PRAGMA {quote(schema)}.table_xinfo({quote(name)})")
    return {row.name: from_sqlite(row.type) for row in rows if row.hidden != 1}


def _sqlite_query_columns(connection: Connection, place: Place) -> dict[str, NativeType]:
    """Ask for the types through a view in the connection's own temp schema: a result does not tell them."""
    connection.exec_driver_sql(f"CREATE TEMP VIEW leadgate_rows AS {place.query}")
    try:
        return _sqlite_columns(connection, "temp", "leadgate_rows")
    finally:
        connection.exec_driver_sql("DROP VIEW temp.leadgate_rows")


def _postgresql_columns(connection: Connection, described: list[tuple[Any, ...]]) -> dict[str, NativeType]:
    catalog = table("pg_type", *(column(name) for name in ("oid", "typname", "typcategory")), schema="pg_catalog")
    statement = select(catalog).where(catalog.c.oid.in_({entry[1] for entry in described}))
    types = {oid: (name, category) for oid, name, category in connection.execute(statement)}
    return {entry[0]: from_postgresql(*types[entry[1]], entry[5]) for entry in described}
