"""Migrations: they run by themselves, once, all or nothing, and lead to the tables that the code describes."""

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from leadgate.errors import LedgerError
from leadgate.ledger import Ledger, open_engine, waiting
from leadgate.ledger.schema import REVISION, metadata
from tests.ledger.steps import NOW, PIPELINE, entry, leads, make_ready
from tests.ledger.together import together
from tests.support.ledgers import new_engine

ROOT = Path(__file__).parents[2]
_OPEN = """
import sys
from pathlib import Path
from leadgate.ledger import open_engine
import leadgate.ledger.migrations, alembic.command
print("ready", flush=True)
sys.stdin.readline()
open_engine(sys.argv[1], base_dir=Path("."), create=True).dispose()
"""
TABLES = {"leadgate_version", *metadata.tables}


def tables_of(engine: Engine) -> set[str]:
    """The names of the tables there are."""
    return set(inspect(engine).get_table_names())


def condition_of(index: Mapping[str, Any]) -> str:
    """The rows a partial index holds; empty for an index of all rows."""
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where", "")))


def shape_of(engine: Engine) -> Mapping[str, Any]:
    """All that a database tells of the ledger's tables: columns, keys, CHECKs and indexes with their conditions."""
    found = inspect(engine)
    shape: dict[str, Any] = {}
    for table in found.get_table_names():
        columns = [{**column, "type": str(column["type"])} for column in found.get_columns(table)]
        shape[table] = {
            "columns": columns,
            "key": found.get_pk_constraint(table),
            "checks": sorted((check["name"] or "", check["sqltext"]) for check in found.get_check_constraints(table)),
            "indexes": sorted(
                (index["name"] or "", index["column_names"], bool(index["unique"]), condition_of(index))
                for index in found.get_indexes(table)
            ),
        }
    return shape


def test_a_ledger_is_made_with_all_its_tables(engine: Engine) -> None:
    """Nobody runs a migration by hand."""
    assert tables_of(engine) == TABLES
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM leadgate_version")) == REVISION


def test_opening_a_ledger_again_changes_nothing(
    engine: Engine, ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    """What it holds is there, and its tables are as they were."""
    make_ready(ledger, "17")
    before = entry(engine, "17"), shape_of(engine)
    open_engine(database_url, base_dir=tmp_path).dispose()
    assert (entry(engine, "17"), shape_of(engine)) == before


def test_the_revision_is_the_newest_migration() -> None:
    """A migration that is added without raising REVISION would never run."""
    config = Config()
    config.set_main_option("script_location", "leadgate.ledger:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_alembic_finds_nothing_left_to_do(engine: Engine) -> None:
    """Tables, columns, types and indexes are those the code describes."""
    with engine.connect() as connection:
        options = {"version_table": "leadgate_version", "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_two_threads_that_open_a_fresh_ledger_make_it_once(database_url: str, tmp_path: Path) -> None:
    """One makes the tables while the other waits; both can use them."""

    def register(lead_id: str) -> int:
        ledger = Ledger(new_engine(database_url, base_dir=tmp_path), pipeline=PIPELINE, owner=lead_id)
        try:
            return waiting.register(ledger, leads(lead_id), now=NOW).new
        finally:
            ledger.close()

    assert together(*(partial(register, str(number)) for number in range(4))) == [1] * 4


def test_two_threads_may_open_different_ledgers_at_once(tmp_path: Path) -> None:
    """Alembic keeps the migration that runs in a global, which is no concern of its users."""

    def make(name: str) -> set[str]:
        engine = open_engine(f"sqlite:///{name}.db", base_dir=tmp_path, create=True)
        try:
            return tables_of(engine)
        finally:
            engine.dispose()

    assert together(*(partial(make, str(number)) for number in range(4))) == [TABLES] * 4


def test_processes_that_open_a_fresh_ledger_at_once_make_it_once(database_url: str, tmp_path: Path) -> None:
    """A scheduler may start several runs on the first day, at the same second."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN, database_url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [worker.communicate(timeout=60)[1] for worker in workers] == [""] * 2
    engine = open_engine(database_url, base_dir=tmp_path)
    assert tables_of(engine) == TABLES
    engine.dispose()


def test_a_new_file_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself refuses at once to turn the write-ahead log on while another process writes."""
    with closing(sqlite3.connect(tmp_path / "leadgate.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(open_engine, "sqlite:///leadgate.db", base_dir=tmp_path, create=True)
            with pytest.raises(TimeoutError):
                opening.result(timeout=0.3)
            other.execute("COMMIT")
            engine = opening.result(timeout=60)
    assert tables_of(engine) == TABLES
    engine.dispose()


def test_a_ledger_of_a_newer_version_is_left_alone(
    engine: Engine, ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    """One clear error says what is wrong and what to do, and nothing is changed."""
    make_ready(ledger, "17")
    with engine.begin() as connection:
        connection.execute(text("UPDATE leadgate_version SET version_num = '9999'"))
    before = shape_of(engine)
    with pytest.raises(LedgerError, match=r"another leadgate \(revision 9999.*Upgrade leadgate"):
        open_engine(database_url, base_dir=tmp_path)
    assert shape_of(engine) == before


def test_a_migration_that_fails_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    """Another program's table of the same name stops it, and no other table has been made."""
    other = create_engine(database_url)
    with other.begin() as connection:
        connection.execute(text("CREATE TABLE leadgate_readings (mine integer)"))
    with pytest.raises(LedgerError, match="already exists"):
        open_engine(database_url, base_dir=tmp_path, create=True)
    assert tables_of(other) == {"leadgate_readings"}
    with other.begin() as connection:
        connection.execute(text("DROP TABLE leadgate_readings"))
    other.dispose()
    engine = open_engine(database_url, base_dir=tmp_path, create=True)
    assert tables_of(engine) == TABLES
    engine.dispose()
