"""What the ledger says that controls have taught of an account's LeadByte."""

from datetime import timedelta

import pytest

from leadgate.ledger import Ledger, sending
from leadgate.ledger.learned import Learned, read_learned
from leadgate.ledger.unknown import note_control
from leadgate.model import Control, Result
from tests.ledger.steps import NOW, attempt, claim, intend, taken


def settle(ledger: Ledger, *ids: str) -> None:
    """Let leads be acted on, as LeadByte said."""
    for lead_id in ids:
        sent = attempt(claim(ledger, lead_id))
        intend(ledger, sent)
        sending.record(ledger, [taken(sent)], now=NOW)


@pytest.mark.parametrize(
    ("shown", "gone"),
    [
        ([("1", "a"), ("2", "b"), ("3", "c")], True),
        ([("1", "a"), ("2", "b"), ("2", "c")], False),
        ([("1", "a"), ("2", "b"), ("3", "b")], False),
        ([("1", "a"), ("2", "b")], False),
    ],
    ids=["three", "two-controls", "two-runs", "two"],
)
def test_three_controls_of_three_runs_are_needed(ledger: Ledger, shown: list[tuple[str, str]], gone: bool) -> None:
    """However often the same one was asked, or the same run asked; and by their refusals beside updates alone."""
    settle(ledger, "1", "2", "3", "4")
    for number, (lead_id, owner) in enumerate(shown):
        run = Ledger(ledger.engine, pipeline=ledger.pipeline, owner=owner, clock=ledger.clock)
        for result in (Result.REFUSED, Result.IN_DOUBT):
            words = {"request_id": f"{number}-{result}", "message": "with the buyer", "shape": "with the …"}
            note_control(run, Control(lead_id, 1, NOW), result, **words, now=NOW + timedelta(minutes=number + 1))
    in_doubt = {"request_id": "other", "message": "Moved", "shape": "moved"}
    note_control(ledger, Control("4", 1, NOW), Result.IN_DOUBT, **in_doubt, now=NOW)
    assert read_learned(ledger) == Learned(["with the …"] if gone else [], None if gone else "with the …", None, None)


def test_the_queue_is_told_by_controls(ledger: Ledger) -> None:
    """The longest that a lead stayed, and the shortest after which one had left."""
    settle(ledger, "1", "2")
    seen = [("1", Result.TAKEN, 3), ("1", Result.TAKEN, 9), ("1", Result.GONE, 30), ("2", Result.GONE, 12)]
    for number, (lead_id, result, minutes) in enumerate(seen):
        words = {"request_id": str(number), "message": "", "shape": ""}
        note_control(ledger, Control(lead_id, 1, NOW), result, **words, now=NOW + timedelta(minutes=minutes))
    assert read_learned(ledger) == Learned([], None, timedelta(minutes=9), timedelta(minutes=12))
