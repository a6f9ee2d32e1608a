"""The schemas in examples/ are sources that leadgate reads, with the types the documentation promises."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from leadgate.model import ColumnType
from tests.source.conftest import OpenSource, UserDatabase

EXAMPLES = Path(__file__).parents[2] / "examples"


def build(database: UserDatabase) -> None:
    """Run the example for this database, as its own command line would."""
    name = {"mysql": "mariadb"}.get(database.dialect, database.dialect)
    script = (EXAMPLES / f"source_{name}.sql").read_text(encoding="utf-8")
    if database.dialect == "mysql":
        database.run(*(statement for statement in script.split(";\n") if "\nCREATE" in statement))
        return
    connection = database.engine.raw_connection()
    cursor = connection.cursor()
    (cursor.executescript if database.dialect == "sqlite" else cursor.execute)(script)
    connection.commit()
    connection.close()


def test_an_example_is_read_with_the_types_rules_need(database: UserDatabase, open_source: OpenSource) -> None:
    """Booleans are booleans on every database, and the file needs no `types:`."""
    build(database)
    database.run(
        "INSERT INTO quarantined_leads (quarantine_id) VALUES (7)",
        "INSERT INTO lead_enrichment (quarantine_id, postcode, phone_verified) VALUES (7, 'TN25 6QD', TRUE)",
    )
    source = open_source(
        leads={"table": "quarantined_leads", "id": "quarantine_id"},
        enrichment={"table": "lead_enrichment", "id": "quarantine_id"},
    )
    assert source.columns.enrichment == {
        "quarantine_id": ColumnType.INT,
        "updated_at": ColumnType.TIMESTAMP,
        "postcode": ColumnType.STRING,
        "mobile": ColumnType.STRING,
        "phone_verified": ColumnType.BOOL,
        "score": ColumnType.DOUBLE,
        "opted_out": ColumnType.BOOL,
    }
    enrichment = source.enrichments(["7"])["7"]
    assert enrichment.columns["phone_verified"] is True
    assert enrichment.columns["postcode"] is not None
    assert enrichment.columns["opted_out"] is None
    assert abs(source.leads(["7"])["7"].quarantined_at - _now(database)) < timedelta(minutes=1)


def test_in_an_example_every_change_moves_updated_at(database: UserDatabase, open_source: OpenSource) -> None:
    """The schema sees to it, not the program that writes."""
    build(database)
    database.run("INSERT INTO lead_enrichment (quarantine_id, updated_at) VALUES (7, '2020-01-01 00:00:00')")
    database.run("UPDATE lead_enrichment SET score = 0.5")
    source = open_source(
        leads={"table": "quarantined_leads", "id": "quarantine_id"},
        enrichment={"table": "lead_enrichment", "id": "quarantine_id"},
    )
    now = _now(database)
    assert source.reading(now, timedelta(minutes=1)).healthy


def _now(database: UserDatabase) -> datetime:
    """The database's own clock, in UTC."""
    with database.engine.connect() as connection:
        stamp = str(connection.execute(text("SELECT CURRENT_TIMESTAMP")).scalar_one())
    moment = datetime.fromisoformat(stamp)
    return moment if moment.tzinfo else datetime.fromisoformat(f"{stamp}+00:00")


def test_the_documented_query_takes_the_newest_of_each_fact(database: UserDatabase, open_source: OpenSource) -> None:
    """As it stands on the page, but for the schema: not the largest value."""
    page = (EXAMPLES.parent / "docs" / "source.md").read_text(encoding="utf-8")
    query = re.search(r"query: >\n(?P<query>.*?)\n +id: lead_id", page, re.DOTALL)
    assert query
    database.run(
        "CREATE TABLE lead_facts (lead_id INTEGER, fact VARCHAR(20), value VARCHAR(20), updated_at TIMESTAMP NULL)",
        "INSERT INTO lead_facts VALUES (7, 'postcode', 'ZZ1', '2026-03-01 10:00:00')",
        "INSERT INTO lead_facts VALUES (7, 'postcode', 'AA1', '2026-03-01 11:00:00')",
        "INSERT INTO lead_facts VALUES (7, 'postcode', 'ZZ9', NULL)",
        "INSERT INTO lead_facts VALUES (7, 'optedOut', 'true', '2026-03-01 12:00:00')",
        "CREATE TABLE leads (id INTEGER, quarantined_at TIMESTAMP NULL)",
    )
    types = {"postcode": "string", "opted_out": "bool", "updated_at": "timestamp"}  # SQLite has none of its own
    source = open_source(enrichment={"query": query["query"].replace("crm.", ""), "id": "lead_id", "types": types})
    found = source.enrichments(["7"])["7"]
    assert (found.columns["postcode"], found.columns["opted_out"]) == ("AA1", True)
    assert found.updated_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
