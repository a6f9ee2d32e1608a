"""How leads come in: they are registered once, and looked at until they are complete or late."""

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import StatementError

from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.ledger.status import read_status
from leadgate.ledger.waiting import all_waiting
from leadgate.model import Look, RequestKind, Result, State
from tests.ledger.steps import (
    AFTER_LEASE,
    HOLD,
    LEASE,
    NOW,
    UNKNOWN_AFTER,
    attempt,
    claim,
    complete,
    entry,
    intend,
    leads,
    make_ready,
    outcome,
    send,
    states,
)
from tests.ledger.together import together

LATER = NOW + timedelta(hours=2)


def test_a_registered_lead_waits(ledger: Ledger, engine: Engine) -> None:
    """A new entry waits, was never looked at, and keeps the instant of its quarantine."""
    assert waiting.register(ledger, leads("17"), now=NOW).new == 1
    row = entry(engine, "17")
    assert (row["state"], row["missing"], row["token"], row["due_at"]) == ("waiting", None, 0, None)
    assert (row["quarantined_at"], row["registered_at"]) == (NOW - timedelta(hours=1), NOW)


def test_no_leads_are_registered_as_none(ledger: Ledger) -> None:
    """An empty source is no special case."""
    assert waiting.register(ledger, [], now=NOW).new == 0


def test_registering_again_changes_nothing(ledger: Ledger, engine: Engine) -> None:
    """Only leads that are new count; the others stay as they are, wherever they are."""
    make_ready(ledger, "17")
    before = entry(engine, "17")
    assert waiting.register(ledger, leads("17", "18", quarantined_at=LATER), now=LATER).new == 1
    assert entry(engine, "17") == before


def test_a_lead_that_the_source_has_twice_is_registered_once(ledger: Ledger) -> None:
    """A view without a unique id does no harm."""
    assert waiting.register(ledger, leads("17", "17"), now=NOW).new == 1
    assert read_status(ledger).counts[State.WAITING] == 1


def test_pipelines_do_not_see_each_others_leads(ledger: Ledger, engine: Engine) -> None:
    """The same id in a pipeline of another account is another lead."""
    other = Ledger(engine, pipeline="other", owner="first")
    assert waiting.register(ledger, leads("17"), now=NOW).new == 1
    assert waiting.register(other, leads("17"), now=NOW).new == 1
    waiting.note_looks(ledger, [complete("17")], now=NOW)
    assert claims.claim(other, limit=10, lease=LEASE, now=NOW) == []


def test_two_registrations_at_once_count_every_lead_once(ledger: Ledger, rival: Ledger) -> None:
    """Both runs read the same source in different orders: nobody fails, and no lead is counted by both."""
    ids = [str(number) for number in range(400)]
    counts = together(
        lambda: waiting.register(ledger, leads(*ids), now=NOW),
        lambda: waiting.register(rival, leads(*reversed(ids)), now=NOW),
    )
    assert sum(each.new for each in counts) == read_status(ledger).counts[State.WAITING] == 400


def test_an_id_in_any_script_is_kept_as_it_is(ledger: Ledger, engine: Engine) -> None:
    """Ids are text, and compared exactly."""
    ids = ["007", "7", "å b", "Å B", "'; --"]
    assert waiting.register(ledger, leads(*ids), now=NOW).new == 5
    assert [entry(engine, lead_id)["lead_id"] for lead_id in ids] == ids


def test_what_is_missing_is_stored(ledger: Ledger, engine: Engine) -> None:
    """A lead that is incomplete waits on, and its entry says for what."""
    waiting.register(ledger, leads("17"), now=NOW)
    waiting.note_looks(ledger, [Look("17", ["postcode", "score"], "hash-1", due=False)], now=NOW)
    row = entry(engine, "17")
    assert (row["state"], row["missing"], row["data_hash"]) == ("waiting", ["postcode", "score"], "hash-1")
    assert (row["arrived_at"], row["due_at"], row["late"]) == (None, None, False)


def test_a_complete_lead_is_due_at_once(ledger: Ledger, engine: Engine) -> None:
    """An arrival makes a lead ready, and its instant is kept."""
    make_ready(ledger, "17")
    row = entry(engine, "17")
    assert (row["state"], row["missing"], row["late"]) == ("ready", [], False)
    assert (row["due_at"], row["arrived_at"]) == (NOW, NOW)


