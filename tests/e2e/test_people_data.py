"""People's data stays home: nothing that belongs to a person is anywhere but in the source, LeadByte and keep_facts.

Every value of every lead is a marker that is nowhere else. After runs in which much goes wrong, all that leadgate and
Prefect have kept or said is searched for them, byte by byte.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, Table, create_engine, inspect, text

from leadgate.ledger.schema import metadata
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.echoing import echoing_leadbyte
from tests.support.pipelines import Practice
from tests.support.prefect_server import PrefectServer

IDS = range(1, 13)
NO_NUMBER, BAD_TYPE, TO_PEOPLE, NEVER_ENRICHED = 8, 9, 10, 12
MORE_COLUMNS = {
    "quarantined_leads": ("first_name", "phone"),
    "lead_enrichment": ("full_name", "email", "age", "segment", "note"),
}
KEPT = "segment"
Places = dict[str, bytes]


def marker(column: str, lead_id: int) -> str:
    """A value that is found nowhere else; a phone and an e-mail look like what they are."""
    if column in {"mobile", "phone"}:
        return f"07700{'9' if column == 'mobile' else '8'}{lead_id:05d}"
    if column == "email":
        return f"zqmail{lead_id}@people.example"
    return f"Zq{column.replace('_', '')}{lead_id}Zq"


def forms(column: str, lead_id: int) -> list[bytes]:
    """How a value may be written, in small letters."""
    value = marker(column, lead_id).lower()
    if column not in {"mobile", "phone"}:
        return [value.encode()]
    return [part.encode() for part in (value[1:], f"{value[1:5]} {value[5:]}", f"{value[:5]} {value[5:8]} {value[8:]}")]


@pytest.fixture
def practice(tmp_path: Path, database_url: str) -> Iterator[Practice]:
    """A pipeline full of markers, its ledger on SQLite or PostgreSQL, and a LeadByte that repeats what it is told."""
    stranger = f"{marker('email', 99)}, tel. {marker('mobile', 99)}"
    with echoing_leadbyte(stranger) as address:
        practice = Practice(tmp_path, address, ledger_url=database_url)
        practice.edit("  phone1: mobile", "  phone1: mobile\n  email: email\n  name: full_name\n  data1: note")
        practice.edit("keep_facts: [score]", f"keep_facts: [{KEPT}]\ndelivery: {{attempts: 1, unknown: review}}")
        practice.edit("requests_per_second: 0", "requests_per_second: 0\n  batch_size: 1")
        practice.trust_leadbyte()
        practice.edit("Phone verified and a score of {score}.", f"Verified, of {{{KEPT}}}.")
        practice.edit(
            "    - name: verified",
            "    - {name: minor, when: int(enrichment.age) < 18, then: reject, because: Under 18}\n"
            f"    - {{name: ask, when: enrichment.score < 0.5, then: review, because: 'A person of {{{KEPT}}}.'}}\n"
            "    - name: verified",
        )
        fill(practice)
        yield practice
        practice.close()


def fill(practice: Practice) -> None:
    """Put leads with a marker in every column that may hold text into the source."""
    with practice.source.begin() as connection:
        for table, columns in MORE_COLUMNS.items():
            for column in columns:
                connection.execute(text(f"alter table {table} add column {column} text"))
    practice.leads = Table("quarantined_leads", MetaData(), autoload_with=practice.source)
    practice.enrichment = Table("lead_enrichment", MetaData(), autoload_with=practice.source)
    at = datetime.now(UTC).replace(tzinfo=None)
    own = {"quarantined_leads": ("campaign",), "lead_enrichment": ("postcode", "mobile")}

    def row(table: str, lead_id: int) -> dict[str, object]:
        columns = own[table] + MORE_COLUMNS[table]
        return {"quarantine_id": lead_id} | {column: marker(column, lead_id) for column in columns}

    practice.add_leads(row("quarantined_leads", n) | {"quarantined_at": at - timedelta(hours=25)} for n in IDS)
    enrichment = {"updated_at": at, "phone_verified": True, "opted_out": False, "score": 0.9}
    practice.add_enrichment(
        row("lead_enrichment", n)
        | enrichment
        | ({} if n == NO_NUMBER else {"age": "40"})
        | ({"score": 0.3} if n == TO_PEOPLE else {})
        for n in IDS
        if n != NEVER_ENRICHED
    )


def spoil(practice: Practice) -> None:
    """Write a text where the column is a number, as SQLite lets everybody do."""
    with practice.source.begin() as connection:
        spoilt = "update lead_enrichment set score = :value, updated_at = :at where quarantine_id = :lead_id"
        at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        connection.execute(text(spoilt), {"value": marker("score", BAD_TYPE), "at": at, "lead_id": BAD_TYPE})


def act_out(practice: Practice, api_url: str, said: Places) -> None:
    """Run, fail, look, decide, pause, and run again; note all that is said on the way."""
    environment = os.environ | {
        "PREFECT_API_URL": api_url,
        "PREFECT_LOGGING_TO_API_ENABLED": "true",
        "PREFECT_LOGGING_LEVEL": "DEBUG",
    }

    def run() -> None:
        ended = wait_for(start_leadgate("run", "--verbose", config=practice.file, env=environment))
        said[f"run {len(said)}"] = f"{ended.stdout}{ended.stderr}".encode()

    def look(*arguments: object) -> None:
        ended = leadgate(*arguments, config=practice.file)
        said[f"{len(said)} {' '.join(map(str, arguments[:2]))}"] = f"{ended.stdout}{ended.stderr}".encode()

    look("check")
    look("plan", "--json", "--out", practice.file.with_name("plan.json"))
    run()
    look("review", "process", TO_PEOPLE, "--reason", "Called them.", "--by", "ann")
    look("retry", "--failed")
    look("pause", "--reason", "To see.", "--by", "ann")
    spoil(practice)
    practice.add_leads([{"quarantine_id": BAD_TYPE, "quarantined_at": datetime.now(UTC).replace(tzinfo=None)}])
    look("plan", "--json")
    run()
    look("resume")
    look("status", "--json")
    look("review", "list", "--json")
    for lead_id in IDS:
        look("explain", lead_id, "--json")
    look("backtest", "--policy", practice.file, "--json")
    look("waits")
    look("waits", "--json")
    look("report", "--out", practice.file.with_name("report.html"), "--json")


def kept_files(*folders: Path) -> Places:
    """Every file of some folders but for the source's."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files if not path.name.startswith("source.db")}


