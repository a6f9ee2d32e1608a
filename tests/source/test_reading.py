"""Reading: pages of leads, rows by id, freshness, and nothing else, ever."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, event, text
from sqlalchemy.types import DateTime

from leadgate.errors import SourceError, SourceUnavailable
from leadgate.model import Faults
from leadgate.source import Source
from tests.source.conftest import NOON, OpenSource, UserDatabase


def at(hours: float) -> datetime:
    """An instant that many hours after noon, as databases store it: UTC without saying so."""
    return (NOON + timedelta(hours=hours)).replace(tzinfo=None)


def leads_table(schema: str | None = None) -> Table:
    """A table of leads whose id may be null or twice."""
    return Table("leads", MetaData(), Column("id", Integer), Column("quarantined_at", DateTime), schema=schema)


def enrichment_table() -> Table:
    """A table of what arrives, a row an arrival."""
    columns = (Column("postcode", String(10)), Column("mobile", String(20)))
    return Table("enrichment", MetaData(), Column("id", Integer), Column("updated_at", DateTime), *columns)


def lead_ids(source: Source, size: int) -> list[list[str]]:
    """The ids of each page."""
    return [[lead.lead_id for lead in page.leads] for page in source.lead_pages.all(size)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_every_lead_is_on_one_page(database: UserDatabase, open_source: OpenSource, size: int) -> None:
    """In order of id, whatever the size of a page is."""
    database.create(leads_table(), *({"id": n, "quarantined_at": at(n)} for n in (10, 9, 1, 4)))
    database.create(enrichment_table())
    pages = lead_ids(open_source(), size)
    assert [lead_id for page in pages for lead_id in page] == ["1", "4", "9", "10"]
    assert all(0 < len(page) <= size for page in pages)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_rows_that_are_wrong_are_told_and_the_others_read(
    database: UserDatabase, open_source: OpenSource, size: int
) -> None:
    """A null id, a null time and an id on several rows are one message each, wherever the pages end."""
    rows = [(None, 0), (1, 0), (2, 5), (2, 3), (2, 4), (3, None), (4, 0), (None, 2)]
    database.create(leads_table(), *({"id": n, "quarantined_at": at(h) if h is not None else None} for n, h in rows))
    database.create(enrichment_table())
    source = open_source()
    pages = list(source.lead_pages.all(size))
    leads = [lead for page in pages for lead in page.leads]
    assert [lead.lead_id for lead in leads] == ["1", "2", "4"]
    no_id, twice, no_time = Faults(*(page.faults for page in pages)).lines()
    assert "2 rows without `id`, quarantined from 2026-03-01 12:00:00+00:00 to 2026-03-01 14:00:00+00:00" in no_id
    # On a page of one row a lead that fills it is passed over.
    count = 2 if size == 1 else 3
    assert (
        f"{count} rows of leads that are on more than one, such as lead 2. "
        "The one of the earliest `quarantined_at` counts; where they differ in what is read, a person decides" in twice
    )
    assert "1 row without `quarantined_at`, of lead 3. Such leads wait" in no_time


def test_of_several_rows_of_a_lead_the_earliest_counts(database: UserDatabase, open_source: OpenSource) -> None:
    """On a page and by id alike."""
    database.create(leads_table(), *({"id": 2, "quarantined_at": at(h)} for h in (5, 3, 4)))
    database.create(enrichment_table())
    source = open_source()
    ((lead,),) = (page.leads for page in source.lead_pages.all())
    assert lead.quarantined_at == NOON + timedelta(hours=3)
    assert source.leads(["2"])["2"].quarantined_at == lead.quarantined_at


def test_fifty_thousand_leads_take_one_statement_a_page(
    database: UserDatabase, open_source: OpenSource, statements: list[str]
) -> None:
    """Each page starts where the last one ended, and holds no more than was asked for."""
    database.create(leads_table(), *({"id": n, "quarantined_at": at(0)} for n in range(50_000)))
    database.create(enrichment_table())
    database.run("CREATE UNIQUE INDEX leads_id ON leads (id)")
    source = open_source()
    statements.clear()
    count = 0
    for page in source.lead_pages.all(1000):
        assert len(page.leads) <= 1000
        count += len(page.leads)
    assert count == 50_000
    pages = [statement for statement in statements if "ORDER BY" in statement]
    assert len(pages) == 50
    assert len(statements) == len(pages) + 1
    assert sum(" > " in statement for statement in pages) == 49


def test_many_ids_are_looked_up_in_few_statements(
    database: UserDatabase, open_source: OpenSource, statements: list[str]
) -> None:
    """More ids than SQLite or PostgreSQL take parameters."""
    database.create(leads_table(), *({"id": n, "quarantined_at": at(0)} for n in range(0, 70_000, 1000)))
    database.create(enrichment_table(), {"id": 69_999, "updated_at": at(0)})
    source = open_source()
    ids = [str(n) for n in range(70_000)]
    statements.clear()
    assert len(source.leads(ids)) == 70
    assert len(statements) == 70
    assert list(source.enrichments(ids + ids)) == ["69999"]


def test_no_ids_are_no_statement(database: UserDatabase, open_source: OpenSource, statements: list[str]) -> None:
    """Nor are ids that the column cannot hold."""
    database.create(leads_table())
    database.create(enrichment_table())
    source = open_source()
    statements.clear()
    assert source.leads([]) == {}
    assert source.enrichments([]) == {}
    assert statements == []


def test_of_several_enrichments_the_latest_counts(database: UserDatabase, open_source: OpenSource) -> None:
    """A row without a time is the oldest; among equals the fuller one wins, whatever order they come in."""
    rows: list[dict[str, Any]] = [
        {"id": 1, "updated_at": at(1), "postcode": "old", "mobile": "1"},
        {"id": 1, "updated_at": at(2), "postcode": "new", "mobile": None},
        {"id": 1, "updated_at": None, "postcode": "never", "mobile": "2"},
        {"id": 2, "updated_at": at(1), "postcode": None, "mobile": None},
        {"id": 2, "updated_at": at(1), "postcode": "full", "mobile": "3"},
        {"id": 3, "updated_at": at(1), "postcode": "a", "mobile": "4"},
        {"id": 3, "updated_at": at(1), "postcode": "b", "mobile": "4"},
    ]
    table = enrichment_table()
    database.create(leads_table())
    database.create(table, *rows)
    source = open_source()
    ids = ["1", "2", "3", "4"]
    found = source.enrichments(ids)
    assert {lead_id: enrichment.columns["postcode"] for lead_id, enrichment in found.items()} == {
        "1": "new",
        "2": "full",
        "3": "b",
    }
    assert found["1"].updated_at == NOON + timedelta(hours=2)
    with database.engine.begin() as connection:
        connection.execute(table.delete())
        connection.execute(table.insert(), rows[::-1])
    assert source.enrichments(ids) == found


def test_an_enrichment_may_have_no_time(database: UserDatabase, open_source: OpenSource) -> None:
    """Without `updated_at` arrivals are found by comparing, and freshness cannot be asked for."""
    database.create(leads_table())
    database.create(enrichment_table(), {"id": 1, "postcode": "TN25 6QD"})
    source = open_source(enrichment={"updated_at": None})
    assert source.enrichments(["1"])["1"].updated_at is None
    assert source.reading(NOON, None).healthy
    with pytest.raises(SourceError, match=r"wait\.source_fresh_within"):
        source.reading(NOON, timedelta(hours=2))


def test_one_table_may_be_both_leads_and_enrichment(database: UserDatabase, open_source: OpenSource) -> None:
    """And its names may be reserved words, of mixed case, and hold blanks, colons and percent signs."""
    name, odd = database.engine.dialect.identifier_preparer.quote, "Score %: total"
    columns = (Column("Group", Integer), Column("Select", DateTime), Column("order", DateTime), Column(odd, Integer))
    database.create(
        Table("Order", MetaData(), *columns, quote=True), {"Group": 7, "Select": at(0), "order": at(1), odd: 3}
    )
    for relation in ({"table": "Order"}, {"query": f"SELECT *, ':x' AS c FROM {name('Order')} WHERE 'a%' LIKE 'a%';"}):  # noqa: S608
        source = open_source(
            leads=relation | {"id": "Group", "quarantined_at": "Select"},
            enrichment=relation | {"id": "Group", "updated_at": "order"},
        )
        assert lead_ids(source, 10) == [["7"]]
        assert source.leads(["7"])["7"].columns["order"] == NOON + timedelta(hours=1)
        assert source.enrichments(["7"])["7"].columns[odd] == 3
        assert source.reading(NOON + timedelta(hours=1), None).newest_at == NOON + timedelta(hours=1)


def test_a_table_may_be_named_with_its_schema(database: UserDatabase, open_source: OpenSource) -> None:
    """As schema.name, which on MariaDB is the database and on SQLite main."""
    schema = {"sqlite": "main", "postgresql": "CRM", "mysql": database.engine.url.database}[database.dialect]
    if schema == "CRM":
        database.run('CREATE SCHEMA "CRM"')
    database.create(leads_table(schema), {"id": 1, "quarantined_at": at(0)})
    database.create(enrichment_table())
    assert lead_ids(open_source(leads={"table": f"{schema}.leads"}), 10) == [["1"]]


def test_a_query_may_join_group_and_use_with(database: UserDatabase, open_source: OpenSource) -> None:
    """It is read as a table, so that ids and pages narrow it."""
    database.create(leads_table(), *({"id": n, "quarantined_at": at(n)} for n in (1, 2, 3)))
    database.create(enrichment_table(), *({"id": 2, "updated_at": at(n), "mobile": str(n)} for n in (1, 2)))
    query = """
        WITH arrived AS (SELECT id, max(updated_at) AS updated_at, count(*) AS rows_seen FROM enrichment GROUP BY id)
        SELECT leads.id, leads.quarantined_at, arrived.updated_at, arrived.rows_seen
        FROM leads JOIN arrived ON arrived.id = leads.id /* ; */;
    """
    types = {"updated_at": "timestamp", "rows_seen": "int"}
    source = open_source(leads={"query": query, "types": types}, enrichment={"query": query, "types": types})
    assert lead_ids(source, 1) == [["2"]]
    assert source.enrichments(["1", "2"])["2"].columns["rows_seen"] == 2


@pytest.mark.parametrize(
    ("age", "fresh_within", "healthy"), [(1, 2, True), (2, 2, True), (3, 2, False), (3, None, True)]
)
def test_a_source_is_healthy_while_its_newest_row_is_fresh(
    database: UserDatabase,
    open_source: OpenSource,
    age: int,
    fresh_within: int | None,
    healthy: bool,
) -> None:
    """Hours are counted from `now`."""
    database.create(leads_table())
    database.create(enrichment_table(), *({"id": 1, "updated_at": at(-age - older)} for older in (0, 9)))
    fresh = None if fresh_within is None else timedelta(hours=fresh_within)
    reading = open_source().reading(NOON, fresh)
    assert reading.healthy is healthy
    assert reading.newest_at == NOON - timedelta(hours=age)
    assert reading.read_at == NOON


def test_an_empty_enrichment_is_not_healthy(database: UserDatabase, open_source: OpenSource) -> None:
    """For all we know the table was emptied, and no lead may be turned away for that."""
    database.create(leads_table())
    database.create(enrichment_table())
    for fresh_within in (None, timedelta(days=365)):
        reading = open_source().reading(NOON, fresh_within)
        assert not reading.healthy
        assert "enrichment" in str(reading.problem)
        assert "holds no row at all: no lead becomes late meanwhile." in str(reading.problem)


def test_times_are_utc_whatever_the_servers_zone_is(mariadb_url: str, open_source: OpenSource) -> None:
    """MariaDB tells a TIMESTAMP in the session's zone, which is therefore UTC."""
    UserDatabase(mariadb_url).run(
        "CREATE TABLE leads (id INT, quarantined_at TIMESTAMP)",
        "CREATE TABLE enrichment (id INT, updated_at TIMESTAMP)",
        "SET time_zone = '+05:00'",
        "INSERT INTO leads VALUES (1, '2026-03-01 17:00:00')",
    )
    ((lead,),) = (page.leads for page in open_source(mariadb_url).lead_pages.all())
    assert lead.quarantined_at == NOON


