"""Ids: one text inside, whatever type the source gives them, and the way back to it."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.source.ids import IdKind, bind_values, id_text
from tests.source.conftest import OpenSource, UserDatabase

ODD = [
    "nonsense",
    "",
    "0123",
    "1e3",
    "12.5",
    "-1",
    "9" * 40,
    "\0",
    "٣",
    "1_000",
    "123e4567-e89b-12d3-a456-42665544zzzz",
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (123, "123"), (123.0, "123"), (Decimal("123.00"), "123"), (Decimal("1E+2"), "100"), (12.5, "12.5"),
        (1e22, "1" + "0" * 22),
        ("0123", "0123"), ("a b", "a b"), ("123 ", "123"), ("\ufeff123\r\n", "123"), ("1\u200b23\u00a0", "123"),
        ("\x00123", None), ("x" * 201, None), ("\udcff1", None), (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1" + "0" * 36 + "1"), "1" + "0" * 36 + "1"),
        (None, None), ("", None), ("  ", None), (float("nan"), None), (Decimal("Infinity"), None),
        (True, None), (b"1", None),
    ],
)  # fmt: skip
def test_an_id_is_one_text_whatever_its_type(value: object, text: str | None) -> None:
    """123 from an integer, a spreadsheet's real or text is the same lead; blank is none."""
    assert id_text(value) == text


@given(st.one_of(st.text(), st.from_regex(r"-?\d{1,25}(\.\d{1,5})?", fullmatch=True), st.uuids().map(str)))
def test_an_id_is_looked_up_as_values_that_read_as_it(text: str) -> None:
    """The way back never leads to another lead."""
    for kind in IdKind:
        for value in bind_values(kind, [text]):
            assert id_text(value) in {None, id_text(text)} or (kind is IdKind.ANY and float(value) == float(text))


@pytest.mark.parametrize(
    ("type_", "stored", "text"),
    [
        ("INTEGER", "123", "123"),
        ("BIGINT", "9007199254740993", "9007199254740993"),
        ("NUMERIC(20, 2)", "123.00", "123"),
        ("DOUBLE PRECISION", "123", "123"),
        ("DOUBLE PRECISION", "9007199254740992", "9007199254740992"),
        ("VARCHAR(36)", "'0123'", "0123"),
        ("CHAR(8)", "'a12'", "a12"),
        ("UUID", "'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000"),
    ],
)
@pytest.mark.parametrize("shape", ["table", "view", "query"])
def test_a_lead_is_found_by_its_id_as_text(
    database: UserDatabase, open_source: OpenSource, type_: str, stored: str, text: str, shape: str
) -> None:
    """Each type is compared as its own; ids that it cannot hold are not found, and are no error."""
    database.run(
        f"CREATE TABLE leads (id {type_}, quarantined_at TIMESTAMP NULL)",
        f"CREATE TABLE enrichment (id {type_}, updated_at TIMESTAMP NULL)",
        "CREATE VIEW open_leads AS SELECT * FROM leads",
        f"INSERT INTO leads VALUES ({stored}, '2026-03-01 12:00:00')",  # noqa: S608 - made here
    )
    relation = {"table": {}, "view": {"table": "open_leads"}, "query": {"query": "SELECT * FROM leads"}}[shape]
    source = open_source(leads=relation)
    assert list(source.leads([text, *ODD])) == [text]
    assert [lead.lead_id for page in source.lead_pages.all() for lead in page.leads] == [text]


def test_sqlite_finds_ids_of_mixed_types(sqlite_url: str, open_source: OpenSource) -> None:
    """A column without a type may hold numbers and text at once."""
    UserDatabase(sqlite_url).run(
        "CREATE TABLE leads (id, quarantined_at TIMESTAMP)",
        "CREATE TABLE enrichment (id REAL, updated_at TIMESTAMP)",
        "INSERT INTO leads VALUES (1, '2026-03-01'), ('2', '2026-03-01'), (3.0, '2026-03-01'), ('a', '2026-03-01')",
        "INSERT INTO enrichment VALUES (1, '2026-03-01'), ('3', '2026-03-01')",
    )
    source = open_source(sqlite_url)
    pages = list(source.lead_pages.all(1))
    assert [lead.lead_id for page in pages for lead in page.leads] == ["1", "3", "2", "a"]
    assert set(source.leads(["1", "2", "3", "a", "b"])) == {"1", "2", "3", "a"}
    assert set(source.enrichments(["1", "2", "3", "a"])) == {"1", "3"}


def test_a_collation_that_ignores_case_keeps_leads_apart(sqlite_url: str, open_source: OpenSource) -> None:
    """Two ids that differ in case alone are two leads, on one page or on two."""
    UserDatabase(sqlite_url).run(
        "CREATE TABLE leads (id TEXT COLLATE NOCASE, quarantined_at TIMESTAMP)",
        "CREATE TABLE enrichment (id TEXT COLLATE NOCASE, updated_at TIMESTAMP)",
        "INSERT INTO leads VALUES ('aa', '2026-03-01'), ('abc', '2026-03-01'), ('ABC', '2026-03-01')",
    )
    source = open_source(sqlite_url)
    assert {lead.lead_id for page in source.lead_pages.all(2) for lead in page.leads} == {"aa", "abc", "ABC"}
    assert set(source.leads(["ABC"])) == {"ABC"}
