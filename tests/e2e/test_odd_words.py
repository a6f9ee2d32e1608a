"""What is typed or found at the edges: one sentence each, with the exit code that it deserves."""

from pathlib import Path

import pytest
from sqlalchemy import String

from leadgate.errors import ConfigError
from leadgate.ledger.people import checked_reason
from leadgate.sandbox import Sandbox
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.pipelines import Practice


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    """A pipeline whose LeadByte is down."""
    return Practice(tmp_path, "http://127.0.0.1:9", id_type=String(40))


@pytest.mark.parametrize("verb", [["explain"], ["retry"], ["review", "process", "--reason", "x"]], ids=lambda v: v[0])
@pytest.mark.parametrize("lead_id", ["12\udcff", "", " ", "9" * 300], ids=["bytes", "nothing", "a blank", "long"])
def test_an_id_that_is_none_is_wrong_use(practice: Practice, verb: list[str], lead_id: str) -> None:
    """It is not looked for, and not printed at length."""
    ended = leadgate(*verb, lead_id, config=practice.file)
    assert ended.code == 2
    assert "no lead has such an id" in " ".join(ended.stderr.replace("│", " ").split())
    practice.close()


def test_ids_that_are_typed_stay_on_one_line(practice: Practice) -> None:
    """A line break inside one adds no line to what is said."""
    ended = leadgate("retry", "1\n2", config=practice.file)
    assert ended.stderr.count("\n") == 1
    assert r"1\n2" in ended.stderr
    practice.close()


def test_what_will_pass_ends_a_check_with_1(practice: Practice) -> None:
    """A LeadByte that is down needs no change of the file; advice is given all the same. What is wrong is 2."""
    (practice.file.parent / "leadgate.db").chmod(0o644)
    ended = leadgate("check", config=practice.file)
    assert ended.code == 1
    assert "LeadByte at http://127.0.0.1:9" in ended.stderr
    assert "chmod 600" in ended.stdout
    practice.edit("phone1: mobile", "phone1: nothing")
    assert leadgate("check", config=practice.file).code == 2
    practice.close()


def test_odd_ids_of_enrichment_are_counted_by_plan_and_run(
    tmp_path: Path, leadbyte: Sandbox, prefect_server: str
) -> None:
    """And each lead has its data."""
    practice = Practice(tmp_path, leadbyte.url, key=leadbyte.key, id_type=String(40))
    practice.quarantine("1", "2")
    practice.enrich("1 ", "2\u200b", postcode="TN25 6QD", phone_verified=True, score=0.9, opted_out=False)
    planned = leadgate("plan", "--json", config=practice.file).json()
    assert ["2 rows with an id that holds what cannot be seen" in fault["problem"] for fault in planned["faults"]] == [
        True
    ]
    for processed in (2, 0):
        ran = leadgate("run", "--json", config=practice.file).json()
        assert (ran["processed"], ran["faults"]) == (processed, planned["faults"])
    practice.close()


def test_a_reason_is_a_sentence() -> None:
    """It is shown by several verbs."""
    with pytest.raises(ConfigError, match="the reason has more than 1000 characters"):
        checked_reason("because " * 1000)


@pytest.mark.parametrize("arguments", [["--latency", "9" * 400], ["--key", ""], ["--lag", "1e400"]])
def test_a_sandbox_of_odd_words_is_one_sentence(arguments: list[str]) -> None:
    """It does not start."""
    ended = wait_for(start_leadgate("sandbox", "--json", *arguments))
    assert ended.code == 2
    assert ended.json()["problems"]
    assert "unexpected" not in ended.stderr