def test_the_source_cannot_be_written(database: UserDatabase, open_source: OpenSource) -> None:
    """Not even by mistake: the database itself refuses."""
    database.create(leads_table(), {"id": 1, "quarantined_at": at(0)})
    database.create(enrichment_table())
    source = open_source()
    with pytest.raises(SourceError), source._database.connect("here") as connection:
        connection.execute(text("DELETE FROM leads"))
    assert lead_ids(source, 10) == [["1"]]


def test_a_sqlite_file_in_wal_mode_is_read_while_it_is_written(sqlite_url: str, open_source: OpenSource) -> None:
    """A writer at work neither waits nor hides what was committed."""
    database = UserDatabase(sqlite_url)
    database.run("PRAGMA journal_mode = WAL")
    database.create(leads_table(), {"id": 1, "quarantined_at": at(0)})
    database.create(enrichment_table())
    source = open_source(sqlite_url)
    with database.engine.connect() as writer:
        writer.execute(text("INSERT INTO leads VALUES (2, '2026-03-01 12:00:00')"))
        assert lead_ids(source, 10) == [["1"]]
        writer.commit()
        assert lead_ids(source, 10) == [["1", "2"]]


@pytest.fixture
def cut(postgres_url: str) -> UserDatabase:
    """A PostgreSQL with two leads."""
    database = UserDatabase(postgres_url)
    database.create(leads_table(), *({"id": n, "quarantined_at": at(0)} for n in (1, 2)))
    database.create(enrichment_table(), {"id": 1, "updated_at": at(0)})
    return database


