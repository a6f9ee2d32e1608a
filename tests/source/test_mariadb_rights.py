"""What MariaDB says of a user without a right is passed on with what is missing: it says the same of many things."""

import pytest

from leadgate.errors import SourceError, SourceUnavailable
from tests.source.conftest import OpenSource, UserDatabase


@pytest.fixture
def owner(mariadb_url: str) -> UserDatabase:
    """The database as its owner uses it, with a reader who may read the leads alone."""
    database = UserDatabase(mariadb_url)
    database.run(
        "CREATE TABLE leads (id bigint, quarantined_at datetime)",
        "CREATE TABLE enrichment (id bigint, updated_at datetime, postcode text)",
        "CREATE VIEW seen AS SELECT * FROM enrichment",
        "CREATE OR REPLACE USER leadgate_reader@'%'",
        "GRANT SELECT ON leads TO leadgate_reader@'%'",
    )
    return database


@pytest.fixture
def reader_url(owner: UserDatabase) -> str:
    """The address as the reader has it."""
    return owner.url.replace("root@", "leadgate_reader@")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("seen", "its user lacks the right SHOW VIEW on `seen`"),
        ("enrichment", "permission denied, or not there: `enrichment`"),
    ],
)
def test_mariadb_is_quoted_with_the_table_and_the_right(
    owner: UserDatabase, reader_url: str, open_source: OpenSource, table: str, expected: str
) -> None:
    """It names the schema first, and wants a right of its own before it shows the columns of a view."""
    owner.run("GRANT SELECT ON seen TO leadgate_reader@'%'")
    with pytest.raises(SourceError) as caught:
        open_source(reader_url, enrichment={"table": table})
    assert f"source.enrichment (table {table})" in str(caught.value)
    assert expected in str(caught.value)
    owner.run("GRANT SELECT, SHOW VIEW ON seen TO leadgate_reader@'%'")
    if table == "seen":
        open_source(reader_url, enrichment={"table": table})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/nowhere", "there is no such database, or its user may not use it"),
        ("/leadgate_test", "there is no function that its user may call: `json_valu`"),
    ],
)
def test_mariadb_does_not_speak_of_passwords_alone(
    owner: UserDatabase, reader_url: str, open_source: OpenSource, url: str, expected: str
) -> None:
    """It refuses a database that is not there, and a function with a slip in its name, as it refuses a person."""
    owner.run("GRANT SELECT ON enrichment TO leadgate_reader@'%'")
    query = "SELECT id, updated_at, json_valu(postcode, '$.a') AS postcode FROM enrichment"
    with pytest.raises((SourceError, SourceUnavailable)) as caught:
        open_source(reader_url.replace("/leadgate_test", url), enrichment={"query": query})
    assert expected in str(caught.value)


def test_a_refused_password_is_a_fault_of_the_address(
    owner: UserDatabase, reader_url: str, open_source: OpenSource
) -> None:
    """Said once, and not of both relations."""
    with pytest.raises(SourceError) as caught:
        open_source(reader_url.replace("leadgate_reader@", "leadgate_reader:s3cr3t@"))
    said = str(caught.value)
    assert said == "source.url (mysql): its user or password is refused. Correct it; `leadgate check` looks again."


def test_a_view_that_names_what_is_gone_is_called_so(
    owner: UserDatabase, reader_url: str, open_source: OpenSource
) -> None:
    """SQLAlchemy has an error of its own for it, in whose text the server's words stand."""
    owner.run("GRANT SELECT, SHOW VIEW ON seen TO leadgate_reader@'%'", "ALTER TABLE enrichment DROP COLUMN postcode")
    with pytest.raises(SourceError, match="the view names what is gone, or its owner lacks a right"):
        open_source(reader_url, enrichment={"table": "seen"})
