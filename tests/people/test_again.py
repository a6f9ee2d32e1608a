"""Leads in review or parked are decided anew when what decisions go by has changed, and never for a stamp alone."""

from typing import Any

import pytest
from sqlalchemy import text

from leadgate.ledger.again import count_older
from leadgate.model import Chosen, Resolution, State
from leadgate.policy.version import version_of
from tests.people.runs import Runs, Sections

FAIR: Sections = {
    "policy": {"rules": [{"name": "fair", "when": "enrichment.score >= 0.2", "then": "process", "because": "Fair."}]}
}
LEADS = {"table": "leads", "id": "id", "quarantined_at": "quarantined_at"}


def asking(what: str, more: Sections | None = None) -> Sections:
    """The section that says when leads are decided anew, beside others."""
    return {"review": {"again": what}, **(more or {})}


def run(runs: Runs, sections: Sections) -> None:
    """Run as the flow does: reviews follow the rules first, where the file says so."""
    runs.pipeline.again(**sections).follow_rules()
    runs.run(sections=sections)


def decisions(runs: Runs, lead_id: str) -> int:
    """How often a lead was decided."""
    return sum(row[1] == lead_id for row in runs.pipeline.rows("leadgate_decisions"))


@pytest.mark.parametrize("column", ["score", "postcode", "mobile"])
def test_a_lead_in_review_is_decided_anew_when_what_is_read_or_written_changes(runs: Runs, column: str) -> None:
    """The score is read by a rule, the mobile number is written alone; it goes by the data of now."""
    runs.review(1)
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1, **{"score": 0.3, column: 0.9 if column == "score" else "N1 9GU"})
    runs.run()
    assert runs.pipeline.states() == {"1": State.PROCESSED if column == "score" else State.REVIEW}
    assert decisions(runs, "1") == 2


def test_a_new_stamp_alone_changes_nothing(runs: Runs) -> None:
    """Nor does a column that nobody reads, nor a comparison of everything."""
    runs.pipeline.run_sql("ALTER TABLE enrichment ADD COLUMN seen_by TEXT DEFAULT NULL")
    runs.pipeline.reopen_source()
    runs.pipeline.quarantine(1)
    runs.pipeline.run_sql("INSERT INTO enrichment VALUES (1, '2026-03-01 12:00:00', 'TN25 6QD', NULL, 0.3, 'a')")
    runs.run()
    assert runs.pipeline.states() == {"1": State.REVIEW}
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.run_sql("UPDATE enrichment SET updated_at = '2026-03-01 12:01:00', seen_by = 'b'")
    runs.run()
    assert (runs.pipeline.states(), decisions(runs, "1")) == ({"1": State.REVIEW}, 1)


@pytest.mark.parametrize("which", ["forward", "whole"])
def test_a_change_is_seen_forward_and_by_comparing_everything(runs: Runs, which: str) -> None:
    """A row that is written under an old stamp is found all the same."""
    runs.review(1, 2)
    if which == "whole":
        runs.pipeline.run_sql("UPDATE enrichment SET score = 0.9 WHERE id = 1")
        found = runs.pipeline.look()
    else:
        runs.pipeline.clock.advance(minutes=1)
        runs.pipeline.arrive(1, score=0.9)
        found = runs.pipeline.look_forward()
    assert (found.again, found.arrived) == (1, 1)
    assert runs.pipeline.states() == {"1": State.READY, "2": State.REVIEW}


def test_what_came_too_late_for_a_review_is_decided_by_the_rules(runs: Runs) -> None:
    """A lead that was late and went to a person is not late any more once its data is complete."""
    late: Sections = {
        "policy": {
            "rules": [
                {"name": "late", "when": "late", "then": "review", "because": "Late."},
                {"name": "good", "when": "enrichment.score >= 0.5", "then": "process", "because": "Good."},
            ]
        }
    }
    runs.pipeline.arrive(99)
    runs.pipeline.quarantine(1)
    runs.run(sections=late)
    runs.pipeline.clock.advance(hours=25)
    runs.pipeline.arrive(99)
    runs.run(sections=late)
    assert runs.pipeline.states() == {"1": State.REVIEW}
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1, score=0.9)
    runs.run(sections=late)
    assert runs.acted() == {"1": ["process"]}


