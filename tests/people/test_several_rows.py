"""A lead on several rows that differ in what is read is a person's to decide: nobody knows which row is right."""

import pytest

from leadgate.model import State
from tests.people.runs import Runs, Sections

OPT_OUT: Sections = {
    "policy": {
        "rules": [
            {"name": "out", "when": "lead.opted_out == 'yes'", "then": "reject", "because": "Opted out."},
            {"name": "good", "when": "enrichment.score >= 0.5", "then": "process", "because": "A good score."},
            {"name": "never-enriched", "when": "late", "then": "reject", "because": "No enrichment came."},
        ]
    }
}


@pytest.fixture
def runs(runs: Runs) -> Runs:
    """Runs over leads that have columns of their own."""
    runs.pipeline.run_sql("ALTER TABLE leads ADD COLUMN opted_out TEXT", "ALTER TABLE leads ADD COLUMN agent TEXT")
    runs.pipeline.reopen_source()
    return runs


def quarantine(runs: Runs, *rows: tuple[str | None, str], lead_id: int = 1) -> None:
    """Put a lead into quarantine on rows with `opted_out` and `agent`, an hour apart."""
    for hour, (opted_out, agent) in enumerate(rows):
        runs.pipeline.run_sql(
            "INSERT INTO leads VALUES (:id, :at, :opted_out, :agent)",
            id=lead_id,
            at=f"2026-03-01 {10 + hour}:00:00",
            opted_out=opted_out,
            agent=agent,
        )


def reason(runs: Runs, lead_id: str = "1") -> str:
    """Why a lead is where it is."""
    return str(runs.pipeline.entry(lead_id)["note"])


@pytest.mark.parametrize("other", ["yes", None, "no "])
def test_rows_that_differ_in_what_a_rule_reads_go_to_a_person(runs: Runs, other: str | None) -> None:
    """An opt-out on the second row is not passed over; nothing of a value is kept."""
    quarantine(runs, ("no", "a"), (other, "a"))
    runs.pipeline.arrive(1)
    runs.run(sections=OPT_OUT)
    assert runs.pipeline.states() == {"1": State.REVIEW}
    assert reason(runs) == (
        "The lead has several rows in source.leads, which differ in lead.opted_out. "
        "By the earliest it would be process: A good score."
    )
    assert not runs.sandbox.quarantine.acts


@pytest.mark.parametrize("rows", [[("no", "a"), ("no", "b")], [("no", "a")] * 3, [(None, "a"), (None, "b")]])
def test_rows_that_agree_in_what_is_read_are_one_lead(runs: Runs, rows: list[tuple[str | None, str]]) -> None:
    """Whatever the other columns and the dates say."""
    quarantine(runs, *rows)
    runs.pipeline.arrive(1)
    runs.run(sections=OPT_OUT)
    assert runs.pipeline.states() == {"1": State.PROCESSED}


def test_a_column_that_is_written_counts_as_well(runs: Runs) -> None:
    """The wrong agent would be written."""
    quarantine(runs, ("no", "a"), ("no", "b"))
    runs.pipeline.arrive(1)
    runs.run(sections=OPT_OUT | {"update": {"data1": {"from": "lead.agent"}}})
    assert runs.pipeline.states() == {"1": State.REVIEW}
    assert "which differ in lead.agent." in reason(runs)


def test_a_row_without_a_date_is_compared_too(runs: Runs) -> None:
    """It is not the one that counts, and may hold the opt-out."""
    quarantine(runs, ("no", "a"), ("yes", "a"))
    runs.pipeline.run_sql("UPDATE leads SET quarantined_at = NULL WHERE opted_out = 'yes'")
    runs.pipeline.arrive(1)
    runs.run(sections=OPT_OUT)
    assert runs.pipeline.states() == {"1": State.REVIEW}


def test_a_late_lead_is_not_rejected_by_one_of_its_rows(runs: Runs) -> None:
    """Nor does a person's word wait for the rows to agree."""
    quarantine(runs, ("no", "a"), ("yes", "a"))
    runs.pipeline.arrive(2)
    runs.run(sections=OPT_OUT)
    runs.pipeline.clock.advance(hours=25)
    runs.run(sections=OPT_OUT)
    assert (runs.pipeline.states(), "it would be reject" in reason(runs)) == ({"1": State.REVIEW}, True)
    runs.resolve(1)
    runs.run(sections=OPT_OUT)
    assert runs.pipeline.states() == {"1": State.PROCESSED}


@pytest.mark.parametrize("change", ["UPDATE leads SET opted_out = 'no'", "DELETE FROM leads WHERE opted_out = 'yes'"])
def test_once_the_rows_agree_the_rules_decide(runs: Runs, change: str) -> None:
    """The row that counts has not changed: it is the other one that did."""
    quarantine(runs, ("no", "a"), ("yes", "a"))
    runs.pipeline.arrive(1)
    runs.run(sections=OPT_OUT)
    runs.run(sections=OPT_OUT)
    assert len(runs.pipeline.rows("leadgate_decisions")) == 1, "nothing changed, and nothing is decided anew"
    runs.pipeline.run_sql(change)
    runs.run(sections=OPT_OUT)
    assert runs.pipeline.states() == {"1": State.PROCESSED}
