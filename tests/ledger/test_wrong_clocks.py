"""What a clock that was ahead has written is corrected by the next rescue: nobody waits for an instant far ahead."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.model import Conclusion, Look, Result, State
from tests.ledger.steps import (
    LEASE,
    NOW,
    PROCESS,
    UNKNOWN_AFTER,
    attempt,
    claim,
    entry,
    intend,
    make_ready,
    outcome,
    states,
)

AHEAD = NOW + timedelta(hours=10)


def correct(ledger: Ledger) -> int:
    """Rescue by a clock that is right."""
    return claims.rescue(ledger, unknown_after=UNKNOWN_AFTER, now=NOW)


@pytest.mark.parametrize("state", [State.UNKNOWN, State.REVIEW], ids=str)
def test_an_act_is_not_in_doubt_since_an_instant_to_come(ledger: Ledger, engine: Engine, state: State) -> None:
    """Its age counts from now, by both clocks: it would be evidence for nothing until the clock has caught up."""
    sent = attempt(claim(ledger, "17", now=AHEAD))
    intend(ledger, sent, now=AHEAD)
    lost = outcome(sent, Result.IN_DOUBT, state, due_at=AHEAD + UNKNOWN_AFTER, note="no answer", theirs=NOW)
    sending.record(ledger, [lost], now=AHEAD)
    correct(ledger)
    row = entry(engine, "17")
    assert (row["state"], row["doubt_since"], row["doubt_theirs"]) == (state, NOW, None)
    if state is State.UNKNOWN:
        assert row["due_at"] == NOW


def test_a_lead_is_not_held_until_an_instant_to_come(ledger: Ledger, engine: Engine) -> None:
    """A lease that was taken by a clock that was ahead is over; what was held or put off is due."""
    make_ready(ledger, "1", "2", now=AHEAD)
    sent = [attempt(held) for held in claims.claim(ledger, limit=1, lease=LEASE, now=AHEAD)]
    intend(ledger, *sent, now=AHEAD)
    assert correct(ledger) == 1
    assert states(engine, "1", "2") == [State.UNKNOWN, State.READY]
    assert entry(engine, "1")["doubt_since"] == NOW
    assert entry(engine, "2")["due_at"] == NOW


@pytest.mark.parametrize("state", [State.READY, State.UNKNOWN], ids=str)
def test_what_is_due_by_a_clock_that_was_set_back_since_is_due_now(
    ledger: Ledger, engine: Engine, state: State
) -> None:
    """A run may be held up between the judging of an answer and its record."""
    sent = attempt(claim(ledger, "17"))
    intend(ledger, sent)
    result = Result.IN_DOUBT if state is State.UNKNOWN else Result.REFUSED
    judged = outcome(sent, result, state, due_at=AHEAD + UNKNOWN_AFTER, note="no answer")
    sending.record(ledger, [judged], now=NOW, judged_at=AHEAD)
    correct(ledger)
    assert (entry(engine, "17")["state"], entry(engine, "17")["due_at"]) == (state, NOW)


@pytest.mark.parametrize("dies", [True, False])
def test_a_lead_that_was_claimed_is_due_whatever_its_clock_has_done_since(
    ledger: Ledger, engine: Engine, dies: bool
) -> None:
    """A run may have claimed it before the clock was set back, and have held it or let it go afterwards."""
    make_ready(ledger, "17", now=AHEAD)
    claims.claim(ledger, limit=1, lease=LEASE, now=AHEAD)
    if dies:
        claims.renew(ledger, lease=LEASE, now=NOW)
        claims.rescue(ledger, unknown_after=UNKNOWN_AFTER, now=NOW + 2 * LEASE)
    else:
        claims.release(ledger, now=NOW)
    assert entry(engine, "17")["due_at"] <= NOW + 2 * LEASE
    assert claims.claim(ledger, limit=1, lease=LEASE, now=NOW + 2 * LEASE)


def test_a_look_at_a_lead_that_is_held_does_not_make_its_hold_right(ledger: Ledger, engine: Engine) -> None:
    """What is new of its data is noted; that the hold was written by a clock that was ahead stays known."""
    held = claim(ledger, "17", now=AHEAD)
    hold = Conclusion(held, PROCESS, State.WAITING, AHEAD + timedelta(days=1), "Too early.")
    sending.conclude(ledger, [hold], now=AHEAD)
    waiting.note_looks(ledger, [Look("17", [], "hash", due=False)], now=NOW)
    correct(ledger)
    assert entry(engine, "17")["due_at"] == NOW


def test_what_a_clock_that_is_right_has_written_stands(ledger: Ledger, engine: Engine) -> None:
    """However far ahead it is due."""
    sent = attempt(claim(ledger, "17"))
    intend(ledger, sent)
    later = NOW + timedelta(days=2)
    sending.record(ledger, [outcome(sent, Result.REFUSED, State.READY, due_at=later, note="busy")], now=NOW)
    correct(ledger)
    assert entry(engine, "17")["due_at"] == later
