"""A person's decision is recorded, sent once by the ordinary way, and can be read later."""

import re
from datetime import timedelta
from functools import partial

import pytest

from leadgate.errors import ConfigError
from leadgate.ledger import Ledger, people
from leadgate.ledger.reviews import count_overdue, count_reviews, read_overridden, read_reviews
from leadgate.ledger.schema import overrides
from leadgate.model import Chosen, Resolution, State
from tests.ledger.together import together
from tests.people.runs import HOLD_FOR, Runs, Sections

ACTED = {"process": State.PROCESSED, "reject": State.REJECTED}


@pytest.mark.parametrize("verdict", ACTED)
def test_what_a_person_decides_is_sent_by_the_next_run_once(runs: Runs, verdict: str) -> None:
    """The update went when the lead came to the person, and is not sent again."""
    runs.review(1)
    assert runs.resolve(1, verdict=verdict).ids == ["1"]
    assert runs.pipeline.states() == {"1": State.READY}
    assert runs.acted() == {}
    runs.run()
    runs.run()
    assert runs.acted() == {"1": [verdict]}
    assert runs.updates() == ["1"]
    assert runs.pipeline.states() == {"1": ACTED[verdict]}


def test_an_update_that_leadbyte_does_not_have_goes_with_the_act(runs: Runs) -> None:
    """What has arrived since the review began is written too."""
    runs.review(1)
    runs.pipeline.arrive(1, score=0.3, postcode="AB1 2CD")
    runs.resolve(1)
    runs.run()
    last = runs.sandbox.requests[-1].asked[0]
    assert (last.action, last.update["postcode"]) == ("process", "AB1 2CD")


def test_a_person_overrides_missing_data_and_the_cap_of_rejects(runs: Runs) -> None:
    """Whoever looked at the lead knows more than its columns; a cap is for rules gone wrong."""
    runs.review(1)
    runs.pipeline.run_sql("DELETE FROM enrichment")
    runs.resolve(1, verdict="reject")
    runs.run(sections={"safety": {"budgets": {"reject": "0/hour"}}})
    assert runs.acted() == {"1": ["reject"]}


def test_a_decision_that_leadbyte_refuses_for_now_still_stands(runs: Runs) -> None:
    """It comes again later as the person said it, and not as the rules would."""
    runs.review(1)
    runs.resolve(1)
    runs.sandbox.faults.change({"429": 1})
    runs.run()
    assert (runs.acted(), runs.pipeline.states()) == ({}, {"1": State.READY})
    runs.pipeline.clock.advance(hours=2)
    runs.run()
    assert runs.acted() == {"1": ["process"]}


def test_one_who_waits_leaves_it_to_the_rules(runs: Runs) -> None:
    """They decide again when the data changes, or after the time of a hold."""
    runs.review(1, 2)
    runs.resolve(1, 2, verdict="wait")
    runs.pipeline.arrive(1, score=0.9)
    runs.run()
    assert runs.pipeline.states() == {"1": State.PROCESSED, "2": State.WAITING}
    runs.pipeline.clock.advance(seconds=HOLD_FOR.total_seconds() + 1)
    runs.run()
    assert runs.pipeline.states()["2"] is State.REVIEW


def test_of_two_people_at_once_the_first_wins(runs: Runs, rival: Ledger) -> None:
    """Each lead follows one of them, and the other is told whom."""
    ids = list(range(1, 21))
    runs.review(*ids)
    process, reject = together(
        partial(runs.resolve, *ids),
        partial(runs.resolve, *reversed(ids), verdict="reject", by="bob", ledger=rival),
    )
    assert sorted(process.ids + reject.ids, key=int) == [str(lead_id) for lead_id in ids]
    assert (set(process.refused), set(reject.refused)) == (set(reject.ids), set(process.ids))
    back = "(`leadgate review undo` takes that back)"
    assert set(process.refused.values()) <= {f"is not in review: it is ready, since bob decided reject {back}"}
    assert set(reject.refused.values()) <= {f"is not in review: it is ready, since ann decided process {back}"}
    runs.run()
    assert runs.acted() == {key: ["process"] for key in process.ids} | {key: ["reject"] for key in reject.ids}


def test_two_runs_that_meet_send_a_decision_once(runs: Runs, rival: Ledger) -> None:
    """The override is claimed like any lead: one run has it, the other does not."""
    runs.review(*range(1, 21))
    runs.resolve(*range(1, 21))
    together(runs.run, partial(runs.run, ledger=rival))
    assert runs.acted() == {str(lead_id): ["process"] for lead_id in range(1, 21)}


def test_a_lead_that_is_not_in_review_is_refused(runs: Runs) -> None:
    """The message says where it is; the others are decided all the same."""
    runs.review(1)
    runs.pipeline.complete(2)
    runs.run()
    found = runs.resolve(1, 2)
    assert found.ids == ["1"]
    assert found.refused == {"2": "is not in review: it is processed"}


