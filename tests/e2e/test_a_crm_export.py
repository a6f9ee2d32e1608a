"""A CRM export of 38 columns of text, the way a user goes: `init --from`, `check`, `plan`, `run`.

What must come out is worked out from the rows by tests/support/crm_export.py, without leadgate.
"""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadgate.sandbox import Sandbox
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.crm_export import COLUMNS, Person, Row, make_export, read_person, store_export

LEADS = 600
MANY_LEADS = int(os.environ.get("LEADGATE_TEST_EXPORT_LEADS", "1500"))
"""More than a wave claims and `check` samples. LEADGATE_TEST_EXPORT_LEADS=9191 is the size of the public export."""
RULES = """\
    - name: do-not-email
      when: enrichment.`Do Not Email` == 'Yes'
      then: reject
      because: The person wants no mail.
    - name: never-complete
      when: late
      then: reject
      because: No city or no quality within the deadline.
    - name: keen
      when: enrichment.`Lead Quality` in ['High in Relevance', 'Might be'] && enrichment.TotalVisits >= 4
      then: process
      because: A good lead that came back.
    - name: not-sure-yet
      when: enrichment.`Lead Quality` == 'Not Sure'
      then: hold
      because: The quality may still change.
"""


class Export:
    """An export in a database, the pipeline file that init writes for it, and what must become of each lead."""

    def __init__(self, folder: Path, address: str, leadbyte: Sandbox, leads: int = LEADS) -> None:
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        self.rows: list[Row] = make_export(leads, now)
        self.people: dict[str, Person] = {row["Lead Number"]: read_person(row, now) for row in self.rows}
        self.file = folder / "leadgate.yaml"
        store_export(address, self.rows)
        self.told_by_init = leadgate("init", "--from", address, self.file)
        limit = "\n  requests_per_second: 0\n"
        self.edit(
            "  base_url: https://acme.leadbyte.com   # your account, or .co.uk\n", f"  base_url: {leadbyte.url}{limit}"
        )

    def edit(self, old: str, new: str) -> None:
        """Change what stands in the file once."""
        written = self.file.read_text("utf-8")
        assert written.count(old) == 1, f"{old!r} stands {written.count(old)} times in the file"
        self.file.write_text(written.replace(old, new), "utf-8")

    def follow_the_advice(self, null_values: str) -> None:
        """Write what check says, wait for city and quality, and give the rules."""
        form = '      Created On: {timestamp: "%d/%m/%Y %H:%M"} # by its values\n\nledger:'
        types = form.replace("\n\nledger:", "\n      TotalVisits: int\n")
        self.edit(form, f"{types}  null_values: {null_values}\n\nledger:")
        self.edit("    - Asymmetrique Activity Score       # likely\n", "    - City\n    - Lead Quality\n")
        self.edit("  country: Country                      # sure\n", "  country: Country\n  data1: Lead Quality\n")
        written = self.file.read_text("utf-8")
        rules, end = written.index("    - name: not-complete-in-time"), written.index("  otherwise: review")
        self.file.write_text(written[:rules] + RULES + written[end:], "utf-8")

    def count(self, verdict: str) -> int:
        """How many leads must have a verdict."""
        return sum(person.verdict == verdict for person in self.people.values())


def fields_of(person: Person) -> dict[str, str]:
    """What LeadByte must have of a lead that was decided: values alone, no blank and no placeholder."""
    if person.verdict == "wait":
        return {}
    fields = {"towncity": person.city, "country": person.country, "data1": person.quality}
    return {field: value for field, value in fields.items() if value}


