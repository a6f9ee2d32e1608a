"""While a pipeline is paused nothing is processed or rejected, in runs that are under way too, and nothing is lost."""

import pytest

from leadgate.ledger import Ledger
from leadgate.ledger.pauses import end_pause, keep_pause, read_pause
from leadgate.model import State
from leadgate.plan import plan_run
from tests.people.runs import Runs, Sections


def pause(runs: Runs, by: str = "ann") -> None:
    """Stop everything."""
    keep_pause(runs.pipeline.ledger, by=by, reason="Wrong rules.", now=runs.pipeline.clock())


def resume(runs: Runs) -> int:
    """Go on; tell how many leads were put off."""
    ended = end_pause(runs.pipeline.ledger, now=runs.pipeline.clock())
    return ended.leads if ended else -1


@pytest.mark.parametrize(("mode", "first"), [("combined", []), ("separate", ["1", "2"]), ("update_first", ["1", "2"])])
def test_updates_go_on_and_acts_wait_for_the_end(runs: Runs, mode: str, first: list[str]) -> None:
    """Of leads a rule processes, and of those a person has decided; afterwards each is acted on once.

    Where an update goes before each act, it goes then too, though LeadByte has taken the same before.
    """
    delivery: Sections = {"delivery": {"mode": mode}}
    runs.review(1)
    runs.resolve(1, verdict="reject")
    pause(runs)
    runs.pipeline.complete(2)
    runs.run(sections=delivery)
    runs.run(sections=delivery)
    assert (runs.acted(), runs.updates()) == ({}, ["1", "2"])
    assert runs.pipeline.states() == {"1": State.READY, "2": State.READY}
    assert resume(runs) == 2
    runs.run(sections=delivery)
    assert runs.acted() == {"1": ["reject"], "2": ["process"]}
    assert runs.updates() == ["1", "2", *first]


@pytest.mark.parametrize("mode", ["combined", "separate", "update_first"])
def test_a_run_under_way_sends_no_act_more(runs: Runs, mode: str) -> None:
    """The wave was decided before the pause; its acts are not sent, its updates are."""
    delivery: Sections = {"delivery": {"mode": mode}}
    runs.pipeline.complete(1, 2, 3)
    runs.run(between=lambda: pause(runs), sections=delivery)
    assert runs.acted() == {}
    assert sorted(runs.updates()) == ["1", "2", "3"]
    assert set(runs.pipeline.states().values()) == {State.READY}
    assert resume(runs) == 3
    runs.run(sections=delivery)
    assert runs.acted() == {lead_id: ["process"] for lead_id in "123"}


def test_a_long_pause_sends_nothing_again(runs: Runs) -> None:
    """Leads are decided now and then, in case their data has changed."""
    pause(runs)
    runs.pipeline.complete(1)
    for _ in range(3):
        runs.run()
        runs.pipeline.clock.advance(hours=2)
    assert (runs.acted(), runs.updates()) == ({}, ["1"])
    runs.pipeline.arrive(1, mobile="07700 900456")
    runs.run()
    assert runs.updates() == ["1", "1"]


def test_the_pause_holds_for_its_pipeline_alone(runs: Runs) -> None:
    """Pipelines that share a ledger do not see each other."""
    other = Ledger(runs.pipeline.ledger.engine, pipeline="other", owner="run-1")
    keep_pause(other, by="ann", reason="", now=runs.pipeline.clock())
    runs.pipeline.complete(1)
    runs.run()
    assert runs.acted() == {"1": ["process"]}


def test_who_pauses_first_is_told_of(runs: Runs) -> None:
    """A second pause changes nothing; its end is the end of both."""
    pause(runs)
    began = runs.pipeline.clock()
    runs.pipeline.clock.advance(hours=1)
    pause(runs, by="bob")
    found = read_pause(runs.pipeline.ledger)
    assert found
    assert (found.paused_by, found.paused_at, found.reason) == ("ann", began, "Wrong rules.")
    assert str(found) == "paused since 2026-03-01 12:00:00Z by ann: Wrong rules."
    assert (resume(runs), resume(runs)) == (0, -1)
    assert read_pause(runs.pipeline.ledger) is None


def test_holds_of_rules_outlast_the_pause(runs: Runs) -> None:
    """Only what the pause itself has put off is due when it ends."""
    pause(runs)
    runs.pipeline.quarantine(1)
    runs.pipeline.arrive(1, score=-1.0)
    runs.run()
    assert (runs.pipeline.states(), resume(runs)) == ({"1": State.WAITING}, 0)


def test_the_story_and_the_plan_tell_of_the_pause(runs: Runs) -> None:
    """By whom, why, and what would happen otherwise."""
    pause(runs)
    runs.pipeline.complete(1)
    parts = runs.pipeline.config(), runs.pipeline.source, runs.pipeline.ledger, runs.pipeline.policy()
    (planned,) = plan_run(*parts, now=runs.pipeline.clock()).leads
    assert (planned.verdict, planned.rule, planned.route) == ("hold", "good", "update")
    assert planned.decider == "good, while paused"
    runs.run()
    why = (
        "The pipeline has been paused since 2026-03-01 12:00:00Z by ann: Wrong rules. "
        "Without the pause it would be process: A good score."
    )
    assert f"not acted on: {why}" in runs.story("1").splitlines()


def test_the_story_says_that_a_person_s_word_waits_for_the_end_of_the_pause(runs: Runs) -> None:
    """It holds, and is not what the rules would do."""
    runs.review(1)
    runs.resolve(1, verdict="reject")
    pause(runs)
    runs.run()
    assert "by ann: Wrong rules. ann decided reject: I called them." in runs.story("1")
