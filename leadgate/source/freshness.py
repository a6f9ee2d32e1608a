"""How far the source can be trusted: whether it answers, how new it is, and which transactions are still open."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, text

from leadgate.clock import CLOCKS_AGREE, Clock
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.model import ColumnType, Faults, SourceReading
from leadgate.model.values import fit
from leadgate.source.database import Database
from leadgate.source.rows import Rows

_POSTGRESQL = text(
    """
    select case
        when pg_is_in_recovery() or not pg_has_role('pg_read_all_stats', 'usage')
            or exists (select from pg_catalog.pg_prepared_xacts where database = current_database()) then null
        else coalesce(
            (select min(xact_start) from pg_catalog.pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()
                 and backend_type not in ('autovacuum worker', 'walsender')),
            clock_timestamp())
        end
    """
)
_MYSQL = text(
    "select coalesce(min(trx_started), now()) from information_schema.innodb_trx "
    "where trx_mysql_thread_id <> connection_id()"
)


def read_source(
    rows: Rows, now: datetime, fresh_within: timedelta | None, clock: Clock | None, database: Database
) -> SourceReading:
    """Look whether the source answers, holds enrichment at all, is fresh, and agrees on what time it is.

    Only then is it healthy, and lets deadlines fall due. An empty table is one that was emptied, for all we know.
    """
    try:
        newest = rows.newest(now)
        is_empty = newest is None and rows.is_empty()
        skew = None if clock is None else _skew(database, rows.relation.where, clock)
    except SourceUnavailable as error:
        return SourceReading(read_at=now, newest_at=None, healthy=False, problem=str(error))
    newest_at = newest.at if newest else None
    where = rows.relation.where
    problem = None
    if is_empty:
        problem = f"{where} holds no row at all"
    elif skew is not None and abs(skew) > CLOCKS_AGREE:
        problem = f"{where}: its database's clock and this machine's differ by {abs(skew).total_seconds():.0f} s"
    elif fresh_within is not None and (newest_at is None or newest_at < now - fresh_within):
        problem = f"{where}: its newest row is of {newest_at}, older than wait.source_fresh_within"
    return SourceReading(
        read_at=now,
        newest_at=newest_at,
        healthy=problem is None,
        problem=problem and f"{problem}: no lead becomes late meanwhile.",
        latest_at=newest.latest_at if newest else None,
        faults=newest.faults if newest else Faults(),
    )


def read_horizon(database: Database, where: str) -> datetime | None:
    """Until when every row is committed: the start of the oldest open transaction, or the present without one.

    None where nobody tells: SQLite, PostgreSQL without the role pg_read_all_stats, on a standby or with prepared
    transactions, MariaDB without the privilege PROCESS.
    """
    statement = {"postgresql": _POSTGRESQL, "mysql": _MYSQL, "mariadb": _MYSQL}.get(database.dialect.name)
    if statement is None:
        return None
    try:
        with database.connect(where) as connection:
            raw = connection.scalar(statement)
    except SourceUnavailable:
        raise
    except SourceError:
        return None
    horizon: datetime | None = fit(raw, ColumnType.TIMESTAMP)
    return horizon


def _skew(database: Database, where: str, clock: Clock) -> timedelta | None:
    if database.dialect.name == "sqlite":
        return None
    with database.connect(where) as connection:
        raw = connection.scalar(select(func.current_timestamp()))
    stamp: datetime | None = fit(raw, ColumnType.TIMESTAMP)
    return None if stamp is None else clock() - stamp
