"""What a person found in LeadByte settles an act in doubt, or frees its lead; a parked lead can be given up."""

from datetime import timedelta

import pytest

from leadgate.ledger.status import read_status
from leadgate.ledger.unknown import find_controls
from leadgate.model import Action, Chosen, State
from tests.people.runs import Runs, Sections

PROVEN_AFTER = timedelta(minutes=65)
DOUBTFUL: Sections = {"delivery": {"mode": "combined", "unknown": "review"}}
PROBING: Sections = {"delivery": {"mode": "combined"}}


def lose(runs: Runs, lead_id: int, sections: Sections = DOUBTFUL, *, switch: str = "drop-before") -> None:
    """Let nobody know what became of the act on a lead."""
    runs.pipeline.complete(lead_id)
    runs.sandbox.faults.change({switch: 1})
    runs.run(sections=sections)


@pytest.mark.parametrize("sections", [DOUBTFUL, PROBING], ids=["review", "unknown"])
@pytest.mark.parametrize(("action", "state"), [("process", State.PROCESSED), ("reject", State.REJECTED)])
def test_what_a_person_found_settles_the_lead(runs: Runs, action: str, state: State, sections: Sections) -> None:
    """At once, also one that runs still look into; it counts as inferred, is no control, and is never sent again."""
    was = f"was-{state.value}"
    rule = {"name": "any", "when": "enrichment.score > 0.0", "then": action, "because": "Any."}
    sections = {**sections, "policy": {"rules": [rule]}}
    lose(runs, 1, sections, switch="drop-after")
    assert runs.resolve(1, verdict=was, reason="", proven_after=PROVEN_AFTER).ids == ["1"]
    assert runs.pipeline.states() == {"1": state}
    entry = runs.pipeline.entry("1")
    assert (entry["inferred"], entry["doubt_since"], entry["lease_owner"]) == (True, None, None)
    assert read_status(runs.pipeline.ledger).inferred == 1
    assert find_controls(runs.pipeline.ledger, Action(action), since=runs.pipeline.clock()) == []
    runs.pipeline.clock.advance(hours=3)
    runs.run(sections=sections)
    assert runs.acted() == {"1": [action]}
    told = runs.story("1")
    assert f"ann found in LeadByte that it was {state.value}\n" in told
    assert told.endswith("No answer says so: a person does.")


@pytest.mark.parametrize("sections", [DOUBTFUL, PROBING], ids=["review", "unknown"])
def test_not_taken_is_heard_when_the_act_is_old_enough_and_frees_one_act(runs: Runs, sections: Sections) -> None:
    """Before, the lead may still be in LeadByte's queue."""
    lose(runs, 1, sections)
    runs.pipeline.clock.advance(minutes=64, seconds=59)
    early = runs.resolve(1, verdict="not-taken", proven_after=PROVEN_AFTER)
    assert early.ids == []
    assert early.refused == {
        "1": "its process was sent at 2026-03-01 12:00:00Z and may still be in LeadByte's queue: look the lead up in "
        "LeadByte again after 2026-03-01 13:05:00Z, and say then that it is still in quarantine"
    }
    runs.pipeline.clock.advance(seconds=1)
    assert runs.resolve(1, verdict="not-taken", proven_after=PROVEN_AFTER).ids == ["1"]
    assert runs.pipeline.states() == {"1": State.READY}
    runs.run(sections=sections)
    runs.run(sections=sections)
    assert runs.acted() == {"1": ["process"]}


def test_what_a_person_had_decided_stands_when_its_act_was_not_taken(runs: Runs) -> None:
    """Not what the rules say."""
    runs.review(1)
    runs.resolve(1, verdict="reject")
    runs.sandbox.faults.change({"drop-before": 1})
    runs.run(sections=DOUBTFUL)
    runs.pipeline.clock.advance(hours=2)
    assert runs.resolve(1, verdict="not-taken", proven_after=PROVEN_AFTER).ids == ["1"]
    runs.run(sections=DOUBTFUL)
    assert runs.acted() == {"1": ["reject"]}


@pytest.mark.parametrize("was", ["was-processed", "was-rejected", "not-taken"])
def test_only_what_is_in_doubt_can_be_settled(runs: Runs, was: str) -> None:
    """Of a lead that is acted on, or only in review, nobody is in doubt."""
    runs.review(1)
    runs.pipeline.complete(2)
    runs.run()
    found = runs.resolve(1, 2, verdict=was)
    assert found.ids == []
    assert found.refused == {"1": "is not in doubt: it is in review", "2": "is not in doubt: it is processed"}
    assert runs.pipeline.states() == {"1": State.REVIEW, "2": State.PROCESSED}


def test_all_in_doubt_are_settled_by_their_count(runs: Runs) -> None:
    """Leads that are only in review are none of them."""
    lose(runs, 1, switch="drop-after")
    runs.review(2)
    assert runs.resolve(chosen=Chosen(count=1), verdict="was-processed").ids == ["1"]
    assert runs.pipeline.states() == {"1": State.PROCESSED, "2": State.REVIEW}


def test_a_parked_lead_is_given_up_for_good(runs: Runs) -> None:
    """Nothing brings it back: neither a retry, nor other data; what is not parked is named."""
    runs.sandbox.faults.change({"poison": ["1"]})
    runs.pipeline.complete(1)
    runs.run(sections={"delivery": {"attempts": 1, "mode": "update_first"}})
    runs.sandbox.faults.change({"poison": ["nobody"]})
    runs.review(2)
    found = runs.resolve(1, 2, verdict="discard", reason="Ours.")
    instead = "is in review, not parked: `leadgate review reject 2 --reason TEXT` ends it"
    assert (found.ids, found.refused) == (["1"], {"2": instead})
    assert runs.pipeline.states()["1"] is State.DISCARDED
    runs.pipeline.clock.advance(minutes=1)
    runs.pipeline.arrive(1, postcode="N1 9GU")
    runs.run()
    assert runs.acted() == {}
    assert "ann gave it up: Ours." in runs.story("1")
