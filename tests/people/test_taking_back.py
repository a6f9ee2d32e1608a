"""What a person decided can be taken back until a run has sent it; the lead is in review again."""

from datetime import timedelta
from functools import partial

import pytest

from leadgate.errors import ConfigError
from leadgate.ledger import Ledger
from leadgate.ledger.past_decisions import read_decided
from leadgate.ledger.pauses import end_pause, keep_pause
from leadgate.ledger.reviews import count_meant, read_overridden, read_reviews
from leadgate.model import Chosen, Resolution, SentBy, State
from tests.ledger.together import together
from tests.people.runs import Runs


@pytest.mark.parametrize("verdict", ["process", "reject", "wait", "again"])
def test_what_was_taken_back_is_not_sent_and_can_be_decided_anew(runs: Runs, verdict: str) -> None:
    """The lead is with people for the reason for which it came to them; both words are told afterwards."""
    runs.review(1)
    [before] = read_reviews(runs.pipeline.ledger)
    runs.resolve(1, verdict=verdict)
    assert runs.resolve(1, verdict="undo", reason="").ids == ["1"]
    runs.run()
    assert read_reviews(runs.pipeline.ledger) == [before]
    assert runs.acted() == {}
    runs.resolve(1, verdict="reject", reason="A slip before.")
    runs.run()
    assert runs.acted() == {"1": ["reject"]}
    assert "ann took that back, before it was processed or rejected\n" in runs.story("1")


def test_a_decision_that_a_pause_holds_back_can_be_taken_back(runs: Runs) -> None:
    """A run has put it off, and sent nothing."""
    runs.review(1)
    runs.resolve(1)
    keep_pause(runs.pipeline.ledger, by="ann", reason="the wrong file", now=runs.pipeline.clock())
    runs.run()
    assert runs.resolve(1, verdict="undo").ids == ["1"]
    end_pause(runs.pipeline.ledger, now=runs.pipeline.clock())
    runs.run()
    assert (runs.acted(), runs.pipeline.states()) == ({}, {"1": State.REVIEW})
    [review] = read_reviews(runs.pipeline.ledger, rule="otherwise")
    assert (review.sent_by, review.reason) == (SentBy.RULE, "No rule matched.")


def test_a_run_that_holds_the_lead_sends_it_no_more(runs: Runs) -> None:
    """It was claimed and decided; nothing had been sent."""
    runs.review(1)
    runs.resolve(1)
    runs.run(between=lambda: runs.resolve(1, verdict="undo"))
    assert (runs.acted(), runs.pipeline.states()) == ({}, {"1": State.REVIEW})


def test_of_a_run_and_a_person_one_wins(runs: Runs, rival: Ledger) -> None:
    """Each lead is sent, or with people again; never both."""
    ids = range(1, 21)
    runs.review(*ids)
    runs.resolve(*ids)
    undone: list[str] = []
    together(partial(runs.run, ledger=rival), lambda: undone.extend(runs.resolve(*ids, verdict="undo", reason="").ids))
    assert set(runs.acted()).isdisjoint(undone)
    assert set(runs.acted()) | set(undone) == {str(lead_id) for lead_id in ids}
    assert {runs.pipeline.states()[lead_id] for lead_id in undone} <= {State.REVIEW}


def test_what_was_sent_cannot_be_taken_back(runs: Runs) -> None:
    """Nor can what nobody decided, nor a second time; the message says where the lead is."""
    runs.review(1, 2, 3)
    runs.resolve(1)
    runs.run()
    runs.resolve(2)
    runs.resolve(2, verdict="undo")
    assert runs.resolve(1, 2, 3, verdict="undo").refused == {
        "1": "has nothing to take back: it is processed",
        "2": "has nothing to take back: it is in review",
        "3": "has nothing to take back: it is in review",
    }


def test_a_wait_that_is_over_cannot_be_taken_back(runs: Runs) -> None:
    """The rules have decided since."""
    runs.review(1)
    runs.resolve(1, verdict="wait")
    runs.pipeline.arrive(1, score=0.9)
    runs.sandbox.faults.change({"429": 1})
    runs.run()
    assert runs.pipeline.states() == {"1": State.READY}
    assert runs.resolve(1, verdict="undo").refused == {"1": "has nothing to take back: it is ready"}


def test_all_that_a_rule_sent_is_taken_back_at_once(runs: Runs) -> None:
    """By their count, as it was decided."""
    runs.review(1, 2, 3)
    runs.resolve(1, 2)
    ledger = runs.pipeline.ledger
    assert [count_meant(ledger, Resolution.UNDO, rule) for rule in (None, "otherwise", "good")] == [2, 2, 0]
    with pytest.raises(ConfigError, match="2 leads are meant now by otherwise, not 3"):
        runs.resolve(verdict="undo", chosen=Chosen(rule="otherwise", count=3))
    assert runs.resolve(verdict="undo", chosen=Chosen(rule="otherwise", count=2)).ids == ["1", "2"]
    assert {review.sent_by for review in read_reviews(ledger)} == {SentBy.RULE}


def test_what_was_taken_back_teaches_nothing(runs: Runs) -> None:
    """Neither `review examples` nor `backtest` takes it for what a person wanted."""
    runs.review(1, 2)
    runs.resolve(1, 2)
    runs.resolve(1, verdict="undo")
    since = runs.pipeline.clock() - timedelta(days=1)
    assert [each.lead_id for each in read_overridden(runs.pipeline.ledger, limit=9)] == ["2"]
    [page] = read_decided(runs.pipeline.ledger, since)
    assert {lead.lead_id: lead.override for lead in page} == {"1": None, "2": "process"}
