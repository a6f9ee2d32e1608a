"""Databases whose server knows another encoding, or none: a byte that is no character costs its value."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadgate.errors import LedgerError
from leadgate.ledger import open_engine
from leadgate.model import Faults
from tests.source.conftest import OpenSource
from tests.support.postgres import PostgresServer

MakeDatabase = Callable[..., str]


@pytest.fixture
def make_database(postgres_server: PostgresServer) -> Iterator[MakeDatabase]:
    """Make databases of an encoding, with statements written in it; give the address of each."""
    made: list[str] = []

    def make(encoding: str, *statements: bytes) -> str:
        name = f"leadgate_{encoding.lower()}"
        with postgres_server.connect("postgres") as connection:
            connection.execute(
                f"create database {name} encoding '{encoding}' template template0 lc_collate 'C' lc_ctype 'C'".encode()
            )
        made.append(name)
        with postgres_server.connect(name) as connection:
            for statement in (f"set client_encoding = '{encoding}'".encode(), *statements):
                connection.execute(statement)
        return postgres_server.url(name)

    yield make
    with postgres_server.connect("postgres") as connection:
        for name in made:
            connection.execute(f"drop database {name} with (force)".encode())


@pytest.mark.parametrize(
    ("encoding", "odd", "accent"),
    [("SQL_ASCII", b"caf\xe9", "é".encode()), ("WIN1252", b"\x81", b"\xe9"), ("LATIN1", b"x", b"\xe9")],
)
def test_a_byte_that_is_no_character_costs_its_value(
    make_database: MakeDatabase, open_source: OpenSource, encoding: str, odd: bytes, accent: bytes
) -> None:
    """In a column that is used or not, in an id, and in the name of a value of a type; ids are found by theirs."""
    into = b'insert into "enrichment' + accent + b'"'
    url = make_database(
        encoding,
        b"create type kind as enum ('" + odd + b"')",
        b"create table leads (id text, quarantined_at timestamp, campaign text, kind kind)",
        b'create table "enrichment' + accent + b'" (id text, updated_at timestamp, name text, postcode text)',
        b"insert into leads values ('1', '2026-03-01', '" + odd + b"', '" + odd + b"')",
        b"insert into leads values ('"
        + accent
        + b"', '2026-03-01', '', null), ('3"
        + odd
        + b"', '2026-03-01', '', null)",
        into + b" values ('1 ', '2026-03-01', '" + odd + b"', '" + accent + b"')",
        into + b" values ('" + accent + b"', '2026-03-01', '" + accent + b"', 'TN26')",
        into + b" values ('3" + odd + b"', '2026-03-01', '', '')",
    )
    source = open_source(url, enrichment={"table": "enrichmenté"})
    pages = list(source.lead_pages.all(100))
    is_odd = odd != b"x"
    assert {lead.lead_id for page in pages for lead in page.leads} == {"1", "é"} | (set() if is_odd else {"3x"})
    told = "; ".join(Faults(*(page.faults for page in pages)).lines())
    assert ("1 row with an id that is none" in told) is is_odd
    # At the end of an id a byte that is no character is none of it either, where the server knows what one is.
    (counted,) = source.odd_enrichment_ids().as_json()
    assert counted["rows"] == (2 if encoding == "WIN1252" else 1)
    found = source.enrichments(["1", "é"])
    assert {lead_id: (row.columns["name"], row.columns["postcode"]) for lead_id, row in found.items()} == {
        "1": (None if is_odd else "x", "é"),
        "é": ("é", "TN26"),
    }
    assert source.leads(["1"])["1"].columns["campaign"] == (None if is_odd else "x")


def test_a_ledger_that_cannot_hold_every_text_is_none(make_database: MakeDatabase, tmp_path: Path) -> None:
    """It would lose what is recorded of a lead after LeadByte has taken the act."""
    url = make_database("LATIN1")
    with pytest.raises(LedgerError, match="its encoding LATIN1 does not hold every text"):
        open_engine(url, base_dir=tmp_path, create=True)
    open_engine(make_database("SQL_ASCII"), base_dir=tmp_path, create=True).dispose()
