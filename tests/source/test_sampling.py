"""What `leadgate check` sees in a sample of rows: enough to warn, at a cost that does not grow with the tables."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table

from leadgate.model import Enrichment, Lead
from leadgate.source import Expected, Finding, Source, judge_sample
from leadgate.source.sampling import END
from tests.source.conftest import NOON, OpenSource, UserDatabase

FIRST = 2_932_000
INDEXES = (
    "CREATE INDEX leads_id ON leads (id)",
    "CREATE INDEX leads_at ON leads (quarantined_at, id)",
    "CREATE INDEX enrichment_id ON enrichment (id)",
    "CREATE INDEX enrichment_at ON enrichment (updated_at, id)",
)


def tables(id_type: Any = BigInteger, stamp_type: Any = DateTime) -> tuple[Table, Table]:  # noqa: ANN401
    """Leads and enrichment of them, without keys."""
    metadata = MetaData()
    stamps = (Column("quarantined_at", stamp_type), Column("updated_at", DateTime))
    return (
        Table("leads", metadata, Column("id", id_type), stamps[0]),
        Table(
            "enrichment", metadata, Column("id", id_type), stamps[1], Column("city", String(40)),
            Column("mail", String(80)), Column("score", String(20)),
        ),
    )  # fmt: skip


def stamp(number: int) -> datetime:
    """When a lead came, each a minute before the one with the next smaller number."""
    return (NOON - timedelta(minutes=number)).replace(tzinfo=None)


def fill(database: UserDatabase, leads: int, **columns: Sequence[Any]) -> None:
    """Write that many leads, the first the newest, each with its enrichment; `columns` are repeated."""
    by_lead, arrived = tables()
    database.create(by_lead, *({"id": FIRST + n, "quarantined_at": stamp(n)} for n in range(leads)))
    usual = {
        "city": [f"Town {n}" for n in range(97)],
        "mail": [f"{n}@example.org" for n in range(97)],
        "score": ["0.5"],
    }
    rows = [
        {"id": FIRST + n, "updated_at": stamp(n)}
        | {name: values[n % len(values)] for name, values in (usual | columns).items()}
        for n in range(leads)
    ]
    database.create(arrived, *rows)
    database.run(*INDEXES)


def missing_of(_: Lead, arrived: Enrichment | None) -> list[str]:
    """What a lead lacks that waits for its city."""
    return [] if arrived and arrived.columns["city"] is not None else ["city"]


def judge(source: Source, *, is_first_run: bool = False, assumed_zone: str | None = None) -> list[Finding]:
    """What the sample says at noon, of a file that uses every column of enrichment and waits a day."""
    expected = Expected(
        columns={("source.enrichment", name) for name in ("city", "mail", "score")},
        stamps={("source.leads", "quarantined_at"), ("source.enrichment", "updated_at")},
        missing_of=missing_of,
        deadline_of=lambda _lead, _arrived: timedelta(days=1),
        can_act=str.isdigit,
        assumed_zone=assumed_zone,
        null_values=[""],
        is_first_run=is_first_run,
    )
    return judge_sample(source.sample(), expected, now=NOON)


def warnings(findings: Sequence[Finding]) -> list[str]:
    """The warnings alone."""
    return [finding.text for finding in findings if finding.is_warning]


def test_the_newest_and_the_oldest_leads_are_read_and_no_more(database: UserDatabase, open_source: OpenSource) -> None:
    """Of more leads than a sample holds both ends are in it, each lead once."""
    fill(database, 3 * END)
    ids = [int(lead.lead_id) - FIRST for lead in open_source().sample().leads]
    assert sorted(ids) == [*range(END), *range(2 * END, 3 * END)]


def test_the_statements_do_not_depend_on_the_number_of_rows(
    database: UserDatabase, open_source: OpenSource, statements: list[str]
) -> None:
    """Nothing is counted, every statement has a limit or names ids."""
    fill(database, 3 * END)
    source = open_source()
    statements.clear()
    source.sample()
    asked = [statement.lower() for statement in statements if " from " in statement.lower().replace("\n", " ")]
    read = [one for one in asked if not one.startswith("explain")]
    assert read
    assert not [one for one in read if "count(" in one or not re.search("limit| in \\(|= any\\(", one)]


def test_a_source_without_an_index_is_read_in_no_order(
    database: UserDatabase, open_source: OpenSource, statements: list[str]
) -> None:
    """A sort of all rows would cost more the more there are, so a slice is taken as it comes."""
    fill(database, 3 * END)
    database.run(*(_drop(database, index.split()[2]) for index in INDEXES))
    source = open_source()
    statements.clear()
    assert len(source.sample().leads) == 2 * END
    assert not [one for one in statements if "ORDER BY" in one and not one.startswith("EXPLAIN")]


def _drop(database: UserDatabase, index: str) -> str:
    return f"DROP INDEX {index}" + (
        f" ON {index.split('_', maxsplit=1)[0]}" if database.dialect in {"mysql", "mariadb"} else ""
    )


def test_a_word_that_stands_for_no_value_is_found_and_named(database: UserDatabase, open_source: OpenSource) -> None:
    """`Select` in a quarter of the cities is a warning with what to write; towns are not."""
    fill(database, 100, city=["Select", *(f"Town {n}" for n in range(3))], mail=["a@example.org", "b@example.org"])
    assert " ".join(warnings(judge(open_source()))) == (
        'source.enrichment: `city` holds "Select" in 25 of 100 sampled values, which is likely no value, and counts as '
        'one: so that it counts as missing, write `source.null_values: ["", "Select"]`.'
    )


def test_a_placeholder_with_blanks_around_it_is_counted_and_named_once(
    database: UserDatabase, open_source: OpenSource
) -> None:
    """`Select` and `Select ` are one text to `source.null_values`, so they are one in the advice."""
    fill(database, 100, city=["Select", "Select ", "Town 1", "Town 2"], mail=["a@example.org", "b@example.org"])
    assert " ".join(warnings(judge(open_source()))) == (
        'source.enrichment: `city` holds "Select" in 50 of 100 sampled values, which is likely no value, and counts as '
        'one: so that it counts as missing, write `source.null_values: ["", "Select"]`.'
    )


def test_a_town_in_many_rows_is_told_and_is_no_warning(database: UserDatabase, open_source: OpenSource) -> None:
    """It may be a value: written under `source.null_values`, it would keep all its leads waiting."""
    fill(
        database,
        100,
        city=["London", "London", *(f"Town {n}" for n in "abcde")],
        mail=["a@example.org", "b@example.org"],
    )
    findings = judge(open_source())
    assert not warnings(findings)
    (told,) = [finding.text for finding in findings if "stands for no value" in finding.text]
    holds = "source.enrichment: `city` holds one text, written like aaaaaa, in 30 of 100 sampled values."
    assert told.startswith(holds)


@pytest.mark.parametrize("value", ["kim.doe@example.org", "07700 900123", "Smith", "A person of a very long name"])
def test_a_text_that_may_be_a_persons_is_not_shown(database: UserDatabase, open_source: OpenSource, value: str) -> None:
    """A text in a third of the rows is told by its shape, unless it is nobody's, such as `Select`."""
    fill(database, 99, mail=[value, *(f"{n}@example.org" for n in range(2))] * 20 + [f"x{n}" for n in range(30)])
    told = [finding.text for finding in judge(open_source())]
    assert any("`mail` holds one text, written like" in sentence for sentence in told)
    assert not any(value in sentence for sentence in told)


