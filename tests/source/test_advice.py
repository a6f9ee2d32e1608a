"""What `leadgate check` says of how arrivals will be found: the way, the missing index, the missing right."""

import pytest

from tests.source.conftest import OpenSource, UserDatabase

TABLES = (
    "CREATE TABLE leads (id INTEGER, quarantined_at TIMESTAMP NULL)",
    "CREATE TABLE enrichment (id INTEGER, updated_at TIMESTAMP NULL, score INTEGER)",
)
INDEXES = {
    "CREATE INDEX leads_id ON leads (id)": "no index serves `id`, so the whole of it is read each time",
    "CREATE INDEX leads_at ON leads (quarantined_at, id)": "INDEX leads_quarantined_at ON leads (quarantined_at, id)",
    "CREATE INDEX enrichment_id ON enrichment (id)": "CREATE INDEX enrichment_id ON enrichment (id)",
    "CREATE INDEX enrichment_at ON enrichment (updated_at, id)": "enrichment_updated_at ON enrichment (updated_at, id)",
}


@pytest.mark.parametrize("missing", [None, *INDEXES])
def test_every_index_that_is_missing_is_named(
    database: UserDatabase, open_source: OpenSource, missing: str | None
) -> None:
    """With the statement that makes it; small tables, which the database would rather read whole, are no exception."""
    database.run(*TABLES, *(index for index in INDEXES if index != missing))
    told = [advised for advised in open_source().advice() if "index" in advised]
    assert len(told) == (missing is not None)
    if missing:
        assert INDEXES[missing] in told[0]
        assert missing.split(" ON ")[1].split(" ")[0] in told[0]


def test_what_a_table_lacks_is_one_sentence(database: UserDatabase, open_source: OpenSource) -> None:
    """A source without any index is told so twice, not four times; each statement stands in it."""
    database.run(*TABLES)
    told = [advised for advised in open_source().advice() if "index" in advised]
    assert len(told) == 2
    for statement in INDEXES:
        name, columns = statement.split(" ON ")[1].split(" ", 1)
        assert any(f"ON {name} {columns}" in advised for advised in told)


def test_the_index_of_a_view_is_the_one_of_the_table_behind_it(database: UserDatabase, open_source: OpenSource) -> None:
    """A view has none of its own."""
    database.run(*TABLES, "CREATE VIEW seen AS SELECT * FROM enrichment", *list(INDEXES)[:3])
    (told,) = (advised for advised in open_source(enrichment={"table": "seen"}).advice() if "index" in advised)
    assert "source.enrichment (table seen): no index serves `updated_at`" in told
    assert told.endswith("CREATE INDEX seen_updated_at ON seen (updated_at, id); for a view, on the table behind it.")
    database.run("CREATE INDEX enrichment_at ON enrichment (updated_at, id)")
    assert not [advised for advised in open_source(enrichment={"table": "seen"}).advice() if "index" in advised]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_cast_that_makes_another_id_of_an_odd_one_is_a_warning(
    database: UserDatabase, open_source: OpenSource, *, guarded: bool
) -> None:
    """MariaDB and SQLite read 12x as 12; PostgreSQL refuses it. The WHERE that the warning says ends it."""
    database.run(*TABLES)
    number = {"mysql": "UNSIGNED"}.get(database.dialect, "BIGINT")
    query = f"SELECT CAST(trim(id) AS {number}) AS id, quarantined_at FROM leads"  # noqa: S608 - constants
    if database.dialect == "postgresql":
        query = query.replace("trim(id)", "id::text")
    leads = {"query": query, "id": "id"}
    told = open_source(leads=leads).warnings()
    assert len(told) == (database.dialect != "postgresql")
    if guarded and told:
        leads["query"] += " " + told[0].partition(": `")[2].rstrip("`.").replace("COLUMN", "id")
        assert open_source(leads=leads).warnings() == []


@pytest.mark.parametrize("grouped", [True, False])
def test_a_query_that_groups_rows_is_told_what_helps(
    database: UserDatabase, open_source: OpenSource, *, grouped: bool
) -> None:
    """No index serves what is computed of several rows; a word in a comment or a text groups nothing."""
    database.run(*TABLES, *INDEXES)
    query = "SELECT id, max(updated_at) AS updated_at, max(score) AS score FROM enrichment GROUP BY id"
    plain = "SELECT id, coalesce(updated_at, NULL) AS updated_at, 'GROUP BY' AS score FROM enrichment -- GROUP BY id"
    types = {"types": {"updated_at": "timestamp"}}
    told = list(open_source(enrichment={"query": query if grouped else plain, **types}).advice())
    groups = [line for line in told if "groups rows" in line]
    assert len(groups) == grouped
    if grouped:
        assert "a table of its own, with indexes on" in groups[0]
        assert "(updated_at, id)" in groups[0]
        assert not any("with the query's own expressions" in line for line in told)


def test_the_statement_of_an_index_runs_as_it_stands(database: UserDatabase, open_source: OpenSource) -> None:
    """Names that the database would fold or not take are quoted in it, and the advice is gone afterwards."""
    quote = database.engine.dialect.identifier_preparer.quote
    table, stamp = quote("LeadFact"), quote("updatedAt")
    database.run(*TABLES, *INDEXES)
    database.run(f"CREATE TABLE {table} (id INTEGER, {stamp} TIMESTAMP NULL, score INTEGER)")
    database.run(f"CREATE INDEX facts_id ON {table} (id)")
    named = {"table": "LeadFact", "updated_at": "updatedAt"}
    (told,) = (advised for advised in open_source(enrichment=named).advice() if "index" in advised)
    database.run(told.partition("Create one: ")[2].partition(";")[0])
    assert not [advised for advised in open_source(enrichment=named).advice() if "index" in advised]


def test_a_source_without_stamps_is_told_what_that_costs(database: UserDatabase, open_source: OpenSource) -> None:
    """And what to name."""
    database.run(*TABLES, *INDEXES)
    told = open_source(enrichment={"updated_at": None}).advice()
    assert any("has no `updated_at`" in one and "source.enrichment.updated_at" in one for one in told)
    assert any("source.leads (table leads): read forward by `quarantined_at`" in one for one in told)
