"""Values, ids, stamps and sessions as they are met in the field: each costs itself, and never a run."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from leadgate.model import Faults
from leadgate.source import Source
from tests.source.conftest import NOON, OpenSource, UserDatabase

AT = "'2026-03-01 12:00:00'"


def create(database: UserDatabase, columns: str, *rows: str, id_type: str = "INTEGER") -> None:
    """Create leads 1 to 3 and an enrichment of some columns, with rows."""
    database.run(
        f"CREATE TABLE leads (id {id_type}, quarantined_at TIMESTAMP NULL)",
        *(f"INSERT INTO leads VALUES ({n}, {AT})" for n in ("'1'", "'2'", "'3'")),  # noqa: S608 - made here
        f"CREATE TABLE enrichment (id {id_type}, updated_at TIMESTAMP NULL, {columns})",
        *(f"INSERT INTO enrichment VALUES ({row})" for row in rows),  # noqa: S608 - made here
    )


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("date", "'infinity'"),
        ("date", "'0044-03-15 BC'"),
        ("date", "'20000-01-01'"),
        ("timestamp", "'-infinity'"),
        ("timestamptz", "'infinity'"),
        ("timestamptz", "'0044-03-15 BC'"),
        ("timestamp", "'290000-01-01'"),
        ("numeric", "'NaN'"),
        ("double precision", "'infinity'"),
        ("json", "repeat('[', 5000)::text || repeat(']', 5000)"),
        ("json", "repeat('9', 5000)"),
        ("interval", "'1000000 years'"),
        ("date[]", "'{infinity}'"),
        ("daterange", "'[2026-01-01,infinity]'"),
    ],
)
@pytest.mark.parametrize("is_read", [True, False])
def test_a_value_that_no_driver_can_load_costs_that_value(
    postgres_url: str, open_source: OpenSource, type_: str, value: str, is_read: bool
) -> None:
    """PostgreSQL has values that Python has not: whether rules read the column or not, the rest of the row is read."""
    create(
        UserDatabase(postgres_url),
        f"odd {type_}, postcode text",
        f"1, {AT}, cast({value} as {type_}), 'TN25'",
        f"2, {AT}, null, 'TN26'",
    )
    source = open_source(postgres_url, enrichment={"types": {"odd": "timestamp"}} if is_read else None)
    found = source.enrichments(["1", "2"])
    assert {lead_id: row.columns["postcode"] for lead_id, row in found.items()} == {"1": "TN25", "2": "TN26"}
    if is_read:
        assert found["1"].columns["odd"] is None
        (told,) = source.faults().lines()
        assert "1 row with a `odd` that is no timestamp" in told


def test_bytes_that_are_no_text_cost_that_value(sqlite_url: str, open_source: OpenSource) -> None:
    """SQLite keeps any bytes as text; ids too are read around them, whatever the pages."""
    with sqlite3.connect(Path(sqlite_url.removeprefix("sqlite:///"))) as connection:
        connection.execute("CREATE TABLE leads (id TEXT, quarantined_at TIMESTAMP)")
        connection.execute("CREATE TABLE enrichment (id TEXT, updated_at TIMESTAMP, name TEXT, postcode TEXT)")
        for n in (b"1", b"2\xff", b"3", b"4\xfe", b"\xf6"):
            row = "INSERT INTO leads VALUES (cast(? as text), '2026-03-01')"
            connection.execute(row, (n,))
            row = "INSERT INTO enrichment VALUES (cast(? as text), '2026-03-01', cast(? as text), 'TN25')"
            connection.execute(row, (n, b"J\xf6rg"))
    connection.close()
    source = open_source(sqlite_url)
    assert [kind["rows"] for kind in source.odd_enrichment_ids().as_json()] == [3]
    for size in (1, 2, 100):
        pages = list(source.lead_pages.all(size))
        assert [lead.lead_id for page in pages for lead in page.leads] == ["1", "3"]
        assert "3 rows with an id that is none" in Faults(*(page.faults for page in pages)).lines()[0]
        written = source.changed(NOON - timedelta(days=9), size)
        assert [lead_id for page in written or () for lead_id, _ in page] == ["1", "3"]
    found = source.enrichments(["1", "3"])
    assert {lead_id: (row.columns["name"], row.columns["postcode"]) for lead_id, row in found.items()} == {
        "1": (None, "TN25"),
        "3": (None, "TN25"),
    }
    assert "2 rows with a `name` that is no string" in source.faults().lines()[0]


SETTINGS = {
    "datestyle": ["German, DMY", "SQL, MDY", "Postgres, YMD"],
    "intervalstyle": ["iso_8601", "sql_standard"],
    "timezone": ["Asia/Kolkata", "<+03>-03"],
    "client_encoding": ["LATIN1", "SQL_ASCII", "EUC_TW"],
    "extra_float_digits": ["-15"],
    "bytea_output": ["escape"],
    "standard_conforming_strings": ["off"],
    "array_nulls": ["off"],
    "quote_all_identifiers": ["on"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in SETTINGS.items() for value in values])
def test_a_session_that_is_set_up_otherwise_gives_the_same(
    postgres_url: str, open_source: OpenSource, name: str, value: str
) -> None:
    """What a database sets for each session changes nothing that is read."""
    database = UserDatabase(f"{postgres_url}?client_encoding=utf8")
    create(
        database,
        "name text, seen_at timestamptz, born date, took interval, score float8, data bytea",
        f"1, {AT}, 'Jörg', '2026-03-02 13:00+00', '1985-06-15', '1 day 02:00', 0.1234567890123, '\\xff'",
    )
    usual = open_source(postgres_url).enrichments(["1"])["1"]
    database.run(f"ALTER DATABASE {database.engine.url.database} SET {name} = '{value}'")
    try:
        source = open_source(postgres_url, enrichment={"types": {"took": "string"}})
        found = source.enrichments(["1"])["1"]
        assert {**found.columns, "took": None} == {**usual.columns, "took": None}
        assert found.columns["took"] == "26:00:00"
        assert found.own["born"] == date(1985, 6, 15)
        assert [lead.lead_id for page in source.lead_pages.all(2) for lead in page.leads] == ["1", "2", "3"]
        assert source.reading(NOON, timedelta(hours=1)).healthy
    finally:
        database.run(f"ALTER DATABASE {database.engine.url.database} RESET {name}")


UNSEEN = [
    "1\ufe0f",
    "1\U000e0001",
    "\u31641",
    "1 ",
    " 1",
    "1\r",
    "1\n",
    "\t1",
    "\ufeff1",
    "1\u00a0",
    "1\u200b",
    "\u200e1\u2060",
    "  1 \r\n",
]


@pytest.mark.parametrize("where", ["leads", "enrichment", "both"])
@pytest.mark.parametrize("odd", UNSEEN)
def test_an_id_is_the_same_without_what_cannot_be_seen(
    database: UserDatabase, open_source: OpenSource, odd: str, where: str
) -> None:
    """In one of the tables or in both: the lead is found by its plain id, and the row is counted."""
    create(database, "postcode VARCHAR(10)", id_type="VARCHAR(40)")
    with database.engine.begin() as connection:
        for table in ("leads", "enrichment") if where == "both" else (where,):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE id = '1'")  # noqa: S608 - as above
        for table in ("leads", "enrichment"):
            stored = odd if where in {table, "both"} else "1"
            cells = (stored, "TN25") if table == "enrichment" else (stored,)
            marks = ", ".join(["?" if database.dialect == "sqlite" else "%s"] * len(cells))
            columns = "id, quarantined_at" if table == "leads" else "id, updated_at, postcode"
            places = marks.replace(", ", f", {AT}, ", 1) if len(cells) > 1 else f"{marks}, {AT}"
            if table == "enrichment" or where in {"leads", "both"}:
                connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({places})", cells)  # noqa: S608
    source = open_source()
    pages = list(source.lead_pages.all(2))
    assert sorted(lead.lead_id for page in pages for lead in page.leads) == ["1", "2", "3"]
    odd_enrichment = source.odd_enrichment_ids()
    assert bool(odd_enrichment) is (where != "leads")
    assert ("cannot be seen" in str([page.faults.lines() for page in pages])) is (where != "enrichment")
    assert source.enrichments(["1"])["1"].columns["postcode"] == "TN25"
    assert set(source.leads(["1", "2"])) == {"1", "2"}
    assert source.present(["1", "4"]) == {"1"}


def test_a_row_of_the_future_makes_no_source_fresh(database: UserDatabase, open_source: OpenSource) -> None:
    """Of a source that is dead for nine days, with one row of 2037 and one three hours ahead."""
    ahead = [timedelta(days=4000), timedelta(hours=3)]
    stamps = [*(NOON + gap for gap in ahead), NOON - timedelta(days=9)]
    create(database, "postcode VARCHAR(10)", *(f"{n}, '{at:%Y-%m-%d %H:%M:%S}', 'a'" for n, at in enumerate(stamps, 1)))
    reading = open_source().reading(NOON, timedelta(days=1))
    assert (reading.healthy, reading.newest_at) == (False, NOON - timedelta(days=9))
    (told,) = reading.faults.lines()
    assert "2 rows with a `updated_at` of the future, the last at 2037-" in told


def test_a_stamp_of_never_makes_no_source_fresh(postgres_url: str, open_source: OpenSource) -> None:
    """PostgreSQL's infinity is later than every other stamp, and hides none."""
    never = ["3, 'infinity', 'a'"] * 150
    create(UserDatabase(postgres_url), "postcode text", "2, '2026-03-01 11:00', 'a'", *never)
    source = open_source(postgres_url)
    reading = source.reading(NOON, timedelta(hours=2))
    assert (reading.healthy, reading.newest_at) == (True, NOON - timedelta(hours=1))
    assert "150 rows with a `updated_at` of the future, such as lead 3. They" in reading.faults.lines()[0]
    assert [lead_id for page in source.changed(NOON - timedelta(hours=2)) or () for lead_id, _ in page] == ["2"]


