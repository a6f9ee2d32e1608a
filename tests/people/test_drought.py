"""Once no lead is complete any more, late leads are not rejected by rules: it looks like a fault of the enrichment."""

import pytest

from leadgate.model import MANY_LATE, State
from tests.people.runs import Runs

SINCE = "No lead has been complete since 2026-03-01 12:00 UTC"


def begin(runs: Runs) -> None:
    """One lead is complete; from then on the postcode has another name upstream."""
    runs.pipeline.complete(1)
    runs.run()


def incomplete(runs: Runs, *ids: int) -> None:
    """Let leads wait whose enrichment has come without a postcode."""
    runs.pipeline.quarantine(*ids)
    for lead_id in ids:
        runs.pipeline.arrive(lead_id, postcode=None, score=None)
    runs.run()


def late(runs: Runs, *ids: int) -> None:
    """Let such leads be late."""
    incomplete(runs, *ids)
    runs.pipeline.clock.advance(hours=25)
    runs.run()


def count(runs: Runs, state: State) -> int:
    """How many leads are there."""
    return sum(each is state for each in runs.pipeline.states().values())


@pytest.mark.parametrize("leads", [MANY_LATE, 30])
def test_many_late_leads_at_once_go_to_a_person(runs: Runs, leads: int) -> None:
    """None is rejected, each says why, and a person's word for all of the rule is one command."""
    begin(runs)
    late(runs, *range(2, leads + 2))
    assert (count(runs, State.REVIEW), count(runs, State.REJECTED)) == (leads, 0)
    entry = runs.pipeline.entry("2")
    assert entry["note"] == (
        f"{SINCE}, and many were late: is the enrichment as the file says? Else: No enrichment within the deadline."
    )


def test_those_that_trickle_in_are_counted_together(runs: Runs) -> None:
    """A run each day finds three: nine are rejected, and no more until a lead is complete."""
    begin(runs)
    for day in range(5):
        late(runs, *range(10 + 3 * day, 13 + 3 * day))
    assert (count(runs, State.REJECTED), count(runs, State.REVIEW)) == (MANY_LATE - 1, 6)
    runs.pipeline.complete(2)
    runs.run()
    late(runs, 40, 41, 42)
    assert (count(runs, State.REJECTED), count(runs, State.REVIEW)) == (MANY_LATE + 2, 6)


def test_few_are_rejected_as_ever(runs: Runs) -> None:
    """They are no sign of anything."""
    begin(runs)
    late(runs, *range(2, MANY_LATE + 1))
    assert (count(runs, State.REJECTED), count(runs, State.REVIEW)) == (MANY_LATE - 1, 0)


def test_where_no_lead_was_ever_complete_the_rules_decide(runs: Runs) -> None:
    """Nothing has changed there."""
    late(runs, *range(2, 22))
    assert (count(runs, State.REJECTED), count(runs, State.REVIEW)) == (20, 0)


@pytest.mark.parametrize("how", ["in the wave", "an hour before"])
def test_a_complete_lead_lets_the_rules_go_on(runs: Runs, how: str) -> None:
    """Among those that are decided, or decided within the deadline."""
    begin(runs)
    incomplete(runs, *range(2, 22))
    runs.pipeline.clock.advance(hours=23)
    runs.pipeline.quarantine(99)
    if how == "an hour before":
        runs.pipeline.arrive(99)
        runs.run()
    runs.pipeline.clock.advance(hours=2)
    runs.pipeline.arrive(99)
    runs.run()
    assert (count(runs, State.REJECTED), count(runs, State.REVIEW), count(runs, State.PROCESSED)) == (20, 0, 2)


def test_the_longest_deadline_counts(runs: Runs) -> None:
    """Till then the next complete lead may still come."""
    begin(runs)
    incomplete(runs, *range(2, 22))
    runs.pipeline.clock.advance(hours=25)
    runs.run(sections={"wait": {"deadlines": [{"when": "enrichment.score > 2.0", "after": "3d"}]}})
    assert count(runs, State.REJECTED) == 20


def test_what_comes_after_all_is_decided_by_the_rules(runs: Runs) -> None:
    """The name was put right, and the leads in review get their postcode."""
    begin(runs)
    late(runs, *range(2, 14))
    runs.pipeline.clock.advance(minutes=1)
    for lead_id in range(2, 14):
        runs.pipeline.arrive(lead_id)
    runs.run()
    assert (count(runs, State.PROCESSED), count(runs, State.REVIEW)) == (13, 0)


def test_a_person_may_reject_them(runs: Runs) -> None:
    """They were late indeed."""
    begin(runs)
    late(runs, *range(2, 14))
    runs.resolve(*range(2, 14), verdict="reject")
    runs.run()
    assert count(runs, State.REJECTED) == 12


def test_what_is_observed_is_what_the_rules_say(runs: Runs) -> None:
    """Nothing is acted on then anyway."""
    begin(runs)
    incomplete(runs, *range(2, 14))
    runs.pipeline.clock.advance(hours=25)
    runs.run(sections={"delivery": {"observe": True}})
    assert count(runs, State.REJECTED) == 0
    assert "observed, nothing was sent: decided reject by rule 'never-enriched'" in runs.story("2")
