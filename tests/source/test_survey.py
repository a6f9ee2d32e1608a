"""What is guessed of a database that nobody has described: its two tables, their columns, how dates are written."""

from pathlib import Path

import pytest

from leadgate.errors import SourceError
from leadgate.source.date_formats import DateForm, guess_form
from leadgate.source.guess import Guess
from leadgate.source.survey import survey
from tests.source.conftest import UserDatabase

LEADS = "CREATE TABLE quarantined_leads (quarantine_id BIGINT PRIMARY KEY, received_at TIMESTAMP, source VARCHAR(20))"
ENRICHMENT = (
    "CREATE TABLE lead_enrichment (quarantine_id BIGINT, postcode VARCHAR(10), mobile VARCHAR(20), "
    "phone_verified BOOLEAN, note VARCHAR(20), updated_at TIMESTAMP)"
)
OTHER = "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(50), created_at TIMESTAMP)"


def test_two_tables_with_a_shared_id_are_found(database: UserDatabase, tmp_path: Path) -> None:
    """By their names, beside a table that has nothing to do with them; their columns with them."""
    database.run(LEADS, ENRICHMENT, OTHER)
    guessed, forms, *_ = survey(database.url, tmp_path)
    assert guessed.leads_table == Guess("quarantined_leads", "sure")
    assert guessed.enrichment_table == Guess("lead_enrichment", "sure")
    assert guessed.lead_id == guessed.enrichment_id == Guess("quarantine_id", "sure")
    assert guessed.quarantined_at == Guess("received_at", "likely")
    assert guessed.updated_at == Guess("updated_at", "sure")
    assert [each.name for each in guessed.require] == ["postcode", "mobile", "phone_verified"]
    assert {field: each.name for field, each in guessed.update.items()} == {"postcode": "postcode", "phone1": "mobile"}
    assert forms == {}


def test_a_foreign_key_joins_what_names_do_not(database: UserDatabase, tmp_path: Path) -> None:
    """The enrichment's column has a name of its own, and refers to the id of the leads."""
    database.run(
        "CREATE TABLE leads (id BIGINT PRIMARY KEY, created_at TIMESTAMP)",
        "CREATE TABLE verification (parent BIGINT, score FLOAT, other_id BIGINT, changed_on TIMESTAMP, "
        "FOREIGN KEY (parent) REFERENCES leads (id))",
    )
    guessed, *_ = survey(database.url, tmp_path)
    assert (guessed.lead_id.name, guessed.enrichment_id) == ("id", Guess("parent", "sure"))
    assert guessed.updated_at == Guess("changed_on", "sure")


def test_views_are_found_like_tables(database: UserDatabase, tmp_path: Path) -> None:
    """The tables behind them are called otherwise."""
    database.run(
        "CREATE TABLE t1 (a BIGINT, b TIMESTAMP)",
        "CREATE TABLE t2 (a BIGINT, c VARCHAR(10), d TIMESTAMP)",
        "CREATE VIEW quarantined_leads AS SELECT a AS quarantine_id, b AS quarantined_at FROM t1",
        "CREATE VIEW enrichment AS SELECT a AS quarantine_id, c AS postcode, d AS updated_at FROM t2",
    )
    guessed, *_ = survey(database.url, tmp_path)
    assert (guessed.leads.name, guessed.enrichment.name) == ("quarantined_leads", "enrichment")
    database.run("DROP VIEW quarantined_leads", "DROP VIEW enrichment")


def test_tables_of_another_schema_are_named_with_it(postgres_url: str, tmp_path: Path) -> None:
    """As `table:` wants them."""
    in_crm = [each.replace("TABLE ", "TABLE crm.") for each in (LEADS, ENRICHMENT)]
    UserDatabase(postgres_url).run("CREATE SCHEMA crm", *in_crm, OTHER)
    guessed, *_ = survey(postgres_url, tmp_path)
    assert (guessed.leads.name, guessed.enrichment.name) == ("crm.quarantined_leads", "crm.lead_enrichment")


