"""Opening a source: what its columns are, and messages that name every fault at once."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from leadgate.config import EnrichmentConfig, LeadsConfig, SourceConfig
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.policy.names import Names
from leadgate.source import Source
from tests.source.conftest import ENRICHMENT, LEADS, OpenSource, UserDatabase

CREATE = (
    "CREATE TABLE leads (id INTEGER, quarantined_at TIMESTAMP NULL)",
    "CREATE TABLE enrichment (id INTEGER, updated_at TIMESTAMP NULL, postcode VARCHAR(10))",
)


def test_every_unknown_column_is_named_with_the_nearest_ones(database: UserDatabase, open_source: OpenSource) -> None:
    """One message holds the faults of both relations, each with its key and the name that was meant."""
    database.run(*CREATE)
    with pytest.raises(SourceError) as caught:
        open_source(
            leads={"id": "ID", "quarantined_at": "quarantined"},
            enrichment={"updated_at": "updatedat", "types": {"post_code": "string"}},
        )
    message = str(caught.value)
    assert "source.leads.id: source.leads (table leads) has no column `ID`; did you mean id?" in message
    assert "source.leads.quarantined_at: " in message
    assert "did you mean quarantined_at?" in message
    assert "source.enrichment.updated_at: " in message
    assert "did you mean updated_at?" in message
    assert "source.enrichment.types.post_code: " in message
    assert "did you mean postcode?" in message


def test_an_unknown_table_is_named_with_the_nearest_ones(database: UserDatabase, open_source: OpenSource) -> None:
    """A wrong table name is answered with the tables and views there are."""
    database.run(*CREATE, "CREATE VIEW open_leads AS SELECT * FROM leads")
    with pytest.raises(SourceError) as caught:
        open_source(leads={"table": "open_lead"}, enrichment={"table": "nothing_like_it"})
    message = str(caught.value)
    assert "source.leads.table: there is no table or view `open_lead`; did you mean open_leads?" in message
    assert (
        "source.enrichment.table: there is no table or view `nothing_like_it`; known here: enrichment, leads" in message
    )


def test_a_table_of_another_schema_is_named_with_it(postgres_url: str, open_source: OpenSource) -> None:
    """Whether the schema was left out, spelt otherwise, or right with a wrong table after it."""
    UserDatabase(postgres_url).run('CREATE SCHEMA "Sales"', 'CREATE TABLE "Sales"."Lead" (id INTEGER)')
    for table, ending in {
        "quarantined_leads": "; known here: Sales.Lead",
        "sales.lead": "; did you mean Sales.Lead?",
        "Sales.leads": "; did you mean Sales.Lead?",
    }.items():
        with pytest.raises(SourceError) as caught:
            open_source(postgres_url, leads={"table": table})
        assert f"source.leads.table: there is no table or view `{table}`{ending}" in str(caught.value)


def test_a_query_that_does_not_run_is_told_in_the_databases_words(
    database: UserDatabase, open_source: OpenSource
) -> None:
    """The message names the relation and the unknown column, and holds no SQL."""
    database.run(*CREATE)
    with pytest.raises(SourceError) as caught:
        open_source(leads={"query": "SELECT nope, id FROM leads"})
    assert type(caught.value) is SourceError
    assert "source.leads (its query)" in str(caught.value)
    assert "nope" in str(caught.value)
    assert "SELECT nope" not in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM leads",
        "SELECT id FROM leads; DROP TABLE leads",
        "/* SELECT */ UPDATE leads SET id = 1",
        "leads",
        "",
    ],
)
def test_a_query_is_one_select_statement(sqlite_url: str, open_source: OpenSource, query: str) -> None:
    """Anything else is refused before it reaches the database."""
    UserDatabase(sqlite_url).run(*CREATE)
    with pytest.raises(SourceError, match=r"source\.leads\.query: must be one SELECT"):
        open_source(sqlite_url, leads={"query": query})


def test_an_id_must_be_a_number_text_or_uuid(database: UserDatabase, open_source: OpenSource) -> None:
    """A timestamp cannot be a lead's id, nor a number the time it was quarantined at."""
    database.run(*CREATE)
    with pytest.raises(SourceError) as caught:
        open_source(leads={"id": "quarantined_at", "quarantined_at": "id"})
    assert "source.leads.id: column `quarantined_at`" in str(caught.value)
    assert "source.leads.quarantined_at: column `id`" in str(caught.value)
    assert "`types: {id: timestamp}`" in str(caught.value)