def dumped(engine: Engine) -> bytes:
    """Every row of the ledger, as its database writes it."""
    with engine.connect() as connection:
        # A row's own repr shortens long texts.
        rows = [tuple(row) for table in metadata.tables.values() for row in connection.execute(table.select())]
        views = inspect(engine).get_view_names()
        rows += [tuple(row) for view in views for row in connection.execute(text(f"select * from {view}"))]  # noqa: S608
        assert len(views) == 3
        return repr(rows).encode()


def found_in(places: Places, columns: Callable[[str], bool]) -> list[str]:
    """Where a value of one of the columns is."""
    names = ["campaign", "postcode", "mobile", "score", *(name for some in MORE_COLUMNS.values() for name in some)]
    ids = [*IDS, 99]
    small = {place: content.lower() for place, content in places.items()}
    return sorted(
        f"{column} of {lead_id} in {place}"
        for column in filter(columns, names)
        for lead_id in ids
        for place, content in small.items()
        if any(form in content for form in forms(column, lead_id))
    )


def test_nothing_of_a_person_is_kept_or_said(
    practice: Practice, prefect_process: PrefectServer, tmp_path: Path
) -> None:
    """Whatever LeadByte repeats, whatever fails, and whoever asks."""
    places: Places = {}
    act_out(practice, prefect_process.api_url, places)
    engine = create_engine(practice.ledger_url)
    places |= {"the ledger": dumped(engine)} | kept_files(tmp_path, prefect_process.process.folder)
    engine.dispose()
    told = found_in(places, lambda column: column == KEPT)
    assert [where for where in told if where.endswith("in the ledger")], "the search finds what may be kept"
    assert [where for where in told if where.endswith("in prefect.db")], "and finds it in Prefect's database too"
    assert b"'postcode': [" in places["the ledger"], "when it came is kept"
    assert places["report.html"].startswith(b"<!doctype html>")
    states = practice.states()
    runs = "\n".join(said.decode() for place, said in places.items() if place.startswith("run "))
    assert {states[str(n)] for n in IDS} >= {"processed", "failed", "review"}, runs
    assert found_in(places, lambda column: column != KEPT) == []
