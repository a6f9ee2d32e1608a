"""Putting the outbox into the user's database and taking it out again: the SQL to look at, or run here and now."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect

from leadgate.config import PipelineConfig
from leadgate.source.database import Database, address_of
from leadgate.source.outbox_sql import OUTBOX, OutboxSql
from leadgate.source.outbox_tables import survey, what_is_missing


@dataclass(frozen=True, slots=True)
class Script:
    """Statements in order, and the rights that the user who asked for them needs to take from the outbox."""

    sql: OutboxSql
    statements: list[str]
    grants: list[str]

    @property
    def text(self) -> str:
        """All of it, as the database's own command line (sqlite3, psql, mariadb) reads it."""
        header = (
            f"-- The outbox of the leadgate pipeline {self.sql.pipeline}, see docs/outbox.md.\n"
            "-- Run this as a user who may create tables, and triggers on the tables below. It may be run again.\n"
        )
        return header + self.sql.script([*self.statements, *self.grants])


def write_installation(config: PipelineConfig, *, base_dir: Path) -> Script:
    """Write what `run_installation` would run; nothing is changed.

    Raises SourceError naming every relation that is no table, SourceUnavailable when there is no connection.
    """
    with _connect(config, base_dir) as connection:
        sql = survey(connection, config).sql
        return Script(sql, sql.install(), sql.grants(_user(connection, sql)))


def write_removal(config: PipelineConfig, *, base_dir: Path) -> Script:
    """Write what `run_removal` would run; nothing is changed. Errors as for the installation."""
    with _connect(config, base_dir) as connection:
        return _removal(connection, config)


def run_installation(config: PipelineConfig, *, base_dir: Path) -> Script:
    """Create the outbox and its triggers; with no statements when all of it was there already.

    All or nothing, except on MariaDB. Raises SourceError where the address's user lacks a right, too.
    """
    with _connect(config, base_dir, writes=True) as connection:
        sql = survey(connection, config).sql
        statements = [] if what_is_missing(connection, sql) is None else sql.install()
        _run(connection, statements)
        return Script(sql, statements, sql.grants(_user(connection, sql)))


def run_removal(config: PipelineConfig, *, base_dir: Path) -> Script:
    """Drop the pipeline's triggers and delete its rows; the table stays, since other pipelines may fill it."""
    with _connect(config, base_dir, writes=True) as connection:
        script = _removal(connection, config)
        _run(connection, script.statements)
        return script


@contextmanager
def _connect(config: PipelineConfig, base_dir: Path, *, writes: bool = False) -> Iterator[Connection]:
    database = Database.open(address_of(config.source), base_dir, writes=writes)
    try:
        with database.transaction(OUTBOX) as connection:
            yield connection
    finally:
        database.close()


def _removal(connection: Connection, config: PipelineConfig) -> Script:
    sql = survey(connection, config).sql
    return Script(sql, sql.remove(has_table=inspect(connection).has_table(OUTBOX, sql.schema)), [])


def _run(connection: Connection, statements: Sequence[str]) -> None:
    # Without it Python commits each statement by itself, and a writer would find half of them.
    if statements and connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    for statement in statements:
        # A percent sign in a name is no parameter.
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _user(connection: Connection, sql: OutboxSql) -> str:
    """The user of the address as GRANT wants it; nobody on SQLite."""
    match sql.dialect:
        case "sqlite":
            return ""
        case "postgresql":
            return str(connection.exec_driver_sql("SELECT pg_catalog.quote_ident(current_user)").scalar())
        case _:
            user, _, host = str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar()).rpartition("@")
            return f"'{user}'@'{host}'"
