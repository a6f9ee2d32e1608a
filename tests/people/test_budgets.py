"""Budgets over many runs: what is beyond them waits or goes to a person, and what a person decides goes at once."""

from collections import Counter
from datetime import timedelta

import pytest

from leadgate.ledger.budgets import read_backlog
from leadgate.model import State
from tests.people.runs import Runs, Sections

THREE: Sections = {"safety": {"budgets": {"process": "3/hour"}}}


def good(runs: Runs, *ids: int) -> None:
    """Leads that the rules process."""
    runs.pipeline.quarantine(*ids)
    for lead_id in ids:
        runs.pipeline.arrive(lead_id, score=0.9)


def processed(runs: Runs) -> list[str]:
    """The leads that LeadByte has processed, in the order in which they came."""
    return list(runs.acted())


def test_process_waits_for_room_and_keeps_its_turn(runs: Runs) -> None:
    """Nothing is sent of those that wait; whoever comes later goes behind them, whoever has room goes at once."""
    good(runs, *range(1, 9))
    runs.run(sections=THREE)
    assert processed(runs) == ["1", "2", "3"]
    assert len(runs.sandbox.requests) == 2
    backlog = read_backlog(runs.pipeline.ledger)
    hour = runs.pipeline.clock() + timedelta(hours=1)
    assert (backlog.leads, backlog.first_at) == (5, hour)
    due = [runs.pipeline.entry(str(lead_id))["due_at"] for lead_id in range(4, 9)]
    assert due == [hour + number * timedelta(minutes=20) for number in range(5)]
    told = runs.story("4")
    assert (
        "not acted on: It waits, since safety.budgets.process, 3/hour, is used up. Otherwise it would be proc" in told
    )
    runs.pipeline.clock.advance(minutes=59)
    good(runs, 9)
    runs.run(sections=THREE)
    assert len(processed(runs)) == 3
    assert read_backlog(runs.pipeline.ledger).leads == 6
    runs.pipeline.clock.advance(minutes=1)
    good(runs, 10)
    runs.run(sections=THREE)
    assert processed(runs)[3:] == ["4", "5", "6"]
    runs.pipeline.clock.advance(hours=1)
    runs.run(sections=THREE)
    assert processed(runs)[6:] == ["7", "8", "9"]
    runs.pipeline.clock.advance(hours=1)
    runs.run(sections=THREE)
    assert processed(runs)[9:] == ["10"]
    assert read_backlog(runs.pipeline.ledger).leads == 0


@pytest.mark.parametrize(("then", "count"), [("none", 8), ("6/hour", 6), ("3/10m", 3)])
def test_a_larger_budget_holds_from_the_next_run_on(runs: Runs, then: str, count: int) -> None:
    """Those that have waited are called up, in their turn."""
    good(runs, *range(1, 9))
    runs.run(sections=THREE)
    runs.run(sections={"safety": {"budgets": {"process": then}}})
    assert processed(runs) == [str(number) for number in range(1, count + 1)]


def test_every_budget_of_a_list_holds(runs: Runs) -> None:
    """The one with the least room lets through."""
    both: Sections = {"safety": {"budgets": {"process": ["2/hour", "3/day"]}}}
    good(runs, *range(1, 6))
    counts = []
    for _ in range(3):
        runs.run(sections=both)
        counts.append(len(processed(runs)))
        runs.pipeline.clock.advance(hours=1)
    assert counts == [2, 3, 3]
    runs.pipeline.clock.advance(hours=21)
    runs.run(sections=both)
    assert len(processed(runs)) == 5


def test_rejects_are_counted_over_runs(runs: Runs) -> None:
    """Beyond the budget they go to a person, who sees why; when there is room again rules reject again."""
    two: Sections = {
        "policy": {"rules": [{"name": "r", "when": "enrichment.score < 0.2", "then": "reject", "because": "R."}]},
        "safety": {"budgets": {"reject": "2/hour"}},
    }
    for number, minutes in enumerate((0, 30, 29, 1), 1):
        runs.pipeline.clock.advance(minutes=minutes)
        runs.pipeline.quarantine(number)
        runs.pipeline.arrive(number, score=0.1)
        runs.run(sections=two)
    assert runs.pipeline.states() == {
        "1": State.REJECTED,
        "2": State.REJECTED,
        "3": State.REVIEW,
        "4": State.REJECTED,
    }
    assert "R. (For a person: safety.budgets.reject, 2/hour, is used up.)" in runs.story("3")


def test_what_a_person_decides_counts_and_is_not_stopped(runs: Runs) -> None:
    """Four of one hour are more than the budget: a person may, and rules wait for it."""
    runs.review(1, 2, 3, 4)
    runs.resolve(1, 2, 3, 4)
    runs.run(sections=THREE)
    assert len(processed(runs)) == 4
    good(runs, 5)
    runs.run(sections=THREE)
    assert runs.pipeline.states()["5"] is State.READY
    assert read_backlog(runs.pipeline.ledger).leads == 1
    runs.pipeline.clock.advance(hours=1)
    runs.run(sections=THREE)
    assert processed(runs)[-1] == "5"


def test_an_act_in_doubt_takes_room_until_a_person_says_that_it_was_not_taken(runs: Runs) -> None:
    """Then the next one has it."""
    one: Sections = {"safety": {"budgets": {"process": "1/day"}}, "delivery": {"unknown": "review"}}
    good(runs, 1)
    runs.sandbox.faults.change({"drop-before": 1})
    runs.run(sections=one)
    assert runs.pipeline.states() == {"1": State.REVIEW}
    good(runs, 2)
    runs.run(sections=one)
    assert processed(runs) == []
    runs.pipeline.clock.advance(hours=3)
    assert runs.resolve(1, verdict="not-taken").ids == ["1"]
    runs.run(sections=one)
    assert len(processed(runs)) == 1
    assert Counter(runs.pipeline.states().values())[State.PROCESSED] == 1


def test_a_lead_that_a_person_decided_does_not_wait_for_a_budget(runs: Runs) -> None:
    """Rules had rejected too many; what the person says goes with the next run, and is not counted as put off."""
    runs.review(1)
    good(runs, *range(2, 6))
    runs.run(sections=THREE)
    assert read_backlog(runs.pipeline.ledger).leads == 1
    rejects: Sections = {
        "policy": {"rules": [{"name": "no", "when": "true", "then": "reject", "because": "No."}]},
        "safety": {"budgets": {"reject": "0/hour"}},
    }
    good(runs, 6)
    runs.run(sections=rejects)
    assert runs.pipeline.states()["6"] is State.REVIEW
    before = read_backlog(runs.pipeline.ledger).leads
    runs.resolve(6)
    assert read_backlog(runs.pipeline.ledger).leads == before
