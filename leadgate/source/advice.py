"""How arrivals will be found in a source, and what it would take to find them better. For `leadgate check`."""

from collections.abc import Iterator

from sqlalchemy import select, text

from leadgate.errors import SourceError, SourceUnavailable
from leadgate.source.database import Database
from leadgate.source.freshness import read_horizon
from leadgate.source.rows import Rows

_RIGHTS = {
    "postgresql": "the role pg_read_all_stats",
    "mysql": "the privilege PROCESS",
    "mariadb": "the privilege PROCESS",
}
# What a plan says where rows come in no order by themselves: no index gives it.
_SORTS = {"postgresql": "Sort", "sqlite": "TEMP B-TREE", "mysql": "filesort", "mariadb": "filesort"}


def advise(database: Database, leads: Rows, enrichment: Rows) -> Iterator[str]:
    """Say which way each relation is read, and name indexes and rights that are missing, a sentence each."""
    for rows in (leads, enrichment):
        yield from _advise(database, rows)
    where, right = enrichment.relation.where, _RIGHTS.get(database.dialect.name)
    if enrichment.stamp and right and read_horizon(database, where) is None:
        yield (
            f"{where}: open transactions cannot be seen, so a row that is committed later than source.overlap after "
            f"its stamp is found by the whole comparison only. To see them, grant its user {right}."
        )


def warn_of_casts(database: Database, leads: Rows, enrichment: Rows) -> Iterator[str]:
    """Say which query may make another lead's id of an odd one."""
    guard = _DIGITS_ALONE.get(database.dialect.name)
    for rows in (leads, enrichment) if guard else ():
        if rows.relation.place.casts_its_id:
            yield (
                f"{rows.relation.where}: its cast cuts an id off at the first character that is no digit, and so makes "
                f"another lead's id of it. Let it take plain numbers alone: `WHERE COLUMN {guard}`."
            )


_DIGITS_ALONE = dict.fromkeys(("mysql", "mariadb"), "REGEXP '^[0-9]+$'") | {"sqlite": "NOT GLOB '*[^0-9]*'"}
"""How a database's WHERE holds a text to digits, where a cast does not fail on others."""


def _advise(database: Database, rows: Rows) -> Iterator[str]:
    relation = rows.relation
    where, path = relation.where, relation.place.path
    if rows.unsorted_stamp:
        yield (
            f"{where}: the texts of `{rows.unsorted_stamp}` are not in the order of time, so every lead is compared at "
            "each look, which costs more the more leads wait. A column of dates, or texts such as 2026-11-26 08:57, "
            "can be read forward."
        )
    elif rows.stamp is None:
        yield (
            f"{where}: has no `updated_at`, so every waiting lead is compared with it at each look, which costs more "
            f"the more leads wait. Name a column under {path}.updated_at that moves with every change of a row."
        )
    else:
        yield (f"{where}: read forward by `{rows.stamp}`, and compared whole every source.compare_every.")
    missing = [name for name in (relation.place.config.id, rows.stamp) if name and sorts(database, rows, name)]
    if missing and relation.place.groups:
        yield (
            f"{where}: groups rows, so that the database may compute all of it each time, which becomes slow above "
            "about 10,000 rows. Let a job write what it gives into a table of its own, with indexes on "
            f"{' and '.join(_columns(database, rows, column) for column in missing)}."
        )
    elif missing:
        wanted = "; ".join(_index_on(database, rows, column) for column in missing)
        yield (
            f"{where}: no index serves {' and '.join(f'`{column}`' for column in missing)}, so the whole of it is read "
            f"each time, which becomes slow above about 10,000 rows. Create {'one' if len(missing) == 1 else 'them'}: "
            f"{wanted}{'; for a view, on the table behind it.' if relation.place.config.table else '.'}"
        )


def _index_on(database: Database, rows: Rows, column: str) -> str:
    """The statement that creates an index; of a query, what to create it on."""
    quote, columns = database.dialect.identifier_preparer.quote, _columns(database, rows, column)
    schema, name = rows.relation.place.schema_and_table
    if not name:
        return f"an index on {columns} of the table behind the query, with the query's own expressions for them"
    table = ".".join(quote(part) for part in (schema, name) if part)
    return f"CREATE INDEX {quote(f'{name}_{column}')} ON {table} {columns}"


def _columns(database: Database, rows: Rows, column: str) -> str:
    """The columns of an index, as SQL: the one to find rows by, and the id."""
    quote = database.dialect.identifier_preparer.quote
    return f"({', '.join(map(quote, dict.fromkeys((column, rows.relation.place.config.id))))})"


def sorts(database: Database, rows: Rows, column: str) -> bool:
    """Whether the database would have to sort all rows to give them in order of a column."""
    relation, dialect = rows.relation, database.dialect.name
    statement = select(relation.id).order_by(relation.rows.c[column]).limit(1)
    try:
        with database.connect(relation.where) as connection:
            if dialect == "postgresql":
                # A small table is sorted for convenience otherwise.
                connection.execute(text("SET LOCAL enable_seqscan = off"))
                connection.execute(text("SET LOCAL enable_sort = off"))
            compiled = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
            explain = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN"
            plan = connection.exec_driver_sql(f"{explain} {compiled}")
            return any(_SORTS.get(dialect, "\0") in " ".join(map(str, row)) for row in plan)
    except SourceUnavailable:
        raise
    except SourceError:
        return False  # no right to EXPLAIN, say
