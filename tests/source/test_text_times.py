"""Times that are text or milliseconds, and texts that are no value: read, compared, looked up and written."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from leadgate.errors import SourceError
from leadgate.source import Source
from tests.source.conftest import ENRICHMENT, LEADS, NOON, OpenSource, UserDatabase

BRITISH, SORTED = "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M"


def create(
    database: UserDatabase, code: str, *, columns: str = "postcode VARCHAR(20)", text: str = "VARCHAR(30)"
) -> None:
    """Tables whose stamps are written by a format; the newest of the seven is stamped at noon."""
    database.run(
        "CREATE TABLE leads (id BIGINT PRIMARY KEY, quarantined_at VARCHAR(30))",
        "CREATE TABLE enrichment (id BIGINT PRIMARY KEY, updated_at VARCHAR(30), postcode VARCHAR(20))",
    )
    for lead_id in range(1, 8):
        at = (NOON - timedelta(days=7 - lead_id)).strftime(code)
        database.run(f"INSERT INTO leads VALUES ({lead_id}, '{at}')")  # noqa: S608 - constants
        database.run(f"INSERT INTO enrichment VALUES ({lead_id}, '{at}', 'N{lead_id}')")  # noqa: S608


def opened(open_source: OpenSource, code: str, **source: Any) -> Source:  # noqa: ANN401
    """The source, told how its stamps are written."""
    leads = {"types": {"quarantined_at": {"timestamp": code}}}
    enrichment = {"types": {"updated_at": {"timestamp": code}}}
    return open_source(leads=leads, enrichment=enrichment, **source)


def test_text_in_the_order_of_time_is_read_forward(database: UserDatabase, open_source: OpenSource) -> None:
    """The newest is found, and what was written since."""
    create(database, SORTED)
    source = opened(open_source, SORTED)
    reading = source.reading(NOON, timedelta(hours=1))
    assert (reading.healthy, reading.newest_at) == (True, NOON)
    assert source.reads_forward()
    pages = source.changed(NOON - timedelta(days=2)) or ()
    assert [lead_id for page in pages for lead_id, _ in page] == ["5", "6", "7"]
    since = source.lead_pages.since(NOON - timedelta(days=1), 100) or ()
    assert [lead.lead_id for page in since for lead in page.leads] == ["6", "7"]


def test_text_in_another_order_is_compared(database: UserDatabase, open_source: OpenSource) -> None:
    """Nothing can be asked for what is new, and `check` says why; leads have their instants all the same."""
    create(database, BRITISH)
    source = opened(open_source, BRITISH)
    assert not source.reads_forward()
    assert source.lead_pages.since(NOON, 100) is None
    reading = source.reading(NOON, None)
    assert (reading.healthy, reading.newest_at) == (True, None)
    leads = {lead.lead_id: lead.quarantined_at for page in source.lead_pages.all() for lead in page.leads}
    assert leads == {str(number): NOON - timedelta(days=7 - number) for number in range(1, 8)}
    told = [sentence for sentence in source.advice() if "are not in the order of time" in sentence]
    assert [sentence.partition(" (")[0] for sentence in told] == ["source.leads", "source.enrichment"]


def test_how_fresh_a_source_is_cannot_be_asked_of_such_text(database: UserDatabase, open_source: OpenSource) -> None:
    """The message names the column and the way out."""
    create(database, BRITISH)
    with pytest.raises(SourceError, match="`updated_at`, whose texts are not in the order of time: give a `query:`"):
        opened(open_source, BRITISH).reading(NOON, timedelta(hours=1))


def test_of_several_rows_the_latest_counts_though_its_text_is_smaller(sqlite_url: str, open_source: OpenSource) -> None:
    """02/03 comes after 28/02."""
    database = UserDatabase(sqlite_url)
    database.run(
        "CREATE TABLE leads (id INTEGER, quarantined_at TEXT)",
        "CREATE TABLE enrichment (id INTEGER, updated_at TEXT, postcode TEXT)",
        "INSERT INTO enrichment VALUES (1, '28/02/2026 09:00', 'old'), (1, '02/03/2026 09:00', 'new')",
    )
    found = open_source(sqlite_url, enrichment={"types": {"updated_at": {"timestamp": BRITISH}}}).enrichments(["1"])
    assert found["1"].columns["postcode"] == "new"


def test_the_zone_of_the_source_is_that_of_texts(database: UserDatabase, open_source: OpenSource) -> None:
    """Noon in July is eleven in UTC; what is written is the local time, and of a date that date."""
    database.run(
        "CREATE TABLE leads (id BIGINT, quarantined_at VARCHAR(30))",
        "CREATE TABLE enrichment (id BIGINT, updated_at VARCHAR(30), born VARCHAR(30))",
        "INSERT INTO leads VALUES (1, '01/07/2026 12:00')",
        "INSERT INTO enrichment VALUES (1, '01/07/2026 12:00', '15/06/1985')",
    )
    types = {"updated_at": {"timestamp": BRITISH}, "born": {"timestamp": "%d/%m/%Y"}}
    source = open_source(
        leads={"types": {"quarantined_at": {"timestamp": BRITISH}}},
        enrichment={"types": types},
        time_zone="Europe/London",
    )
    assert source.leads(["1"])["1"].quarantined_at == datetime(2026, 7, 1, 11, tzinfo=UTC)
    row = source.enrichments(["1"])["1"]
    assert row.columns["born"] == datetime(1985, 6, 14, 23, tzinfo=UTC)
    assert row.to_write("born") == date(1985, 6, 15)
    assert row.to_write("updated_at") == datetime(2026, 7, 1, 12)  # noqa: DTZ001 - as it was written


def test_milliseconds_are_read_forward(database: UserDatabase, open_source: OpenSource) -> None:
    """As whole numbers; a value that is none is no time."""
    database.run(
        "CREATE TABLE leads (id BIGINT PRIMARY KEY, quarantined_at BIGINT)",
        "CREATE TABLE enrichment (id BIGINT PRIMARY KEY, updated_at BIGINT, postcode VARCHAR(20))",
    )
    for lead_id in range(1, 4):
        at = int((NOON - timedelta(hours=3 - lead_id)).timestamp() * 1000)
        database.run(f"INSERT INTO leads VALUES ({lead_id}, {at})")  # noqa: S608 - constants
        database.run(f"INSERT INTO enrichment VALUES ({lead_id}, {at}, 'N1')")  # noqa: S608
    source = opened(open_source, "epoch_ms")
    assert source.reading(NOON, timedelta(hours=1)).newest_at == NOON
    pages = source.changed(NOON - timedelta(hours=1)) or ()
    assert [lead_id for page in pages for lead_id, _ in page] == ["2", "3"]
    assert source.leads(["3"])["3"].quarantined_at == NOON


def test_texts_that_mean_no_value_are_none(database: UserDatabase, open_source: OpenSource) -> None:
    """Blanks always, and those that the file names, without the blanks around them; in columns of numbers too."""
    database.run(
        "CREATE TABLE leads (id BIGINT, quarantined_at VARCHAR(30))",
        "CREATE TABLE enrichment (id BIGINT, updated_at VARCHAR(30), city VARCHAR(20), score VARCHAR(20))",
    )
    rows = [("London", "0.5"), ("", ""), ("  ", " \t"), ("Select", "N/A"), (" Select ", "n/a"), ("select", "7")]
    for lead_id, (city, score) in enumerate(rows, 1):
        database.run(f"INSERT INTO enrichment VALUES ({lead_id}, '2026-03-01', '{city}', '{score}')")  # noqa: S608
    enrichment = {"types": {"score": "double"}}
    source = open_source(enrichment=enrichment, null_values=["Select", "N/A"])
    found = source.enrichments([str(number) for number in range(1, 7)])
    assert [found[str(n)].columns["city"] for n in range(1, 7)] == ["London", None, None, None, None, "select"]
    assert [found[str(n)].columns["score"] for n in range(1, 7)] == [0.5, None, None, None, None, 7.0]
    # Only `n/a`, which nobody has named, is told as a value that is no number.
    (fault,) = source.faults().as_json()
    assert fault["ids"] == ["5"]


def test_bytes_that_are_blank_are_no_value_either(sqlite_url: str, open_source: OpenSource) -> None:
    """SQLite keeps bytes in a column of text, and they are read as the text that they are."""
    database = UserDatabase(sqlite_url)
    database.run(
        "CREATE TABLE leads (id INTEGER, quarantined_at TEXT)",
        "CREATE TABLE enrichment (id INTEGER, updated_at TEXT, city TEXT)",
        "INSERT INTO enrichment VALUES (1, '2026-03-01', x'20'), (2, '2026-03-01', x''), (3, '2026-03-01', x'4e2f41')",
        "INSERT INTO enrichment VALUES (4, '2026-03-01', x'4c6f6e646f6e'), (5, '2026-03-01', x'ff')",
    )
    found = open_source(sqlite_url, null_values=["N/A"]).enrichments(["1", "2", "3", "4", "5"])
    assert [found[str(n)].columns["city"] for n in range(1, 6)] == [None, None, None, "London", None]
    assert [list(found[str(n)].unfit) for n in range(1, 6)] == [[], [], [], [], ["city"]]


def test_an_id_that_means_no_value_is_none(sqlite_url: str, open_source: OpenSource) -> None:
    """Such a row is no lead, and is counted."""
    UserDatabase(sqlite_url).run(
        "CREATE TABLE leads (id TEXT, quarantined_at TEXT)",
        "CREATE TABLE enrichment (id TEXT, updated_at TEXT)",
        "INSERT INTO leads VALUES ('7', '2026-03-01'), ('N/A', '2026-03-01')",
    )
    (page,) = open_source(sqlite_url, null_values=["N/A"]).lead_pages.all()
    assert [lead.lead_id for lead in page.leads] == ["7"]
    assert page.faults.hold_back


def test_a_format_of_a_column_that_is_a_time_is_a_fault(postgres_url: str, open_source: OpenSource) -> None:
    """PostgreSQL has real times: the message says what to write."""
    UserDatabase(postgres_url).run(
        "CREATE TABLE leads (id bigint, quarantined_at timestamptz)",
        "CREATE TABLE enrichment (id bigint, updated_at timestamptz, ok bool)",
    )
    with pytest.raises(SourceError) as caught:
        open_source(
            postgres_url,
            leads=LEADS | {"types": {"quarantined_at": {"timestamp": BRITISH}}},
            enrichment=ENRICHMENT | {"types": {"ok": {"timestamp": "epoch_ms"}}},
        )
    leads, enrichment = str(caught.value).splitlines()
    where = "source.leads.types.quarantined_at: column `quarantined_at` of source.leads (table leads)"
    assert leads == f"{where} is TIMESTAMP already, and has no format: leave it out of `types:`."
    assert enrichment.startswith(
        "source.enrichment.types.ok: column `ok` of source.enrichment (table enrichment) is BOO"
    )