def test_what_is_still_missing_is_counted(database: UserDatabase, open_source: OpenSource) -> None:
    """The complete leads, what the others lack, and how many of them the first run would decide as late."""
    fill(database, 2000, city=[None, *(f"Town {n}" for n in range(3))])
    findings = judge(open_source(), is_first_run=True)
    assert not warnings(findings)
    told = [finding.text for finding in findings]
    assert "wait.require: 750 of 1,000 sampled leads are complete now; 250 lack `city`." in told
    assert "source.enrichment: of the sampled rows some have no value: `city` in 25 %." in told
    assert any(one.startswith("wait.deadline: at least 125 leads have waited for longer") for one in told)
    assert not any(one.text.startswith("wait.deadline") for one in judge(open_source()))


def test_leads_and_rows_that_do_not_meet_are_counted(database: UserDatabase, open_source: OpenSource) -> None:
    """A few are information with their ids; if no id at all is found, the columns are not the same, and that warns."""
    fill(database, 40)
    database.run(f"DELETE FROM enrichment WHERE id = {FIRST}", f"DELETE FROM leads WHERE id = {FIRST + 1}")  # noqa: S608
    told = [finding.text for finding in judge(open_source())]
    assert f"source.enrichment: has no row yet for 1 of 39 sampled leads, such as {FIRST}." in told
    assert any(
        f"1 of the ids of its 39 newest rows are of no lead in source.leads, such as {FIRST + 1}." in t for t in told
    )
    database.run("UPDATE enrichment SET id = id + 1000000")
    assert "source.enrichment.id: no row has arrived for any of 39 sampled leads." in warnings(judge(open_source()))[0]