def test_stamps_that_are_none_are_one_line_with_their_number(sqlite_url: str, open_source: OpenSource) -> None:
    """However many rows have them: how they are written is shown, without a digit of them."""
    database = UserDatabase(sqlite_url)
    database.run(
        "CREATE TABLE leads (id INTEGER, quarantined_at TEXT)",
        "CREATE TABLE enrichment (id INTEGER, updated_at TIMESTAMP)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9191)"
        " INSERT INTO leads SELECT i, '26/11/2026 08:57' FROM n",
    )
    source = open_source(sqlite_url)
    (told,) = Faults(*(page.faults for page in source.lead_pages.all(1000))).lines()
    assert "9,191 rows with something else than a date and time in `quarantined_at`" in told
    assert "written like 99/99/9999 99:99" in told


def written(source: Source) -> dict[str, object]:
    """The columns of lead 1 as they are written onto it."""
    found = source.enrichments(["1"])["1"]
    return {name: found.to_write(name) for name in found.columns if name not in {"id", "updated_at"}}


def test_what_is_written_is_what_the_source_has(postgres_url: str, open_source: OpenSource) -> None:
    """A date stays that date wherever its midnight falls, and a number keeps its digits."""
    create(
        UserDatabase(postgres_url),
        "born date, called timestamp, seen timestamptz, price numeric(30, 10), ratio numeric, whole numeric(20, 0)",
        f"1, {AT}, '1985-06-15', '2026-03-01 09:30', '2026-03-01 09:30+02', 12345678901234567.1234567890, 0.10, 7",
    )
    source = open_source(postgres_url)
    source._enrichment._zone = datetime.now(UTC).astimezone().tzinfo or UTC
    assert written(source) == {
        "born": date(1985, 6, 15),
        "called": datetime(2026, 3, 1, 9, 30),  # noqa: DTZ001 - as the source has it
        "seen": datetime(2026, 3, 1, 7, 30, tzinfo=UTC),
        "price": Decimal("12345678901234567.1234567890"),
        "ratio": Decimal("0.10"),
        "whole": 7,
    }


