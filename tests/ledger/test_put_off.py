"""Leads that a pause has put off are due when it ends, whichever is first: its end, or the answer to their update."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, delete

from leadgate.ledger import Ledger, claims, sending
from leadgate.ledger.pauses import end_pause, keep_pause, read_pause
from leadgate.ledger.schema import pauses
from leadgate.model import Attempt, Conclusion, RequestKind, Result, State
from tests.ledger.steps import HOLD, LEASE, NOW, attempt, claim, intend, make_ready, outcome
from tests.ledger.together import together

LATER = NOW + timedelta(hours=1)
PAUSED = replace(HOLD, paused=True)


def updates(ledger: Ledger, *ids: str) -> list[Attempt]:
    """Claim leads while the pipeline is paused, and send their updates."""
    make_ready(ledger, *ids)
    wave = claims.claim(ledger, limit=len(ids), lease=LEASE, now=NOW)
    sent = [attempt(held, RequestKind.UPDATE, request=f"r{held.lead_id}") for held in wave]
    intend(ledger, *sent, decision=PAUSED)
    return [replace(each, decision=PAUSED) for each in sent]


def answer(ledger: Ledger, *sent: Attempt) -> None:
    """LeadByte took the updates: the leads are ready, and to be decided again in an hour."""
    held = [outcome(each, Result.TAKEN, State.READY, due_at=LATER, note="put off") for each in sent]
    sending.record(ledger, held, now=NOW)


def due_now(ledger: Ledger) -> int:
    """How many leads a run would claim now."""
    return len(claims.claim(ledger, limit=1000, lease=LEASE, now=NOW))


def test_an_update_that_is_answered_after_the_end_leaves_its_lead_due(ledger: Ledger) -> None:
    """It was on the wire when the pause ended, which could not know of it."""
    keep_pause(ledger, by="ann", reason="", now=NOW)
    sent = updates(ledger, "1", "2")
    answer(ledger, sent[0])
    assert due_now(ledger) == 0
    assert end_pause(ledger, now=NOW)
    answer(ledger, sent[1])
    assert due_now(ledger) == 2


def test_a_decision_that_is_recorded_after_the_end_leaves_its_lead_due(ledger: Ledger) -> None:
    """Nothing was to be written for it."""
    held = claim(ledger, "1")
    sending.conclude(ledger, [Conclusion(held, PAUSED, State.READY, LATER, "put off")], now=NOW)
    assert due_now(ledger) == 1


def test_a_rule_that_holds_is_not_cut_short(ledger: Ledger) -> None:
    """Only what a pause has put off."""
    held = claim(ledger, "1")
    sending.conclude(ledger, [Conclusion(held, HOLD, State.READY, LATER, "later")], now=NOW)
    assert due_now(ledger) == 0


def test_answers_and_the_end_of_the_pause_at_once_leave_every_lead_due(ledger: Ledger, rival: Ledger) -> None:
    """Whichever is first: none is left for the hour after."""
    for number in range(15):
        keep_pause(ledger, by="ann", reason="", now=NOW)
        sent = updates(ledger, *(f"{number}-{lead}" for lead in range(20)))

        def end() -> None:
            assert end_pause(rival, now=NOW)

        together(*(partial(answer, ledger, *sent[part::4]) for part in range(4)), end)
        assert due_now(rival) == 20


def test_a_pause_that_is_told_of_holds(ledger: Ledger, rival: Ledger) -> None:
    """Somebody resumes at the same moment: before it, or after it and then there is none; nothing is made up."""
    for _ in range(20):
        keep_pause(ledger, by="ann", reason="", now=NOW)
        told, _ = together(
            lambda: keep_pause(ledger, by="bob", reason="", now=LATER).paused_by, lambda: end_pause(rival, now=NOW)
        )
        left = read_pause(ledger)
        assert left is None if told == "ann" else (left and left.paused_by) == "bob"
        end_pause(rival, now=NOW)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_second_pause_waits_for_who_resumes(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """It meets the first one's row while that is being deleted: what it returns is its own, and holds."""
    keep_pause(ledger, by="ann", reason="", now=NOW)
    with ThreadPoolExecutor(1) as pool, engine.begin() as connection:
        connection.execute(delete(pauses))
        second = pool.submit(keep_pause, rival, by="bob", reason="", now=LATER)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.3)
        connection.commit()
        assert second.result(timeout=60).paused_by == "bob"
    found = read_pause(ledger)
    assert found
    assert found.paused_by == "bob"