CUT_ALL = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()
"""


def test_a_connection_lost_between_pages_is_not_noticed(cut: UserDatabase, open_source: OpenSource) -> None:
    """A server may be restarted while a run goes through the leads."""
    pages = open_source(cut.url).lead_pages.all(1)
    assert [lead.lead_id for lead in next(pages).leads] == ["1"]
    cut.run(CUT_ALL)
    assert [lead.lead_id for lead in next(pages).leads] == ["2"]


def test_a_connection_lost_in_a_statement_is_worth_another_try(cut: UserDatabase, open_source: OpenSource) -> None:
    """It is told as unavailable, a reading of that moment is not healthy, and the next look works."""
    source = open_source(cut.url)

    def cut_before(*args: object) -> None:
        if "FROM enrichment" in str(args[2]) or 'FROM "enrichment"' in str(args[2]):
            cut.run(CUT_ALL)

    event.listen(Engine, "before_cursor_execute", cut_before)
    try:
        with pytest.raises(SourceUnavailable, match=r"source\.enrichment \(table enrichment\)") as caught:
            source.enrichments(["1"])
        reading = source.reading(NOON, None)
    finally:
        event.remove(Engine, "before_cursor_execute", cut_before)
    assert caught.value.__cause__ is None
    assert (reading.healthy, reading.newest_at) == (False, None)
    assert list(source.enrichments(["1"])) == ["1"]


def test_a_column_that_vanishes_is_a_fault_and_not_a_pause(database: UserDatabase, open_source: OpenSource) -> None:
    """Waiting would not bring it back."""
    database.create(leads_table(), {"id": 1, "quarantined_at": at(0)})
    database.create(enrichment_table())
    source = open_source()
    database.run("ALTER TABLE enrichment DROP COLUMN mobile")
    with pytest.raises(SourceError) as caught:
        source.enrichments(["1"])
    assert type(caught.value) is SourceError
    assert "source.enrichment (table enrichment)" in str(caught.value)
    assert "mobile" in str(caught.value)


@pytest.mark.parametrize(
    "mobile",
    ["mobile::bigint", "to_tsquery(mobile)", "mobile::regclass", "cast(mobile as xml)", "tell(mobile)"],
)
def test_a_value_that_cannot_be_read_is_not_repeated(cut: UserDatabase, open_source: OpenSource, mobile: str) -> None:
    """PostgreSQL quotes what it cannot convert, and whoever raises errors what he likes; the column is named alone."""
    cut.run(
        "CREATE FUNCTION tell(said text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS "
        "$$ BEGIN RAISE undefined_column USING MESSAGE = format('column \"%s\" does not exist', said); END $$",
        "INSERT INTO enrichment VALUES (2, '2026-03-01', 'TN25 6QD', 'Ann 0770')",
    )
    query = f"SELECT id, updated_at, postcode, {mobile}::text AS mobile FROM enrichment"  # noqa: S608 - of the table above
    with pytest.raises(SourceError, match=r"source\.enrichment \(its query\).*It is `mobile` that") as caught:
        open_source(cut.url, enrichment={"query": query}).enrichments(["2"])
    assert type(caught.value) is SourceError
    assert "Ann" not in str(caught.value)


def test_a_reader_without_the_right_to_select_is_told_at_once(cut: UserDatabase, open_source: OpenSource) -> None:
    """A column that can be seen may still not be read: opening says so, and names the relation."""
    cut.run("DROP ROLE IF EXISTS leadgate_reader", "CREATE ROLE leadgate_reader LOGIN")
    cut.run("GRANT USAGE ON SCHEMA public TO leadgate_reader", "GRANT SELECT ON leads TO leadgate_reader")
    with pytest.raises(SourceError, match=r"source\.enrichment \(table enrichment\).*permission denied"):
        open_source(cut.url.replace("postgres@", "leadgate_reader@"))