def test_texts_in_columns_of_numbers_and_dates_are_written_as_they_are(
    sqlite_url: str, open_source: OpenSource
) -> None:
    """SQLite keeps what it is given: 0123 keeps its zero, and a date its shape."""
    create(
        UserDatabase(sqlite_url),
        "born DATE, code TEXT, price TEXT, ok BOOLEAN",
        f"1, {AT}, '1985-06-15', '0123', ' 0.10 ', 1",
    )
    source = open_source(sqlite_url, enrichment={"types": {"code": "int", "price": "double"}})
    assert written(source) == {"born": "1985-06-15", "code": "0123", "price": "0.10", "ok": True}
    assert source.enrichments(["1"])["1"].columns["code"] == 123


def test_a_mariadb_whose_sessions_are_limited_gives_every_row(mariadb_url: str, open_source: OpenSource) -> None:
    """A limit of rows, ids that are filled up with blanks, another time zone: what the server sets changes nothing."""
    database = UserDatabase(mariadb_url)
    rows = [f"1, {AT}, 'TN25', '1985-06-15'", f"2, {AT}, 'TN26', null"]
    create(database, "postcode CHAR(10), born DATE", *rows, id_type="CHAR(8)")
    odd = {"sql_select_limit": "1", "sql_mode": "'PAD_CHAR_TO_FULL_LENGTH,ORACLE'", "time_zone": "'+05:30'"}
    usual = {"sql_select_limit": "DEFAULT", "sql_mode": "DEFAULT", "time_zone": "DEFAULT"}
    database.run(*(f"SET GLOBAL {name} = {value}" for name, value in odd.items()))
    try:
        source = open_source(mariadb_url)
        assert [lead.lead_id for page in source.lead_pages.all(2) for lead in page.leads] == ["1", "2", "3"]
        found = source.enrichments(["1", "2"])
        assert [(row.columns["postcode"], row.updated_at) for row in found.values()] == [("TN25", NOON), ("TN26", NOON)]
        assert found["1"].own["born"] == date(1985, 6, 15)
        assert source.faults() == Faults()
        assert source.odd_enrichment_ids() == Faults()
    finally:
        database.run(*(f"SET GLOBAL {name} = {value}" for name, value in usual.items()))
