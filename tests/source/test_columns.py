"""Types: what each database's columns become, and what their values are read as."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from leadgate.model import ColumnType
from leadgate.policy.names import Names
from tests.source.conftest import OpenSource, UserDatabase

S, I, D, B, T = (ColumnType(name) for name in ("string", "int", "double", "bool", "timestamp"))  # noqa: E741

COLUMNS = {
    "sqlite": {
        "a_text": ("TEXT", S), "a_varchar": ("VARCHAR(10)", S), "an_int": ("INTEGER", I), "a_bigint": ("BIGINT", I),
        "a_real": ("REAL", D), "a_numeric": ("NUMERIC(10, 2)", D), "a_whole": ("NUMERIC(12, 0)", I),
        "a_bool": ("BOOLEAN", B), "a_datetime": ("DATETIME", T), "a_date": ("DATE", T),
        "a_json": ("JSON", None), "a_blob": ("BLOB", None),
    },
    "postgresql": {
        "a_text": ("text", S), "a_varchar": ("varchar(10)", S), "a_uuid": ("uuid", S), "an_enum": ("mood", S),
        "a_domain": ("postcode", S), "a_char": ("char(8)", S), "an_int": ("integer", I), "a_bigint": ("bigint", I),
        "a_real": ("real", D), "a_numeric": ("numeric", D), "a_whole": ("numeric(12, 0)", I), "a_bool": ("boolean", B),
        "a_timestamp": ("timestamp", T), "a_timestamptz": ("timestamptz", T), "a_date": ("date", T),
        "a_json": ("jsonb", None), "an_array": ("integer[]", None), "some_bytes": ("bytea", None),
        "an_interval": ("interval", None), "an_xml": ("xml", None),
    },
    "mysql": {
        "a_text": ("TEXT", S), "a_varchar": ("VARCHAR(10)", S), "an_enum": ("ENUM('a', 'b')", S), "an_int": ("INT", I),
        "a_bigint": ("BIGINT UNSIGNED", I), "a_tinyint": ("TINYINT(4)", I), "a_double": ("DOUBLE", D),
        "a_decimal": ("DECIMAL(10, 2)", D), "a_whole": ("DECIMAL(12, 0)", I), "a_bool": ("BOOLEAN", B),
        "a_bit": ("BIT(1)", B), "a_datetime": ("DATETIME(6)", T), "a_timestamp": ("TIMESTAMP NULL", T),
        "a_date": ("DATE", T), "a_time": ("TIME", None),
    },
}  # fmt: skip


def create(database: UserDatabase) -> dict[str, ColumnType]:
    """Create an enrichment with a column of each type; return those that rules may read."""
    columns = COLUMNS[database.dialect]
    if database.dialect == "postgresql":
        database.run("CREATE TYPE mood AS ENUM ('a', 'b')", "CREATE DOMAIN postcode AS varchar(8)")
    declared = ", ".join(f"{name} {type_}" for name, (type_, _) in columns.items())
    database.run(
        "CREATE TABLE leads (id INTEGER, quarantined_at TIMESTAMP NULL)",
        f"CREATE TABLE enrichment (id INTEGER, updated_at TIMESTAMP NULL, {declared})",
        "CREATE VIEW enriched AS SELECT * FROM enrichment",
    )
    return {"id": I, "updated_at": T} | {name: type_ for name, (_, type_) in columns.items() if type_}


@pytest.mark.parametrize("relation", [{}, {"table": "enriched"}, {"query": "SELECT * FROM enrichment"}])
def test_types_are_those_of_the_real_columns(
    database: UserDatabase, open_source: OpenSource, relation: dict[str, str]
) -> None:
    """A table, a view and a query give the same types, and types without a place in rules are left out."""
    expected = create(database)
    assert open_source(enrichment=relation).columns.enrichment == expected


@pytest.mark.parametrize("relation", [{}, {"query": "SELECT * FROM enrichment"}])
def test_values_are_of_the_promised_types(
    database: UserDatabase, open_source: OpenSource, relation: dict[str, str]
) -> None:
    """Whatever the driver gives, rules see one Python type for each column type."""
    create(database)
    values: dict[str, Any] = {
        "a_text": "TN25 6QD", "an_int": 7, "a_whole": 447700900123, "a_bool": True, "a_date": "2026-03-01",
        "updated_at": "2026-03-01 12:00:00",
    }  # fmt: skip
    values[{"sqlite": "a_numeric", "postgresql": "a_numeric", "mysql": "a_decimal"}[database.dialect]] = 0.5
    names = ", ".join(values)
    literals = ", ".join(repr(value) if value is not True else "TRUE" for value in values.values())
    database.run(f"INSERT INTO enrichment (id, {names}) VALUES (1, {literals})")  # noqa: S608 - made here
    columns = open_source(enrichment=relation).enrichments(["1"])["1"].columns
    read = {name: columns[name] for name in values}
    expected = values | {
        "a_date": datetime(2026, 3, 1, tzinfo=UTC),
        "updated_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
    }
    assert read == expected
    assert {name: type(value) for name, value in read.items()} == {
        name: type(value) for name, value in expected.items()
    }


def test_the_file_may_say_what_a_column_is_read_as(sqlite_url: str, open_source: OpenSource) -> None:
    """`types:` turns SQLite's integers into booleans and instants, and offers JSON as text."""
    database = UserDatabase(sqlite_url)
    database.run(
        "CREATE TABLE leads (id INTEGER, quarantined_at INTEGER)",
        "CREATE TABLE enrichment (id INTEGER, updated_at TEXT, opted_out INTEGER, raw JSON, score TEXT)",
        "INSERT INTO leads VALUES (1, 1772366400)",
        """INSERT INTO enrichment VALUES (1, '2026-03-01T13:00:00+01:00', 1, '{"a": 1}', '0.6')""",
    )
    source = open_source(
        sqlite_url,
        leads={"types": {"quarantined_at": "timestamp"}},
        enrichment={"types": {"opted_out": "bool", "raw": "string", "score": "double"}},
    )
    assert source.leads(["1"])["1"].quarantined_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert source.enrichments(["1"])["1"].columns == {
        "id": 1,
        "updated_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "opted_out": True,
        "raw": '{"a": 1}',
        "score": 0.6,
    }