def test_stamps_of_a_usual_form_come_with_what_to_write(database: UserDatabase, open_source: OpenSource) -> None:
    """A form that reads all of them is suggested; where day and month may change places, both are."""
    leads, arrived = tables(stamp_type=String(30))
    database.create(leads, *({"id": n, "quarantined_at": f"{n:02}/02/2026 08:57"} for n in range(1, 28)))
    database.create(arrived)
    told = " ".join(warnings(judge(open_source())))
    assert '`source.leads.types: {quarantined_at: {timestamp: "%d/%m/%Y %H:%M"}}`.' in told
    assert "99/99/9999 99:99" in told
    assert "%m/%d/%Y" not in told


def test_times_without_a_zone_and_of_the_future_are_told(database: UserDatabase, open_source: OpenSource) -> None:
    """Text that names no zone is information, unless the file says which; a stamp ahead of now is a warning."""
    leads, arrived = tables(stamp_type=String(30))
    database.create(leads, {"id": 1, "quarantined_at": "2026-03-01 11:00:00"})
    database.create(arrived)
    (told,) = [one for one in judge(open_source(), assumed_zone="UTC") if one.text.startswith("source.time_zone")]
    assert "`quarantined_at` names no zone: UTC is assumed" in told.text
    assert not told.is_warning
    assert not [one for one in judge(open_source()) if one.text.startswith("source.time_zone")]
    database.run("UPDATE leads SET quarantined_at = '2026-03-01 13:00:00'")
    assert "1 of 1 sampled leads have a `quarantined_at` of the future" in warnings(judge(open_source()))[0]


def test_ids_that_leadbyte_cannot_take_are_told(database: UserDatabase, open_source: OpenSource) -> None:
    """An id that may be an address is told by its shape; one with a blank at its end is found nevertheless."""
    leads, arrived = tables(id_type=String(40))
    ids = ["kim@example.org", "12"]
    database.create(leads, *({"id": lead_id, "quarantined_at": stamp(1)} for lead_id in ids))
    database.create(arrived, {"id": "12 ", "updated_at": stamp(1), "city": "Town", "mail": "x", "score": "1"})
    findings = judge(open_source())
    assert "written like aaa@aaaaaaa.aaa is not a plain whole number" in warnings(findings)[0]
    told = " ".join(finding.text for finding in findings)
    assert "kim" not in told
    assert "1 of 2 sampled leads are complete now" in told
    assert "1 row with an id that holds what cannot be seen" in told


def test_an_id_that_may_be_a_person_s_is_not_shown(sqlite_url: str, open_source: OpenSource) -> None:
    """In no line: neither of ids that LeadByte does not know, nor of leads that stand there twice."""
    people = ["kim.doe@example.org", "07700 900100", "0 High Street, Leeds", "Bob 2"]
    database = UserDatabase(sqlite_url)
    database.run(
        "CREATE TABLE leads (id TEXT, quarantined_at TEXT)",
        "CREATE TABLE enrichment (id TEXT, updated_at TEXT, city TEXT, mail TEXT, score TEXT)",
        *(f"INSERT INTO leads VALUES ('{one}', '2026-03-01')" for one in people * 2),  # noqa: S608 - constants
        *(f"INSERT INTO enrichment VALUES ('{one} ', '2026-03-01', 'x', 'y', 'high')" for one in people),  # noqa: S608
    )
    told = " ".join(
        finding.text for finding in judge(open_source(sqlite_url, enrichment={"types": {"score": "double"}}))
    )
    assert "of leads that are on more than one, such as leads one written like" in told
    assert not any(one in told for one in people)


