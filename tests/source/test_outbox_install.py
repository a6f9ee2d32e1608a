"""Putting the outbox in and taking it out: again and again, beside others, and told clearly where it cannot be."""

import sqlite3

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from leadgate.config import PipelineConfig
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.source.outbox_install import run_installation, run_removal, write_installation
from tests.source.conftest import ENRICHMENT, LEADS, UserDatabase
from tests.source.outboxes import CREATE, HERE, pipeline, take_once, why_not


@pytest.fixture
def config(database: UserDatabase) -> PipelineConfig:
    """The usual pipeline, with an outbox that is empty."""
    database.run(*CREATE)
    config = pipeline(database.url)
    run_installation(config, base_dir=HERE)
    return config


def test_installing_again_changes_nothing(database: UserDatabase, config: PipelineConfig) -> None:
    """What was run, and what was printed and run by hand; one change is one row all the same."""
    database.run("INSERT INTO enrichment (id) VALUES (1)")
    assert run_installation(config, base_dir=HERE).statements == []
    with database.engine.begin() as connection:
        for statement in write_installation(config, base_dir=HERE).statements:
            connection.exec_driver_sql(statement)
    assert run_installation(config, base_dir=HERE).statements == []
    database.run("INSERT INTO enrichment (id) VALUES (2)")
    batch = take_once(config)
    assert (batch.enrichment, len(batch.seqs)) == (["1", "2"], 2)


def test_the_printed_script_runs_as_it_stands(database_url: str) -> None:
    """With its transaction, as sqlite3 and psql would read it."""
    UserDatabase(database_url).run(*CREATE)
    config = pipeline(database_url)
    script = write_installation(config, base_dir=HERE).text
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        with sqlite3.connect(str(url.database)) as connection:
            connection.executescript(script)
        connection.close()
    else:
        address = url.set(drivername="postgresql").render_as_string()
        with psycopg.connect(address, autocommit=True) as server:
            server.execute(script.encode())
    assert take_once(config).seqs == []


def test_removing_leaves_the_other_pipelines(database: UserDatabase, config: PipelineConfig) -> None:
    """Two pipelines on one table each take their own; without the one the other goes on, and writes do not fail."""
    other = pipeline(database.url, name="ACME")
    run_installation(other, base_dir=HERE)
    database.run("INSERT INTO enrichment (id) VALUES (1)")
    assert take_once(config).enrichment == ["1"]
    run_removal(config, base_dir=HERE)
    run_removal(config, base_dir=HERE)
    assert "the outbox is not installed for pipeline `acme`: `leadgate install-outbox` prints" in why_not(config)
    database.run("INSERT INTO enrichment (id) VALUES (2)")
    batch = take_once(other)
    assert (batch.enrichment, len(batch.seqs)) == (["1", "2"], 2)


def test_what_was_never_installed_can_be_removed(database: UserDatabase) -> None:
    """There is no table to delete from, and that is no fault."""
    database.run(*CREATE)
    run_removal(pipeline(database.url), base_dir=HERE)


def test_one_table_may_hold_both(database: UserDatabase) -> None:
    """A change of its row is a change of the lead and of its enrichment."""
    database.run("CREATE TABLE leads (id BIGINT, quarantined_at TIMESTAMP NULL, updated_at TIMESTAMP NULL)")
    config = pipeline(database.url, enrichment=ENRICHMENT | {"table": "leads"})
    run_installation(config, base_dir=HERE)
    database.run("INSERT INTO leads (id) VALUES (1)")
    batch = take_once(config)
    assert (batch.leads, batch.enrichment) == (["1"], ["1"])


def test_names_are_taken_as_the_database_spells_them(database: UserDatabase) -> None:
    """Capitals, blanks, quotes, reserved words, percent signs; and on servers a schema, where the outbox lies then."""
    quote = database.engine.dialect.identifier_preparer.quote_identifier
    table, column = "Sel\"ect 'y'", 'Id "%" in'
    schema = {"sqlite": None, "postgresql": "My Schema", "mysql": "leadgate_test"}[database.dialect]
    if database.dialect == "postgresql":
        database.run('CREATE SCHEMA "My Schema"')
    place = ".".join(quote(name) for name in (schema, table) if name)
    # As a driver reads it, a percent sign that SQLAlchemy quotes stands for two.
    spelled = quote(column).replace("%%", "%")
    database.run(CREATE[0], f"CREATE TABLE {place} ({spelled} BIGINT, updated_at TIMESTAMP NULL)")
    named = {"table": f"{schema}.{table}" if schema else table, "id": column}
    config = pipeline(database.url, enrichment=named)
    assert run_installation(config, base_dir=HERE).statements
    assert run_installation(config, base_dir=HERE).statements == []
    database.run(f"INSERT INTO {place} ({spelled}) VALUES (1)", "INSERT INTO leads (id) VALUES (2)")  # noqa: S608
    batch = take_once(config)
    assert (batch.leads, batch.enrichment) == (["2"], ["1"])
    assert run_removal(config, base_dir=HERE).statements