def test_json_and_arrays_are_read_as_text_when_the_file_says_so(postgres_url: str, open_source: OpenSource) -> None:
    """Drivers parse them; rules and updates see JSON again."""
    UserDatabase(postgres_url).run(
        "CREATE TABLE leads (id int, quarantined_at timestamptz)",
        "CREATE TABLE enrichment (id int, updated_at timestamptz, raw jsonb, tags text[], address inet)",
        """INSERT INTO enrichment VALUES (1, now(), '{"a": 1}', '{x,y}', '10.0.0.1')""",
    )
    source = open_source(postgres_url, enrichment={"types": {"raw": "string", "tags": "string", "address": "string"}})
    columns = source.enrichments(["1"])["1"].columns
    assert json.loads(columns["raw"]) == {"a": 1}
    assert json.loads(columns["tags"]) == ["x", "y"]
    assert columns["address"] == "10.0.0.1"


def test_a_query_on_sqlite_needs_types_for_its_expressions(sqlite_url: str, open_source: OpenSource) -> None:
    """SQLite does not tell what an expression gives; the message says how to."""
    UserDatabase(sqlite_url).run(
        "CREATE TABLE leads (id INTEGER, quarantined_at TIMESTAMP)",
        "CREATE TABLE enrichment (id INTEGER, updated_at TIMESTAMP, first TEXT, last TEXT)",
        "INSERT INTO enrichment VALUES (1, '2026-03-01', 'Ann', 'Lee')",
    )
    query = "SELECT id, updated_at, first || ' ' || last AS full_name FROM enrichment -- everyone"
    problem = Names(open_source(sqlite_url, enrichment={"query": query}).columns).problem("full_name")
    assert "is an expression without a type" in problem
    source = open_source(sqlite_url, enrichment={"query": query, "types": {"full_name": "string"}})
    assert source.enrichments(["1"])["1"].columns["full_name"] == "Ann Lee"


def test_what_cannot_be_read_counts_as_missing_and_is_told_once(sqlite_url: str, open_source: OpenSource) -> None:
    """A sentence names the column, how many leads, and not the value, which is a person's."""
    UserDatabase(sqlite_url).run(
        "CREATE TABLE leads (id INTEGER, quarantined_at TIMESTAMP)",
        "CREATE TABLE enrichment (id INTEGER, updated_at TIMESTAMP, score REAL)",
        "INSERT INTO enrichment VALUES (1, 'yesterday', 'high'), (2, 'today', 'low')",
    )
    source = open_source(sqlite_url)
    for enrichment in source.enrichments(["1", "2"]).values():
        assert enrichment.updated_at is None
        assert enrichment.columns["score"] is None
    told = source.faults().lines()
    assert told == [
        f"source.enrichment (table enrichment): 2 rows with a `{column}` that is no {type_}, and counts as missing "
        f"(one is written like {shape}), of leads 1 and 2. Correct the values, say under `types:` what they are, "
        "or name them under source.null_values if they mean none."
        for column, type_, shape in (("updated_at", "timestamp", "aaaaaaaaa"), ("score", "double", "aaaa"))
    ]
    assert not any(word in message for message in told for word in ("high", "low", "yesterday", "today"))
