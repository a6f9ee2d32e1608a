"""Rows of the source that are wrong: each is told, and none keeps the others from going on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Text

from leadgate.sandbox import Sandbox
from tests.support.command import leadgate
from tests.support.pipelines import Practice

TABLE = "source.leads (table quarantined_leads)"
COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


@pytest.fixture(params=["sqlite", "postgresql"])
def pipeline(
    request: pytest.FixtureRequest, tmp_path: Path, leadbyte: Sandbox, prefect_server: str
) -> Iterator[Practice]:
    """A pipeline whose source holds ids as text, with its ledger on each database; lead 1 is as it should be."""
    ledger_url = "sqlite:///leadgate.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    practice = Practice(tmp_path, leadbyte.url, id_type=Text(), ledger_url=ledger_url)
    practice.quarantine("1")
    practice.enrich("1", **COMPLETE)
    yield practice
    practice.close()


def test_rows_that_are_wrong_are_told_and_the_others_go_on(pipeline: Practice, leadbyte: Sandbox) -> None:
    """A plan names each fault, a run counts them, and the good leads are processed."""
    pipeline.quarantine(None, None, "  ", "9" * 201, "4\x007", "7", "7")
    pipeline.enrich("7", **COMPLETE)
    ended = leadgate("plan", config=pipeline.file)
    planned = ended.stdout.splitlines()
    assert ended.code == 1, "nobody can register a row without an id"
    told = [line.removeprefix(f"fault: {TABLE}: ") for line in planned if line.startswith("fault: ")]
    assert len(told) == 3
    assert told[0].startswith("2 rows without `quarantine_id`, quarantined from ")
    assert told[1].startswith("3 rows with an id that is none: blank, longer than 200 characters, or with a NUL")
    twice = (
        "2 rows of leads that are on more than one, such as lead 7. The one of the earliest `quarantined_at` counts; "
        "where they differ in what is read, a person decides the lead."
    )
    assert told[2] == twice

    finished = leadgate("run", config=pipeline.file)
    assert finished.code == 1, finished.stderr
    assert "       3  faults of rows in the source, by kind: named below" in finished.stdout
    assert [line for line in finished.stdout.splitlines() if line.startswith("fault: ")] == [
        line for line in planned if line.startswith("fault: ")
    ]
    assert {lead_id: len(acts) for lead_id, acts in leadbyte.quarantine.acts.items()} == {"1": 1, "7": 1}


def test_enrichment_for_a_lead_that_nobody_registered_is_left_alone(pipeline: Practice, leadbyte: Sandbox) -> None:
    """Only leads of `source.leads` are touched, whatever else has arrived, and rows without an id are nobody's."""
    pipeline.enrich("99", None, **COMPLETE)
    summary = leadgate("run", "--json", config=pipeline.file).json()
    assert [summary[key] for key in ("registered", "arrived", "processed", "faults")] == [1, 1, 1, []]
    assert leadbyte.quarantine.acts.keys() == {"1"}


def test_an_id_that_leadbyte_cannot_take_is_parked_with_the_reason(pipeline: Practice, leadbyte: Sandbox) -> None:
    """LeadByte's call to process or reject takes numbers only: nothing is sent, and a person is told."""
    pipeline.edit("policy:\n", "delivery: {attempts: 1}\npolicy:\n")
    pipeline.quarantine("12-b", hours_ago=25)

    finished = leadgate("run", config=pipeline.file)
    assert finished.code == 1
    assert "       1  failed: refused by LeadByte and parked" in finished.stdout
    asked = [lead.lead_id for exchange in leadbyte.requests for lead in exchange.asked]
    assert asked == ["1", "1"], "its update, and its act"
    assert leadgate("explain", "12-b", config=pipeline.file).stdout.splitlines()[-1] == (
        "Now: parked (the id '12-b' is not a plain whole number, and LeadByte's call to process or reject takes "
        "nothing else: correct the id in the source, or act on the lead in LeadByte); decided anew when its data "
        "changes, or by `leadgate retry`."
    )
    assert leadgate("status", config=pipeline.file).code == 1
    assert (
        "source.leads.id: one written like 99-a is not a plain whole number"
        in leadgate("check", config=pipeline.file).stdout
    )


def test_check_warns_of_rows_that_would_send_wrong_data(pipeline: Practice) -> None:
    """A placeholder in a column that is written is a warning with exit code 1; without it all is well."""
    ids = [str(number) for number in range(100, 140)]
    pipeline.quarantine(*ids)
    for number, lead_id in enumerate(ids):
        mobile = f"0770090{number:04}"
        pipeline.enrich(lead_id, **COMPLETE | {"mobile": "n/a" if number % 4 == 0 else mobile})
    checked = leadgate("check", config=pipeline.file)
    assert checked.code == 1
    assert 'warning: source.enrichment: `mobile` holds "n/a" in 10 of 40' in checked.stdout
    assert "0770090" not in checked.stdout
    as_json = leadgate("check", "--json", config=pipeline.file).json()
    assert (as_json["ok"], as_json["problems"], len(as_json["warnings"])) == (False, [], 1)
    with pipeline.source.begin() as connection:
        connection.execute(
            pipeline.enrichment.update().values(mobile=None).where(pipeline.enrichment.c.mobile == "n/a")
        )
    assert leadgate("check", config=pipeline.file).code == 0