def test_a_value_of_a_superseded_row_is_no_fault(sqlite_url: str, open_source: OpenSource) -> None:
    """Of several rows of a lead only the newest counts, and what is put right is forgotten."""
    database = UserDatabase(sqlite_url)
    database.run(
        "CREATE TABLE leads (id INTEGER, quarantined_at TEXT)",
        "CREATE TABLE enrichment (id INTEGER, updated_at TEXT, score REAL)",
        "INSERT INTO enrichment VALUES (1, '2026-03-01', 'high'), (1, '2026-03-02', 0.9), (2, '2026-03-01', 'low')",
    )
    source = open_source(sqlite_url)
    source.enrichments(["1", "2"])
    assert [fault["ids"] for fault in source.faults().as_json()] == [["2"]]
    database.run("UPDATE enrichment SET score = 0.1 WHERE id = 2")
    source.enrichments(["1", "2"])
    assert len(source.faults()) == 0


def test_times_without_a_zone_are_told_however_they_are_kept(database: UserDatabase, open_source: OpenSource) -> None:
    """As a database's own times, as ISO text, and as text of a format; where the file names a zone, nothing is said."""
    database.run(
        "CREATE TABLE leads (id BIGINT, quarantined_at TIMESTAMP NULL)",
        "CREATE TABLE enrichment (id BIGINT, updated_at VARCHAR(30), city VARCHAR(20), mail VARCHAR(20), score REAL)",
        "INSERT INTO leads VALUES (1, '2026-03-01 09:00:00')",
        "INSERT INTO enrichment VALUES (1, '01/03/2026 09:00', 'x', 'y', 1)",
    )
    source = open_source(enrichment={"types": {"updated_at": {"timestamp": "%d/%m/%Y %H:%M"}}})
    told = [finding.text for finding in judge(source, assumed_zone="UTC") if "source.time_zone" in finding.text]
    assert [sentence.partition(" name no zone")[0] for sentence in told] == [
        "source.time_zone: is not set, and `quarantined_at`, `updated_at`"
    ]
    assert not any("source.time_zone" in finding.text for finding in judge(source))


def test_stamps_that_are_not_written_alike_are_a_warning(sqlite_url: str, open_source: OpenSource) -> None:
    """9:05 is behind 10:05 as a text, so that the newest row would be taken for an old one."""
    UserDatabase(sqlite_url).run(
        "CREATE TABLE leads (id INTEGER, quarantined_at TEXT)",
        "CREATE TABLE enrichment (id INTEGER, updated_at TEXT, city TEXT, mail TEXT, score REAL)",
        "INSERT INTO enrichment VALUES (1, '2026-03-01 9:05', 'x', 'y', 1), (2, '2026-03-01 10:05', 'x', 'y', 1)",
    )
    source = open_source(sqlite_url, enrichment={"types": {"updated_at": {"timestamp": "%Y-%m-%d %H:%M"}}})
    (told,) = [sentence for sentence in warnings(judge(source)) if "written alike" in sentence]
    assert told.startswith(
        "source.enrichment: `updated_at` is not written alike in all rows, such as 9:05 beside 10:05"
    )


def test_rows_without_a_stamp_are_counted(database: UserDatabase, open_source: OpenSource) -> None:
    """Reading forward never finds them; an empty table of leads is told, too."""
    fill(database, 3)
    assert not any("no `updated_at`" in finding.text for finding in judge(open_source()))
    database.run("UPDATE enrichment SET updated_at = NULL WHERE id = 2932000")
    told = [finding for finding in judge(open_source()) if "1 sampled row has no `updated_at`" in finding.text]
    assert [finding.is_warning for finding in told] == [False]
    database.run("DELETE FROM leads")
    assert any("source.leads: no row of it is a lead yet" in finding.text for finding in judge(open_source()))


def test_several_rows_of_a_lead_are_told(database: UserDatabase, open_source: OpenSource) -> None:
    """As where each provider writes one of its own: nobody merges them."""
    fill(database, 3)
    assert not any("more than one" in finding.text for finding in judge(open_source()))
    database.run("INSERT INTO enrichment (id, updated_at) SELECT id, updated_at FROM enrichment WHERE id < 2932002")
    (told,) = (finding for finding in judge(open_source()) if "more than one" in finding.text)
    assert told.text.startswith(
        "source.enrichment (table enrichment): 4 rows of leads that have more than one, such as"
    )
    assert (told.is_warning, "never merged" in told.text) == (False, True)