@pytest.mark.parametrize(("again", "state"), [("on_data", State.REVIEW), ("on_change", State.PROCESSED)])
def test_other_rules_decide_anew_where_the_file_says_so(runs: Runs, again: str, state: State) -> None:
    """Else they are counted, for a person to say it."""
    runs.review(1)
    sections = asking(again, FAIR)
    version = version_of(runs.pipeline.config(**sections).policy)
    assert count_older(runs.pipeline.ledger, version) == 1
    run(runs, sections)
    assert runs.pipeline.states() == {"1": state}
    assert count_older(runs.pipeline.ledger, version) == (state is State.REVIEW)


def test_a_change_of_data_is_seen_through_a_change_of_rules(runs: Runs) -> None:
    """What the old rules read is compared once more, and from then on what the new ones read."""
    runs.review(1, 2)
    others: Sections = {
        "policy": {"rules": [{"name": "m", "when": "enrichment.mobile == '1'", "then": "process", "because": "M."}]},
        "update": {"phone1": "postcode"},
    }
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1, score=0.4)
    run(runs, asking("on_data", others))
    assert [decisions(runs, lead_id) for lead_id in ("1", "2")] == [2, 1]
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(2, score=0.3, mobile="1")
    run(runs, asking("on_data", others))
    assert runs.pipeline.states() == {"1": State.REVIEW, "2": State.PROCESSED}


@pytest.mark.parametrize(
    "sections", [asking("never", FAIR), asking("on_change", {**FAIR, "delivery": {"observe": True}})]
)
def test_never_is_never_and_nothing_is_taken_from_people_while_observing(runs: Runs, sections: Sections) -> None:
    """Neither data nor rules move a lead then."""
    runs.review(1)
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1, score=0.9)
    run(runs, sections)
    assert (runs.pipeline.states(), decisions(runs, "1")) == ({"1": State.REVIEW}, 1)


def test_rows_that_are_away_for_a_while_change_nothing(runs: Runs) -> None:
    """A table that is emptied and filled anew says nothing of its leads, nor one of leads that lacks some."""
    runs.review(1, 2)
    for table in ("enrichment", "leads"):
        kept = [dict(row) for row in _rows(runs, table)]
        runs.pipeline.run_sql(f"DELETE FROM {table}")  # noqa: S608
        runs.pipeline.clock.advance(minutes=1)
        runs.run()
        assert runs.pipeline.states() == {"1": State.REVIEW, "2": State.REVIEW}
        for row in kept:
            columns = ", ".join(f":{name}" for name in row)
            runs.pipeline.run_sql(f"INSERT INTO {table} VALUES ({columns})", **row)  # noqa: S608
    runs.run()
    assert [decisions(runs, lead_id) for lead_id in ("1", "2")] == [1, 1]


def _rows(runs: Runs, table: str) -> list[Any]:
    with runs.pipeline.owner.connect() as connection:
        return list(connection.execute(text(f"SELECT * FROM {table}")).mappings())  # noqa: S608


def test_a_lead_whose_row_had_left_is_decided_when_it_is_back(runs: Runs) -> None:
    """With `left: review` a person is asked about it meanwhile."""
    sections: Sections = {"source": {"leads": LEADS | {"left": "review"}}}
    runs.pipeline.arrive(99)
    runs.pipeline.quarantine(1, 2)
    runs.run(sections=sections)
    runs.pipeline.run_sql("DELETE FROM leads WHERE id = 1")
    runs.run(sections=sections)
    runs.pipeline.clock.advance(minutes=11)
    runs.run(sections=sections)
    assert runs.pipeline.states() == {"1": State.REVIEW, "2": State.WAITING}
    runs.pipeline.quarantine(1)
    runs.run(sections=sections)
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1)
    runs.run(sections=sections)
    assert runs.pipeline.states()["1"] is State.PROCESSED


@pytest.mark.parametrize(("what", "state"), [("keep", State.PROCESSED), ("withdraw", State.REVIEW)])
def test_a_lead_without_a_row_is_decided_by_new_data_only_if_it_is_kept(runs: Runs, what: str, state: State) -> None:
    """With `left: keep` the row of the lead may be gone for good; otherwise nobody knows what its absence means."""
    sections: Sections = {"source": {"leads": LEADS | {"left": what}}}
    runs.pipeline.quarantine(1, 2)
    runs.pipeline.arrive(1, score=0.3)
    runs.run(sections=sections)
    runs.pipeline.run_sql("DELETE FROM leads WHERE id = 1")
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1, score=0.9)
    runs.run(sections=sections)
    assert runs.pipeline.states()["1"] is state