def lines_with(text: str, *parts: str) -> list[str]:
    """The lines that hold all of some parts."""
    return [line for line in text.splitlines() if all(part in line for part in parts)]


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def address(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    return str(request.getfixturevalue(fixture)).replace("leadgate.db", "crm.db")


@pytest.fixture
def export(
    address: str, tmp_path: Path, leadbyte: Sandbox, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> Export:
    """An export of six hundred leads, and the file that init has written for it."""
    monkeypatch.setenv("LEADBYTE_API_KEY", leadbyte.key)
    monkeypatch.setenv("SOURCE_URL", address)
    return Export(tmp_path, address, leadbyte)


def advice_of(text: str) -> str:
    """The value of `source.null_values` that check says to write; it says the same of each column."""
    told = {line.split("`source.null_values: ")[1].split("`")[0] for line in lines_with(text, "source.null_values: ")}
    assert len(told) == 1
    return told.pop()


def test_init_guesses_the_export_and_no_value_of_a_person_is_told(export: Export) -> None:
    """The id, the stamp and its British form, city and country; every column stands in the file with its type."""
    assert (export.told_by_init.code, export.told_by_init.stderr) == (0, "")
    written = export.file.read_text("utf-8")
    for line in (
        "    table: crm_export                   # a guess\n    id: Lead Number ",
        "    quarantined_at: Created On          # likely\n",
        '      Created On: {timestamp: "%d/%m/%Y %H:%M"} # by its values\n    # All its columns',
        "  towncity: City                        # likely\n",
        "  country: Country                      # sure\n",
    ):
        assert line in written
    listed = [line.removeprefix("    #   ") for line in lines_with(written, "    #   ") if line.endswith(" string")]
    assert [line.removesuffix(" string").rstrip() for line in listed] == list(COLUMNS)
    told = written + export.told_by_init.stdout
    for row in export.rows:
        assert row["Prospect ID"] not in told
        assert row["Lead Number"] not in told
        assert row["Created On"] not in told


def test_check_accepts_the_guess_and_says_what_to_write_for_select(export: Export) -> None:
    """It warns of `Select` in the city, tells that the stamps are in no order, and is content with what it advised."""
    checked = leadgate("check", config=export.file)
    assert (checked.code, checked.stderr) == (1, "")
    assert len(lines_with(checked.stdout, "`City` holds", '"Select"')) == 1
    assert lines_with(checked.stdout, "source.leads", "the texts of `Created On` are not in the order of time")
    assert not lines_with(checked.stdout, "something else than a date")
    advice = advice_of(checked.stdout)
    assert advice == '["", "Select", "unknown"]', "no town is taken for a placeholder"
    export.follow_the_advice(advice)
    checked = leadgate("check", config=export.file)
    assert (checked.code, checked.stderr) == (0, "")
    complete = sum(person.is_complete for person in export.people.values())
    assert lines_with(checked.stdout, f"wait.require: {complete} of {LEADS} sampled leads are complete now")


def test_the_plan_counts_what_the_rows_say(export: Export) -> None:
    """Each lead's verdict, rule and fields, and how many wait for which column, are as worked out by hand."""
    export.follow_the_advice(advice_of(leadgate("check", config=export.file).stdout))
    planned = leadgate("plan", "--json", config=export.file)
    assert planned.code == 0
    check_plan(planned.json()["leads"], export)
    told = leadgate("plan", config=export.file).stdout
    waiting = [person for person in export.people.values() if person.verdict == "wait"]
    without_city = sum(not person.city for person in waiting)
    without_quality = sum(not person.quality for person in waiting)
    assert f"{LEADS - len(waiting)} leads would be decided now, {len(waiting)} would go on waiting." in told
    assert lines_with(told, f" {without_city}  waiting, without City")
    assert lines_with(told, f" {without_quality}  waiting, without Lead Quality")
    assert "Nothing was sent." in told


def check_plan(leads: Sequence[dict[str, Any]], export: Export) -> None:
    """Hold every line of a plan against what was worked out."""
    found = {
        lead["lead_id"]: (lead["verdict"], lead["rule"], {each["field"] for each in lead["fields"]}) for lead in leads
    }
    assert found == {
        lead_id: (person.verdict, person.rule or None, set(fields_of(person)))
        for lead_id, person in export.people.items()
        if person.verdict != "wait"
    }


def test_a_run_acts_once_and_writes_neither_a_blank_nor_select(export: Export, leadbyte: Sandbox) -> None:
    """Every lead ends where its row says, with the fields it has values for, and a second run asks for nothing."""
    export.follow_the_advice(advice_of(leadgate("check", config=export.file).stdout))
    finished = leadgate("run", "--json", config=export.file)
    assert (finished.code, finished.stderr) == (0, "")
    check_run(finished.json(), export, leadbyte)
    asked = len(leadbyte.requests)
    again = leadgate("run", "--json", config=export.file)
    assert again.code == 0
    assert [again.json()[key] for key in ("registered", "processed", "rejected")] == [0, 0, 0]
    assert len(leadbyte.requests) == asked


def check_run(summary: dict[str, object], export: Export, leadbyte: Sandbox) -> None:
    """Hold the counts of a run, and what LeadByte was asked, against what was worked out."""
    keys = {"processed": "process", "rejected": "reject", "held": "hold", "review": "review"}
    assert {key: summary[key] for key in keys} == {key: export.count(verdict) for key, verdict in keys.items()}
    assert (summary["registered"], summary["faults"]) == (len(export.people), [])
    assert summary["waiting"] == export.count("wait") + export.count("hold")
    acts = {lead_id: [act.action.value for act in of_lead] for lead_id, of_lead in leadbyte.quarantine.acts.items()}
    assert acts == {
        lead_id: [person.verdict]
        for lead_id, person in export.people.items()
        if person.verdict in {"process", "reject"}
    }
    written: dict[str, dict[str, str]] = {lead_id: {} for lead_id in export.people}
    for request in leadbyte.requests:
        for part in request.asked:
            assert all(value.strip() not in {"", "Select", "unknown"} for value in (part.update or {}).values())
            written[part.lead_id] |= part.update or {}
    assert written == {lead_id: fields_of(person) for lead_id, person in export.people.items()}


def test_a_larger_export_goes_the_same_way(
    sqlite_url: str, tmp_path: Path, leadbyte: Sandbox, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More leads than a wave has: each is planned and acted on as its row says, by a process of its own."""
    monkeypatch.setenv("LEADBYTE_API_KEY", leadbyte.key)
    export = Export(tmp_path, sqlite_url.replace("leadgate.db", "crm.db"), leadbyte, MANY_LEADS)
    export.follow_the_advice(advice_of(leadgate("check", config=export.file).stdout))
    export.edit("review:\n", "safety:\n  budgets: {reject: none}\nreview:\n")
    check_plan(leadgate("plan", "--json", config=export.file).json()["leads"], export)
    finished = wait_for(start_leadgate("run", "--json", config=export.file))
    assert finished.code == 0
    check_run(finished.json(), export, leadbyte)


def test_the_generated_export_has_every_case_in_it() -> None:
    """Else the other tests would prove little: each verdict and rule, and blanks and `Select` as often as described."""
    now = datetime.now(UTC)
    rows = make_export(9_000, now)
    assert len(COLUMNS) == 38
    cities = Counter(row["City"].strip() for row in rows)
    assert 0.13 < cities[""] / len(rows) < 0.17
    assert 0.22 < cities["Select"] / len(rows) < 0.26
    assert 0.28 < sum(not row["Lead Quality"] for row in rows) / len(rows) < 0.32
    cases = Counter((person.verdict, person.rule) for person in (read_person(row, now) for row in rows[:LEADS]))
    assert cases.keys() == {
        ("wait", ""),
        ("reject", "do-not-email"),
        ("reject", "never-complete"),
        ("process", "keen"),
        ("hold", "not-sure-yet"),
        ("review", ""),
    }
    assert min(cases.values()) > 20
