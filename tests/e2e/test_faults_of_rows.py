"""Faults in rows of the source, as `plan`, `run` and `status` report them: counted, with ids, and with an exit code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadgate.sandbox import Sandbox
from tests.support.command import leadgate
from tests.support.pipelines import Practice

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


@pytest.fixture
def practice(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """A pipeline of five leads that are as they should be."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.quarantine(*range(1, 6))
    practice.enrich(*range(1, 6), **COMPLETE)
    yield practice
    practice.close()


def spoil(practice: Practice, statement: str) -> None:
    """Change rows in a way that the tables' types would not."""
    with practice.source.begin() as connection:
        connection.exec_driver_sql(statement)


def kinds(document: dict[str, Any]) -> list[tuple[int, list[str], bool]]:
    """The rows, ids and weight of each fault in a JSON document."""
    return [(fault["rows"], fault["ids"], fault["holds_back"]) for fault in document["faults"]]


def test_leads_without_a_time_are_one_line_everywhere_and_the_exit_code_is_1(practice: Practice) -> None:
    """The line has the count and three ids; the JSON of `plan` and `run` has them all, the ledger keeps three."""
    spoil(practice, "UPDATE quarantined_leads SET quarantined_at = '26/11/2026 08:57' WHERE quarantine_id > 1")
    line = (
        "fault: source.leads (table quarantined_leads): 4 rows with something else than a date and time in "
        "`quarantined_at` (one is written like 99/99/9999 99:99), such as leads 2, 3 and 4. Such leads wait: "
        'say under `types:` how it is written, such as `{timestamp: "%d/%m/%Y %H:%M"}`, or let a `query:` give it as '
        "2026-03-01 12:00:00."
    )
    for verb in ("plan", "run", "status"):
        ended = leadgate(verb, config=practice.file)
        assert [each for each in ended.stdout.splitlines() if each.startswith("fault: ")] == [line]
        assert "26/11" not in ended.stdout
        assert ended.code == (0 if verb == "status" else 1)
        document = leadgate(verb, "--json", config=practice.file).json()
        ids = ["2", "3", "4"] if verb == "status" else ["2", "3", "4", "5"]
        assert kinds(document) == [(4, ids, True)]
        assert "fault: " + document["faults"][0]["problem"] == line


def test_a_fault_that_holds_nobody_back_leaves_the_exit_code_at_0(practice: Practice) -> None:
    """A lead on two rows, and a value that rules alone read: both are reported, and both leads are decided."""
    practice.quarantine(2)
    spoil(practice, "UPDATE lead_enrichment SET opted_out = 'perhaps' WHERE quarantine_id = 3")
    for verb in ("plan", "run"):
        ended = leadgate(verb, "--json", config=practice.file)
        assert kinds(ended.json()) == [(2, ["2"], False), (1, ["3"], False)]
        assert ended.code == 0


def test_an_unreadable_value_of_a_required_column_holds_its_lead_back(practice: Practice) -> None:
    """Until it is corrected: the lead waits, `plan`, `run` and `status` name it, and the next run is fine."""
    spoil(practice, "UPDATE lead_enrichment SET score = 'high' WHERE quarantine_id = 3")
    for verb, code in (("plan", 1), ("run", 1), ("status", 0)):
        ended = leadgate(verb, "--json", config=practice.file)
        assert kinds(ended.json()) == [(1, ["3"], True)]
        assert ended.code == code
        assert "high" not in ended.stdout
    spoil(practice, "UPDATE lead_enrichment SET score = 0.9 WHERE quarantine_id = 3")
    ended = leadgate("run", "--json", config=practice.file)
    assert (ended.code, ended.json()["processed"], ended.json()["faults"]) == (0, 1, [])