def test_a_parked_lead_is_decided_anew_when_its_data_changes(runs: Runs) -> None:
    """With all its attempts; a stamp alone frees it from nothing."""
    runs.sandbox.faults.change({"poison": ["1"]})
    runs.pipeline.complete(1)
    runs.run(sections={"delivery": {"attempts": 1, "mode": "update_first"}})
    assert runs.pipeline.states() == {"1": State.FAILED}
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1)
    runs.run()
    assert runs.pipeline.states() == {"1": State.FAILED}
    runs.sandbox.faults.change({"poison": ["nobody"]})
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1, postcode="N1 9GU")
    runs.run()
    assert runs.acted() == {"1": ["process"]}


def test_what_a_person_or_the_cap_or_doubt_sent_there_is_left(runs: Runs) -> None:
    """Whatever its data or the rules become, by itself and by `again`, which names each."""
    reject: Sections = {
        "policy": {"rules": [{"name": "r", "when": "enrichment.score < 0.2", "then": "reject", "because": "R."}]},
        "safety": {"budgets": {"reject": "0/hour"}},
        "delivery": {"mode": "combined", "unknown": "review"},
    }
    for lead_id, score in ((1, 0.1), (2, 0.9), (3, 0.3)):
        runs.pipeline.quarantine(lead_id)
        runs.pipeline.arrive(lead_id, score=score)
    runs.run(sections=reject)
    assert set(runs.pipeline.states().values()) == {State.REVIEW}
    runs.resolve(2)
    runs.sandbox.faults.change({"drop-before": 1})
    runs.run(sections=reject)
    runs.pipeline.clock.advance(minutes=1)
    for lead_id in (1, 2, 3):
        runs.pipeline.arrive(lead_id, score=0.9)
    assert runs.pipeline.look(**asking("on_change", reject)).again == 1
    assert runs.pipeline.states() == {"1": State.REVIEW, "2": State.REVIEW, "3": State.READY}
    found = runs.resolve(1, 2, 3, verdict="again")
    assert found.ids == []
    assert found.refused["1"].startswith("is in review since rules had rejected too many leads: say process or reject")
    assert "`leadgate review settle 2 --was processed | rejected | not-taken`" in found.refused["2"]
    assert found.refused["3"] == "is not in review: it is ready"


def test_again_has_the_rules_of_today_decide(runs: Runs) -> None:
    """By id, by rule, or all; the story has who asked, and each is acted on once."""
    runs.review(1, 2, 3)
    assert runs.resolve(1, verdict="again", reason="").ids == ["1"]
    assert runs.resolve(chosen=Chosen(rule="otherwise", count=2), verdict=Resolution.AGAIN).ids == ["2", "3"]
    assert set(runs.pipeline.states().values()) == {State.WAITING}
    run(runs, FAIR)
    run(runs, FAIR)
    assert runs.acted() == {"1": ["process"], "2": ["process"], "3": ["process"]}
    told = runs.story("1")
    assert "ann asked for a new decision\n" in told
    assert "decided process by rule 'fair'" in told


@pytest.mark.parametrize(("what", "count"), [("never", 0), ("on_data", 0), ("on_change", 2)])
def test_reviews_follow_other_rules_alone(runs: Runs, what: str, count: int) -> None:
    """Those of today's rules stay where they are; how many went is counted in the summary."""
    runs.review(1, 2)
    assert runs.pipeline.again(**asking(what)).follow_rules() == 0
    assert runs.pipeline.again(**asking(what, FAIR)).follow_rules() == count


def test_a_change_of_the_leads_own_row_is_seen(runs: Runs) -> None:
    """By the columns that rules read, as with the enrichment's."""
    runs.pipeline.run_sql("ALTER TABLE leads ADD COLUMN campaign TEXT DEFAULT NULL")
    runs.pipeline.reopen_source()
    solar: Sections = {
        "policy": {"rules": [{"name": "s", "when": "lead.campaign == 'solar'", "then": "process", "because": "S."}]}
    }
    runs.pipeline.run_sql("INSERT INTO leads VALUES (1, '2026-03-01 12:00:00', 'wind')")
    runs.pipeline.arrive(1, score=0.3)
    runs.run(sections=solar)
    runs.run(sections=solar)
    assert (runs.pipeline.states(), decisions(runs, "1")) == ({"1": State.REVIEW}, 1)
    runs.pipeline.run_sql("UPDATE leads SET campaign = 'solar'")
    runs.run(sections=solar)
    assert runs.acted() == {"1": ["process"]}
