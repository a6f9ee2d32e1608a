"""Tables and columns with blanks and capitals: what PostgreSQL says of them is passed on whole."""

import pytest

from leadgate.errors import SourceError
from tests.source.conftest import ENRICHMENT, OpenSource, UserDatabase

QUERY = 'SELECT "Quarantine Id" AS id, "Entered At" AS quarantined_at FROM crm."Quarantine Leads"'


@pytest.fixture
def owner(postgres_url: str) -> UserDatabase:
    """Tables of a CRM in a schema of their own."""
    database = UserDatabase(postgres_url)
    database.run(
        "CREATE SCHEMA crm",
        'CREATE TABLE crm."Quarantine Leads" ("Quarantine Id" text, "Entered At" timestamptz)',
        "CREATE TABLE enrichment (id bigint, updated_at timestamptz, postcode text)",
        "INSERT INTO crm.\"Quarantine Leads\" VALUES ('ABC', now())",
        "DROP ROLE IF EXISTS odd_reader",
        "CREATE ROLE odd_reader LOGIN",
        "GRANT USAGE ON SCHEMA public, crm TO odd_reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public, crm TO odd_reader",
    )
    return database


@pytest.mark.parametrize(
    ("spoil", "query", "words"),
    [
        ("", QUERY.replace("Entered At", "Entered On"), "there is no column `Entered On`"),
        ("", 'SELECT l."Quarantine Nr" AS id FROM crm."Quarantine Leads" l', "there is no column `l.Quarantine Nr`"),
        ("", QUERY.replace("Leads", "Ledas"), "there is no table `crm.Quarantine Ledas`"),
        (
            'REVOKE SELECT ON crm."Quarantine Leads" FROM odd_reader',
            QUERY,
            "permission denied for `Quarantine Leads`",
        ),
    ],
)
def test_a_name_with_a_blank_is_passed_on_whole(
    owner: UserDatabase, open_source: OpenSource, spoil: str, query: str, words: str
) -> None:
    """It stands in the query of the file, so it is nobody's value."""
    if spoil:
        owner.run(spoil)
    url = owner.url.replace("postgres@", "odd_reader@")
    leads = {"table": None, "query": query, "id": "id", "quarantined_at": "quarantined_at"}
    with pytest.raises(SourceError) as caught:
        open_source(url, leads=leads, enrichment=ENRICHMENT)
    assert words in str(caught.value)


@pytest.mark.parametrize("odd", ["ABC", "99999999999999999999"])
def test_a_cast_that_one_row_breaks_is_called_one(owner: UserDatabase, open_source: OpenSource, odd: str) -> None:
    """The value is not told: it may be a person's."""
    owner.run(f"""UPDATE crm."Quarantine Leads" SET "Quarantine Id" = '{odd}'""")  # noqa: S608 - constants
    query = QUERY.replace('"Quarantine Id"', '"Quarantine Id"::bigint', 1)
    leads = {"table": None, "query": query, "id": "id", "quarantined_at": "quarantined_at"}
    source = open_source(owner.url, leads=leads, enrichment=ENRICHMENT)
    with pytest.raises(SourceError, match="a cast does not fit one of the values: leave such rows out") as caught:
        list(source.lead_pages.all(10))
    assert odd not in str(caught.value)