def test_two_columns_of_one_name_are_refused(postgres_url: str, open_source: OpenSource) -> None:
    """A query must name its columns apart, since rules go by the name."""
    UserDatabase(postgres_url).run(*CREATE)
    with pytest.raises(SourceError, match="gives two columns named `id`"):
        open_source(postgres_url, leads={"query": "SELECT a.*, b.id FROM leads a JOIN leads b ON a.id = b.id"})


def test_columns_that_cannot_be_read_are_named(database: UserDatabase, open_source: OpenSource) -> None:
    """Those that other parts of the file name: with the nearest one, or with what to read it as."""
    json_type = "JSON" if database.dialect != "mysql" else "BLOB"
    database.run(
        CREATE[0], f"CREATE TABLE enrichment (id INTEGER, updated_at TIMESTAMP, postcode TEXT, raw {json_type})"
    )
    names = Names(open_source().columns)
    assert all(map(names.column, ["postcode", "updated_at", "enrichment.id", "lead.id"]))
    assert names.problem("postcod") == "source.enrichment has no column `postcod`; did you mean postcode?"
    assert names.problem("quarantined_at").endswith("; did you mean lead.quarantined_at?")
    assert names.problem("lead.postcode").endswith("source.leads has no column `postcode`; did you mean postcode?")
    assert names.problem("raw").startswith(f"column `raw` of source.enrichment is {json_type}")
    assert "`types: {raw: string}`" in names.problem("raw")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("no address", "no database address"),
        ("nosuchdb://host/leads", "no database address"),
        ("postgresql+asyncpg://user:s3cret@host/leads", "asyncio driver"),
        ("postgresql+psycopg2://user:s3cret@host/leads", "needs psycopg2: install it, or write postgresql://"),
        ("postgresql+psycopg://user:p@s3cret/er@host/leads", "write @ as %40 and / as %2F"),
        ("postgresql+psycopg://user:p@s3cret@host/leads", "more than one @"),
        ("mysql+pymysql://user:s3cret@host/leads?nosuchoption=1", "cannot be used"),
        ("sqlite://", "in memory"),
        ("sqlite:///missing.db", "there is no SQLite file"),
    ],
)
def test_a_wrong_address_is_one_clear_message(open_source: OpenSource, url: str, words: str) -> None:
    """It says what to write instead, and never the password."""
    with pytest.raises(SourceError) as caught:
        open_source(url)
    assert not isinstance(caught.value, SourceUnavailable)
    assert str(caught.value).startswith("source.url: ")
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "driver", ["postgres", "postgresql", "postgresql+psycopg", "mysql", "mariadb", "mysql+pymysql"]
)
def test_a_server_that_does_not_answer_is_unavailable(open_source: OpenSource, driver: str) -> None:
    """That is worth another try; the message has host and database, and neither user nor password."""
    with pytest.raises(SourceUnavailable) as caught:
        open_source(f"{driver}://reader:s3cret@127.0.0.1:1/leads")
    assert " 127.0.0.1:1/leads, cannot be reached" in str(caught.value)
    assert "s3cret" not in repr(caught.value)


def test_a_missing_sqlite_file_is_not_created(open_source: OpenSource, tmp_path: Path) -> None:
    """Opening names the file and leaves the folder as it was."""
    with pytest.raises(SourceError, match=str(tmp_path / "missing.db")):
        open_source("sqlite:///missing.db")
    assert list(tmp_path.iterdir()) == []


def test_a_relative_sqlite_path_starts_at_the_pipeline_files_folder(tmp_path: Path) -> None:
    """Whatever the working directory is, and whatever signs the folder's name has."""
    folder = tmp_path / "what? 100% #1"
    folder.mkdir()
    UserDatabase(f"sqlite:///{tmp_path / 'made.db'}").run(*CREATE)
    (tmp_path / "made.db").rename(folder / "leads.db")
    config = SourceConfig(
        url=SecretStr("sqlite:///leads.db"),
        leads=LeadsConfig.model_validate(LEADS),
        enrichment=EnrichmentConfig.model_validate(ENRICHMENT),
    )
    source = Source.open(config, base_dir=folder)
    assert set(source.columns.lead) == {"id", "quarantined_at"}
    source.close()