def test_a_late_lead_is_due_without_having_arrived(ledger: Ledger, engine: Engine) -> None:
    """After its deadline a lead is ready as it is; what was missing stays on record."""
    waiting.register(ledger, leads("17"), now=NOW)
    waiting.note_looks(ledger, [Look("17", ["score"], None, due=True, late=True)], now=NOW)
    row = entry(engine, "17")
    assert (row["state"], row["late"], row["missing"], row["due_at"]) == ("ready", True, ["score"], NOW)
    assert row["arrived_at"] is None


def test_a_look_changes_no_lead_that_has_moved_on(ledger: Ledger, engine: Engine) -> None:
    """A slow look does not bring back a lead that another run has claimed meanwhile."""
    held = claim(ledger, "17")
    waiting.note_looks(ledger, [Look("17", ["score"], None, due=False)], now=LATER)
    assert states(engine, held.lead_id) == [State.READY]
    assert entry(engine, "17")["missing"] == []


def test_looking_at_nothing_changes_nothing(ledger: Ledger) -> None:
    """A source without news costs no statement."""
    waiting.note_looks(ledger, [], now=NOW)


def hold(ledger: Ledger) -> None:
    """Let a rule hold lead 17 until LATER."""
    sent = attempt(claim(ledger, "17"), RequestKind.UPDATE)
    intend(ledger, sent, decision=HOLD)
    sending.record(ledger, [outcome(sent, Result.TAKEN, State.WAITING, due_at=LATER, note=HOLD.reason)], now=NOW)


def test_a_held_lead_waits_until_its_time(ledger: Ledger, engine: Engine) -> None:
    """A held lead is waiting again, with the instant at which it is decided anyway."""
    hold(ledger)
    ((held,),) = all_waiting(ledger, 10)
    assert held.held_until == LATER
    assert entry(engine, "17")["note"] == HOLD.reason


def test_a_held_lead_that_is_due_keeps_its_first_arrival(ledger: Ledger, engine: Engine) -> None:
    """When it is decided again its data has still arrived when it had, and the hold is over."""
    hold(ledger)
    waiting.note_looks(ledger, [complete("17")], now=LATER)
    row = entry(engine, "17")
    assert (row["state"], row["arrived_at"], row["due_at"], row["note"]) == ("ready", NOW, LATER, None)


def test_a_held_lead_whose_data_becomes_null_is_not_held_any_more(ledger: Ledger, engine: Engine) -> None:
    """It waits for what is missing like any other lead, and arrives anew."""
    hold(ledger)
    waiting.note_looks(ledger, [Look("17", ["score"], "hash-2", due=False)], now=NOW)
    row = entry(engine, "17")
    assert (row["state"], row["missing"], row["due_at"], row["note"]) == ("waiting", ["score"], None, None)
    assert row["arrived_at"] is None


def test_the_rows_of_a_page_may_differ(ledger: Ledger, engine: Engine) -> None:
    """One call records what was found for each lead on its own."""
    waiting.register(ledger, leads("1", "2", "3"), now=NOW)
    looks = [Look("3", ["score"], None, due=True, late=True), complete("1"), Look("2", ["score"], "h", due=False)]
    waiting.note_looks(ledger, looks, now=NOW)
    assert states(engine, "1", "2", "3") == [State.READY, State.WAITING, State.READY]


def test_an_instant_of_another_time_zone_is_kept_as_the_same_instant(ledger: Ledger, engine: Engine) -> None:
    """SQLite stores no zone, so whatever is stored is UTC first, in every statement."""
    elsewhere = timezone(timedelta(hours=5))
    waiting.register(ledger, leads("17", quarantined_at=NOW.astimezone(elsewhere)), now=NOW.astimezone(elsewhere))
    waiting.note_looks(ledger, [complete("17")], now=NOW.astimezone(elsewhere))
    row = entry(engine, "17")
    assert [row[name] for name in ("quarantined_at", "registered_at", "due_at", "arrived_at")] == [NOW] * 4
    (held,) = claims.claim(ledger, limit=1, lease=LEASE, now=NOW.astimezone(elsewhere))
    send(ledger, held)
    claims.rescue(ledger, unknown_after=UNKNOWN_AFTER, now=AFTER_LEASE.astimezone(elsewhere))
    assert entry(engine, "17")["due_at"] == AFTER_LEASE + UNKNOWN_AFTER


def test_an_instant_without_a_time_zone_is_refused(ledger: Ledger) -> None:
    """Nobody could tell which instant it is."""
    with pytest.raises(StatementError, match="has no time zone"):
        waiting.register(ledger, leads("17"), now=datetime(2026, 3, 1, 12))  # noqa: DTZ001