def test_an_id_that_nobody_knows_is_a_mistake_and_nothing_is_done(runs: Runs) -> None:
    """It may be the wrong list: some are named, and nobody is decided."""
    runs.review(1)
    with pytest.raises(ConfigError, match=r"'acme': 2, 3, 4, 5, 6 and 4 more\. Nothing was done: correct the ids"):
        runs.resolve(1, *range(2, 11))
    assert runs.pipeline.states() == {"1": State.REVIEW}


@pytest.mark.parametrize("verdict", ["process", "reject", "wait"])
def test_an_act_that_may_have_been_taken_is_not_sent_again_unlooked(runs: Runs, verdict: str) -> None:
    """The person must say that the lead is still in quarantine; every verdict could lead to a second act."""
    runs.pipeline.complete(1)
    runs.sandbox.faults.change({"drop-after": 1})
    runs.run(sections={"delivery": {"mode": "combined", "unknown": "review"}})
    (review,) = read_reviews(runs.pipeline.ledger)
    assert review.act_in_doubt == "process"
    found = runs.resolve(1, verdict=verdict)
    assert (found.ids, runs.pipeline.states()) == ([], {"1": State.REVIEW})
    assert "--still-in-quarantine" in found.refused["1"]
    runs.run()
    assert runs.acted() == {"1": ["process"]}


def lose(runs: Runs, lead_id: int) -> None:
    """Let an act be lost before it comes to anything, and a person be asked about it at once."""
    runs.pipeline.complete(lead_id)
    runs.sandbox.faults.change({"drop-before": 1})
    runs.run(sections={"delivery": {"mode": "combined", "unknown": "review"}})
    assert runs.pipeline.states()[str(lead_id)] is State.REVIEW


def test_one_who_has_looked_may_send_again_what_nobody_answered(runs: Runs) -> None:
    """The lead is no more in doubt, and the act is sent."""
    lose(runs, 1)
    assert runs.resolve(1, still_in_quarantine=True).ids == ["1"]
    runs.pipeline.clock.advance(minutes=2)  # the account's acts rest after one that went alone in vain
    runs.run()
    assert runs.acted() == {"1": ["process"]}


PROVEN_AFTER = timedelta(minutes=65)


@pytest.mark.parametrize("verdict", ["process", "reject", "wait"])
def test_a_person_is_heard_when_the_act_has_left_the_queue_or_was_never_taken(runs: Runs, verdict: str) -> None:
    """Whoever looks before may see a lead that is about to leave: they are told from when on to look."""
    lose(runs, 1)
    runs.pipeline.clock.advance(minutes=64, seconds=59)
    early = runs.resolve(1, verdict=verdict, still_in_quarantine=True, proven_after=PROVEN_AFTER)
    assert early.ids == []
    assert early.refused == {
        "1": "its process was sent at 2026-03-01 12:00:00Z and may still be in LeadByte's queue: look the lead up in "
        "LeadByte again after 2026-03-01 13:05:00Z, and say then that it is still in quarantine"
    }
    unlooked = runs.resolve(1, verdict=verdict, proven_after=PROVEN_AFTER)
    assert unlooked.refused == {
        "1": "its process may have been taken, sent at 2026-03-01 12:00:00Z: look it up in LeadByte, and say what you "
        "find with `leadgate review settle 1 --was processed | rejected | not-taken`, or that it is still in "
        "quarantine after 2026-03-01 13:05:00Z with --still-in-quarantine"
    }
    assert runs.pipeline.states() == {"1": State.REVIEW}
    runs.run()
    assert runs.acted() == {}
    runs.pipeline.clock.advance(seconds=1)
    assert runs.resolve(1, verdict=verdict, still_in_quarantine=True, proven_after=PROVEN_AFTER).ids == ["1"]
    runs.pipeline.clock.advance(seconds=HOLD_FOR.total_seconds() + 1)
    runs.run()
    assert runs.acted() == {"1": ["reject" if verdict == "reject" else "process"]}


def test_what_a_person_said_frees_one_act(runs: Runs) -> None:
    """When that one is lost too, the lead is in doubt anew: the person has to look again."""
    lose(runs, 1)
    runs.resolve(1, still_in_quarantine=True)
    runs.pipeline.clock.advance(minutes=2)
    runs.sandbox.faults.change({"drop-before": 1})
    runs.run(sections={"delivery": {"mode": "combined", "unknown": "review"}})
    assert runs.pipeline.states() == {"1": State.REVIEW}
    assert runs.pipeline.entry("1")["doubt_since"] == runs.pipeline.clock()
    assert runs.resolve(1).ids == []
    assert runs.resolve(1, still_in_quarantine=True, proven_after=PROVEN_AFTER).ids == []


def test_a_decision_whose_answer_is_lost_is_settled_by_a_probe(runs: Runs) -> None:
    """Like any act: it is not sent again blindly."""
    runs.review(1)
    runs.resolve(1)
    runs.sandbox.faults.change({"drop-after": 1})
    runs.run()
    assert runs.pipeline.states() == {"1": State.UNKNOWN}
    runs.pipeline.clock.advance(hours=2)
    runs.run()
    assert runs.acted() == {"1": ["process"]}


