"""Ledgers that a released leadgate has left are brought forward, whole or not at all, and nothing in them is lost."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import DateTime, Engine, MetaData, create_engine, inspect, select, text

import leadgate.ledger.indexes  # noqa: F401 - the tables have them from then on
from leadgate.errors import LedgerError
from leadgate.ledger import Ledger, claims, engine, migrations, open_engine, waiting
from leadgate.ledger.schema import entries, metadata
from tests.ledger.steps import LEASE, PIPELINE, history, leads
from tests.ledger.test_migrations import shape_of
from tests.ledger.together import together
from tests.support.audit import audit_ledger

KEPT = Path(__file__).parent / "kept"
RELEASES = {"0.1.0": "first"}
"""Each release whose ledgers had another shape than those before, and the revision of its ledgers."""
RELEASED = {
    "0001_first.postgresql.sql": "ee91794d015ce83c",
    "0001_first.py": "3f5b2ccefedc9145",
    "0001_first.sqlite.sql": "cb4bed78accf988c",
}
"""Every released file of a migration, and how the hash of its bytes begins."""
LATER = datetime(2027, 3, 1, tzinfo=UTC)
STATES = {
    "101": "processed",
    "102": "rejected",
    "103": "waiting",
    "104": "review",
    "105": "waiting",
    "106": "unknown",
    "107": "unknown",
    "108": "ready",
    "109": "gone",
    "111": "ready",
}
"""Of the leads in 0.1.0.json: 110 was forgotten; 106 and 107 are in doubt; a person has decided 111."""
NEXT = '''"""A colour."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "third", "second", None, None


def upgrade() -> None:
    """Bring the ledger forward."""
    op.add_column("leadgate_entries", sa.Column("colour", sa.Text, nullable=False, server_default="grey"))
    op.create_table("leadgate_colours", sa.Column("colour", sa.Text))
'''
FAILS = '    op.drop_table("leadgate_nothing")\n'


def kept_rows(release: str) -> dict[str, list[dict[str, Any]]]:
    """What a real ledger held when that version was released, by table; instants are in UTC."""
    found: dict[str, list[dict[str, Any]]] = json.loads((KEPT / f"{release}.json").read_text("utf-8"))
    return found


@pytest.fixture(params=RELEASES)
def old(request: pytest.FixtureRequest, database_url: str) -> str:
    """The address of a ledger as a release has left it, made by that release's own statements."""
    made = create_engine(database_url)
    config = Config()
    config.set_main_option("script_location", "leadgate.ledger:migrations")
    with made.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, RELEASES[request.param])
    tables = MetaData()
    tables.reflect(made)
    with made.begin() as connection:
        for name, rows in kept_rows(request.param).items():
            instants = [column.name for column in tables.tables[name].columns if isinstance(column.type, DateTime)]
            for row in rows:
                row |= {at: datetime.fromisoformat(row[at]).replace(tzinfo=UTC) for at in instants if row[at]}
            connection.execute(tables.tables[name].insert(), rows)
    made.dispose()
    return database_url


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let this leadgate be the next one, whose ledgers have a table and a column more; its migration's file."""
    place = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, place)
    monkeypatch.setattr(engine, "_MIGRATIONS", str(place))
    monkeypatch.setattr(engine, "REVISION", "third")
    file = place / "versions" / "0003_colour.py"
    file.write_text(NEXT, "utf-8")
    return file


def colours(opened: Engine) -> set[str]:
    """The colours of the entries of a ledger that has any."""
    tables = MetaData()
    tables.reflect(opened, only=["leadgate_entries"])
    with opened.connect() as connection:
        return set(connection.scalars(select(tables.tables["leadgate_entries"].c.colour)))


def states_of(opened: Engine) -> dict[str, str]:
    """Where every lead of the ledger is."""
    with opened.connect() as connection:
        return {row.lead_id: row.state for row in connection.execute(select(entries.c.lead_id, entries.c.state))}


def test_migrations_lead_to_what_the_code_describes(database_url: str, tmp_path: Path) -> None:
    """Down to each CHECK, index and comment: released statements stand apart from the code, and must agree."""
    opened = open_engine(database_url, base_dir=tmp_path, create=True)
    migrated = shape_of(opened)
    views = inspect(opened).get_view_names()
    with opened.begin() as connection:
        for view in views:
            connection.execute(text(f"drop view {view}"))
    metadata.drop_all(opened)
    metadata.create_all(opened)
    assert migrated == shape_of(opened)
    opened.dispose()


def test_released_migrations_stay_as_they_are() -> None:
    """Ledgers out there were made by them: what changes is a new migration."""
    versions = Path(migrations.__file__).parent / "versions"
    assert {name: sha256((versions / name).read_bytes()).hexdigest()[:16] for name in RELEASED} == RELEASED


def test_a_ledger_of_an_older_release_is_taken_over_whole(old: str, tmp_path: Path) -> None:
    """Every lead is where it was, with its story; none is new, and none that was acted on is free."""
    opened = open_engine(old, base_dir=tmp_path)
    assert states_of(opened) == STATES
    audit_ledger(opened, datetime(2026, 11, 27, 16, tzinfo=UTC), finished=True)
    assert [row["verdict"] for row in history(opened, "111").overrides] == ["process"]
    assert [row["outcome"] for row in history(opened, "107").attempts] == ["in_doubt"]
    ledger = Ledger(opened, pipeline=PIPELINE, owner="new")
    assert waiting.register(ledger, leads(*STATES, "110", "112"), now=LATER).new == 1  # 112 alone: 110 is forgotten
    claimed = claims.claim(ledger, limit=100, lease=LEASE, now=LATER + timedelta(hours=1))
    assert {found.lead_id for found in claimed} == {"108", "111"}
    opened.dispose()


def test_the_first_that_opens_it_brings_it_forward(old: str, tmp_path: Path, next_version: Path) -> None:
    """Also where several do at once: it is done once, and all rows are there."""

    def take_over() -> dict[str, str]:
        opened = open_engine(old, base_dir=tmp_path)
        try:
            return states_of(opened)
        finally:
            opened.dispose()

    assert together(*[take_over] * 4) == [STATES] * 4
    opened = open_engine(old, base_dir=tmp_path)
    assert colours(opened) == {"grey"}
    opened.dispose()


def test_an_upgrade_that_fails_leaves_the_ledger_to_the_version_before(
    old: str, tmp_path: Path, next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is undone, and who goes back to that version goes on with it."""
    plain = create_engine(old)
    before = shape_of(plain)
    next_version.write_text(NEXT + FAILS, "utf-8")
    with pytest.raises(LedgerError, match="refused a statement"):
        open_engine(old, base_dir=tmp_path)
    assert shape_of(plain) == before
    assert "leadgate_colours" not in inspect(plain).get_table_names()
    plain.dispose()
    monkeypatch.undo()
    opened = open_engine(old, base_dir=tmp_path)
    assert states_of(opened) == STATES
    opened.dispose()


def test_the_version_before_leaves_an_upgraded_ledger_alone(
    old: str, tmp_path: Path, next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would write rows that lack what the new one relies on."""
    open_engine(old, base_dir=tmp_path).dispose()
    monkeypatch.undo()
    with pytest.raises(LedgerError, match=r"written by another leadgate \(revision third.*Upgrade leadgate"):
        open_engine(old, base_dir=tmp_path)