def test_one_table_of_texts_is_both(database: UserDatabase, tmp_path: Path) -> None:
    """An export with blanks in its names; of its dates one form is decided by a value, the other is not."""
    quote = database.engine.dialect.identifier_preparer.quote_identifier
    names = ["Prospect ID", "Lead Number", "Do Not Email", "City", "Email Address", "Created On", "Modified On", "Last"]
    columns = ", ".join(f"{quote(name)} VARCHAR(60)" for name in names)
    row = "INSERT INTO crm_export VALUES ('p', '{}', 'No', 'Dover', 'a@b.uk', '{}', '{}', '1234567890')"
    rows = [row.format(1, "03/04/2026 10:00", "02/13/2026"), row.format(2, "05/06/2026 11:30", "02/03/2026")]
    database.run(f"CREATE TABLE crm_export ({columns})", *rows)
    guessed, forms, *_ = survey(database.url, tmp_path)
    assert guessed.leads is guessed.enrichment
    assert guessed.lead_id == Guess("Lead Number", "a guess")
    assert (guessed.quarantined_at.name, guessed.updated_at) == ("Created On", Guess("Modified On", "likely"))
    assert [each.name for each in guessed.require] == ["Email Address"]
    assert {field: each.name for field, each in guessed.update.items()} == {
        "email": "Email Address",
        "towncity": "City",
    }
    assert forms == {
        ("crm_export", "Created On"): DateForm("%d/%m/%Y %H:%M", is_sure=False),
        ("crm_export", "Modified On"): DateForm("%m/%d/%Y"),
    }


def test_a_database_without_leads_is_told_with_what_it_has(database: UserDatabase, tmp_path: Path) -> None:
    """A table of users has an id and a date too, and is none of leads."""
    database.run(OTHER)
    with pytest.raises(SourceError, match=r"looks like one of leads.*known here: users\."):
        survey(database.url, tmp_path)


def test_a_view_that_cannot_be_read_hides_no_table(tmp_path: Path, sqlite_url: str) -> None:
    """SQLite keeps views of tables that are gone."""
    UserDatabase(sqlite_url).run(LEADS, ENRICHMENT, "CREATE VIEW leads AS SELECT * FROM gone")
    assert survey(sqlite_url, tmp_path)[0].leads.name == "quarantined_leads"


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2026-03-01", "2026-03-01T10:00:00Z"], DateForm("ISO 8601")),
        (["13/02/2026 10:00", "01/02/2026 9:05"], DateForm("%d/%m/%Y %H:%M")),
        (["01/02/2026", "02/13/2026", None, ""], DateForm("%m/%d/%Y")),
        (["01/02/2026", "03/04/2026"], DateForm("%d/%m/%Y", is_sure=False)),
        (["1 Mar 2026", "12 Dec 2025"], DateForm("%d %b %Y")),
        (["3/14/2026 1:05 PM"], DateForm("%m/%d/%Y %I:%M %p")),
        (["20260301", "20251231"], DateForm("%Y%m%d")),
        ([1772359200, 1772359201], DateForm("epoch_s")),
        (["1772359200000"], DateForm("epoch_ms")),
        (["14/02/2026"] * 2 + [f"{day}/03/2026" for day in range(10, 28)] + ["n/a"], DateForm("%d/%m/%Y")),
        (["14/02/2026", "call back", "TN25 6QD"], None),
        (["99/99/2026"], None),
        ([None, ""], None),
    ],
)
def test_a_form_of_dates_is_told_by_values(values: list[object], form: DateForm | None) -> None:
    """Sure only if a value decides which is the day and which the month; a column of other things has none."""
    assert guess_form(values, may_be_digits=True) == form


def test_phone_numbers_are_no_dates() -> None:
    """Digits alone count as dates only in a column that is called like one."""
    assert guess_form(["1772359200", "20260301"], may_be_digits=False) is None


def test_a_view_that_fails_is_named_and_costs_its_dates_alone(sqlite_url: str, tmp_path: Path) -> None:
    """The rest of the file is guessed all the same, and the tables that were passed over are known."""
    UserDatabase(sqlite_url).run(
        "CREATE TABLE quarantined_leads (quarantine_id INTEGER PRIMARY KEY, created_at TEXT, raw TEXT)",
        "CREATE TABLE orders (id INTEGER)",
        "INSERT INTO quarantined_leads VALUES (1, '26/11/2026', 'no json')",
        "CREATE VIEW lead_enrichment AS SELECT quarantine_id, created_at AS updated_at, "
        "json_extract(raw, '$.postcode') AS postcode FROM quarantined_leads",
    )
    found = survey(sqlite_url, tmp_path)
    assert (found.guessed.enrichment.name, found.unread, found.others) == (
        "lead_enrichment",
        ["lead_enrichment"],
        ["orders"],
    )
    assert found.forms[("quarantined_leads", "created_at")].form == "%d/%m/%Y"