def test_the_story_tells_who_decided_what_and_why(runs: Runs) -> None:
    """With the decision that had sent the lead to a person, and the run that took it up."""
    runs.review(1)
    runs.resolve(1)
    assert "due for a decision" in runs.story("1")
    runs.run()
    told = runs.story("1").splitlines()
    said = [line for line in told if "ann" in line]
    assert said[0] == "ann decided process: I called them."
    assert said[1] == "sending process, as ann decided: I called them."
    assert any(line.startswith("decided review by otherwise") for line in told)


@pytest.mark.parametrize("where", ["login jane on box7", "flow run calm-otter", "login a\nb on " + "h" * 200])
def test_what_is_known_of_who_decided_stands_beside_the_name(runs: Runs, where: str) -> None:
    """Anybody can type any name; the story has the name and where it was given, on one line, as long as it may be."""
    runs.review(1)
    name = "c" * people.LONGEST_NAME
    resolved = runs.resolve(1, by=name, where=where)
    assert resolved.ids == ["1"]
    runs.run()
    signed = f"{name} ({where})".replace("\n", r"\n")[:249]
    told = runs.story("1").splitlines()
    assert [line for line in told if signed in line and "decided" in line]


def test_a_reason_in_the_ledger_adds_no_event_to_the_story(runs: Runs) -> None:
    """However it came there: what was kept is shown on one line, without what a terminal obeys."""
    runs.review(1)
    runs.resolve(1)
    with runs.pipeline.ledger.transaction() as connection:
        connection.execute(overrides.update().values(reason="yes\nann decided reject: no\x1b[2J"))
    told = runs.story("1").splitlines()
    assert r"ann decided process: yes\nann decided reject: no\x1b[2J" in told


def test_a_review_knows_since_when_it_is_open(runs: Runs) -> None:
    """The longest open first; those of longer than a time are counted."""
    began = runs.pipeline.clock()
    runs.review(1)
    runs.pipeline.clock.advance(hours=10)
    runs.review(2)
    ledger = runs.pipeline.ledger
    found = read_reviews(ledger)
    assert [(each.lead_id, each.since) for each in found] == [("1", began), ("2", began + timedelta(hours=10))]
    day, later = timedelta(days=1), [began + timedelta(days=1, hours=hours) for hours in (0, 5, 11)]
    assert [count_overdue(ledger, within=day, now=now) for now in later] == [0, 1, 2]
    assert count_overdue(ledger, within=None, now=later[-1]) == 0
    assert [sum(each.leads for each in count_reviews(ledger, before=now - day)) for now in later] == [0, 1, 2]


def test_what_people_said_can_become_examples(runs: Runs) -> None:
    """With the facts of the decision that they were asked about, which the file allows to keep."""
    policy: Sections = {"policy": {"keep_facts": ["score"]}}
    runs.pipeline.quarantine(1)
    runs.pipeline.arrive(1, score=0.3)
    runs.run(sections=policy)
    runs.resolve(1)
    runs.run(sections=policy)
    (found,) = read_overridden(runs.pipeline.ledger, limit=10)
    assert (found.lead_id, found.override.verdict, found.facts) == ("1", "process", {"score": 0.3})


@pytest.mark.parametrize(
    ("reason", "by", "message"),
    [
        (" ", "ann", "--reason"),
        ("why", " ", "--by"),
        ("why", "x" * 101, "--by"),
        ("why\n2026-01-01 00:00:00.000Z  decided process", "ann", "--reason"),
        ("why\u202eyhw", "ann", "--reason"),
        ("why", "ann\x1b[2J", "--by"),
        ("why", "ann\rbob", "--by"),
    ],
)
def test_a_decision_needs_a_reason_and_a_name(runs: Runs, reason: str, by: str, message: str) -> None:
    """It is read by others later."""
    with pytest.raises(ConfigError, match=message):
        people.resolve(
            runs.pipeline.ledger,
            Chosen(["1"]),
            Resolution.PROCESS,
            reason=reason,
            by=by,
            hold_for=HOLD_FOR,
            now=runs.pipeline.clock(),
        )


def test_what_comes_again_and_again_is_told_a_few_times(runs: Runs) -> None:
    """LeadByte takes nothing for hours: the story stays short, and says how often it was tried."""
    runs.sandbox.faults.change({"429": "always"})
    runs.pipeline.complete(1)
    for _ in range(12):
        runs.run()
        runs.pipeline.clock.advance(hours=1)
    lines = runs.story("1").splitlines()
    refused = [line for line in lines if line.startswith("LeadByte refused it, HTTP 429")]
    assert len(refused) < 6
    assert len(lines) < 20
    assert any(re.fullmatch(r"the same \d+ times more, the last one at this time", line) for line in lines)


def test_a_late_lead_is_told_with_what_it_lacks(runs: Runs) -> None:
    """Whoever asks why it was rejected need not ask the source."""
    runs.pipeline.arrive(1, postcode=None)
    runs.pipeline.quarantine(1)
    runs.run()
    runs.pipeline.clock.advance(hours=25)
    runs.run()
    assert "Late: the deadline had passed without postcode." in runs.story("1")