def test_views_and_queries_are_refused_together(database: UserDatabase) -> None:
    """Both relations are named, with what to do; nothing is installed."""
    database.run(*CREATE, "CREATE VIEW open_leads AS SELECT * FROM leads")
    query = {"query": "SELECT * FROM enrichment", "id": "id"}
    config = pipeline(database.url, leads=LEADS | {"table": "open_leads"}, enrichment=query)
    with pytest.raises(SourceError) as caught:
        run_installation(config, base_dir=HERE)
    leads, enrichment = str(caught.value).splitlines()
    assert leads.startswith("source.leads (view open_leads): is a view, and a trigger stands on a table. Name the ")
    assert enrichment.startswith("source.enrichment (its query): is a query, and a trigger stands on a table. Name ")
    assert "source.enrichment.table" in enrichment
    assert why_not(config) == str(caught.value)


def test_a_materialized_view_is_a_view(postgres_url: str) -> None:
    """PostgreSQL lists those apart."""
    UserDatabase(postgres_url).run(*CREATE, "CREATE MATERIALIZED VIEW open_leads AS SELECT * FROM leads")
    assert "is a view" in why_not(pipeline(postgres_url, leads=LEADS | {"table": "open_leads"}))


def test_another_table_in_the_file_wants_other_triggers(database: UserDatabase, config: PipelineConfig) -> None:
    """The outbox counts as missing until it is installed again; then the table named before is written as ever."""
    database.run("CREATE TABLE newer (lead_id BIGINT, updated_at TIMESTAMP NULL)")
    moved = pipeline(database.url, enrichment=ENRICHMENT | {"table": "newer", "id": "lead_id"})
    assert "`leadgate install-outbox` prints the SQL for it" in why_not(moved)
    run_installation(moved, base_dir=HERE)
    database.run("INSERT INTO enrichment (id) VALUES (1)", "INSERT INTO newer (lead_id) VALUES (2)")
    assert take_once(moved).enrichment == ["2"]


def test_a_trigger_that_fell_with_its_table_is_missed(database_url: str) -> None:
    """A load that drops the table and makes it anew takes the triggers along."""
    database = UserDatabase(database_url)
    database.run(*CREATE)
    config = pipeline(database_url)
    run_installation(config, base_dir=HERE)
    database.run("DROP TABLE enrichment", CREATE[1])
    assert "leadgate_outbox_acme_enrichment" in why_not(config)
    assert "leadgate_outbox_acme_leads" not in why_not(config)
    run_installation(config, base_dir=HERE)
    assert take_once(config).seqs == []


CREATE_READER = {
    "postgresql": (
        "DROP ROLE IF EXISTS leadgate_reader",
        "CREATE ROLE leadgate_reader LOGIN PASSWORD 's3cret'",
        "GRANT USAGE ON SCHEMA public TO leadgate_reader",
    ),
    "mysql": (
        "DROP USER IF EXISTS leadgate_reader@'%'",
        "CREATE USER leadgate_reader@'%' IDENTIFIED BY 's3cret'",
    ),
}


@pytest.mark.parametrize("source_url", ["postgresql", "mariadb"], indirect=True)
def test_rights_that_are_missing_are_told(database: UserDatabase, config: PipelineConfig) -> None:
    """A reader needs SELECT and DELETE on the outbox, as printed; a writer needs nothing, and installs nothing."""
    grants = (f"GRANT SELECT, INSERT ON {table} TO leadgate_reader" for table in ("leads", "enrichment"))
    database.run(*CREATE_READER[database.dialect], *grants)
    url = make_url(database.url).set(username="leadgate_reader", password="s3cret").render_as_string(False)
    theirs = pipeline(url)
    UserDatabase(url).run("INSERT INTO enrichment (id) VALUES (1)")
    assert "denied" in why_not(theirs)
    assert "s3cret" not in why_not(theirs)
    (grant,) = write_installation(theirs, base_dir=HERE).grants
    database.run(grant.replace("SELECT, DELETE", "SELECT"))
    assert "denied" in why_not(theirs)
    assert "`leadgate install-outbox` prints the statements and rights it takes" in why_not(theirs)
    database.run(grant)
    assert take_once(theirs).enrichment == ["1"]
    with pytest.raises(SourceError, match="denied") as caught:
        run_installation(pipeline(url, name="other"), base_dir=HERE)
    assert not isinstance(caught.value, SourceUnavailable)
    with pytest.raises(DBAPIError, match="denied"):
        UserDatabase(url).run("INSERT INTO leadgate_outbox (pipeline, relation, lead_id) VALUES ('acme', 'leads', '1')")


def test_an_installation_that_fails_leaves_nothing(sqlite_url: str) -> None:
    """Not even the table: a virtual table bears no trigger, which is found when the others stand already."""
    database = UserDatabase(sqlite_url)
    database.run(CREATE[0], "CREATE VIRTUAL TABLE enrichment USING fts5(id, updated_at)")
    config = pipeline(sqlite_url, enrichment=ENRICHMENT | {"types": {"updated_at": "timestamp"}})
    with pytest.raises(SourceError, match="cannot create triggers on virtual tables"):
        run_installation(config, base_dir=HERE)
    with database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE name LIKE 'leadgate%'")) == 0


def test_a_sqlite_file_that_is_opened_read_only_is_told(sqlite_url: str) -> None:
    """An address may ask for it; then nothing can be deleted, and nothing installed."""
    UserDatabase(sqlite_url).run(*CREATE)
    run_installation(pipeline(sqlite_url), base_dir=HERE)
    config = pipeline(sqlite_url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true")
    assert "readonly" in why_not(config)
    with pytest.raises(SourceError, match="readonly"):
        run_removal(config, base_dir=HERE)
