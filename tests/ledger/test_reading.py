"""What the ledger tells: counts and ages, pages, one lead's history; and what it keeps beside the leads."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.ledger.absent import open_ids
from leadgate.ledger.claims import read_ready_page
from leadgate.ledger.history import read_history
from leadgate.ledger.policies import keep_policy
from leadgate.ledger.report_counts import DecisionCount, read_decision_counts
from leadgate.ledger.schema import entries, policies
from leadgate.ledger.source_health import keep_reading
from leadgate.ledger.status import Due, Status, read_due, read_missing, read_status
from leadgate.ledger.waiting import all_waiting, held_until, never_looked_at, read_known, waiting_since
from leadgate.model import Look, RequestKind, Result, SourceReading, State, Waiting
from tests.ledger.steps import (
    LEASE,
    NOW,
    PIPELINE,
    REJECT,
    attempt,
    claim,
    complete,
    history,
    intend,
    leads,
    make_ready,
    outcome,
    send,
    taken,
)

SOON = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(hours=2)


def test_an_empty_ledger_has_every_state_with_none(ledger: Ledger) -> None:
    """Every state is named, even where there is nothing to count."""
    assert read_status(ledger) == Status(dict.fromkeys(State, 0), None, None, None, None)
    assert read_missing(ledger) == {}
    assert read_due(ledger, now=NOW) == Due(0, 0, None)


def test_a_status_counts_by_state_and_tells_the_ages(ledger: Ledger, engine: Engine) -> None:
    """The longest wait and what is due are those of this pipeline."""
    long_ago = NOW - timedelta(days=3)
    waiting.register(ledger, leads("1", quarantined_at=long_ago) + leads("2"), now=NOW)
    sending.record(ledger, [taken(send(ledger, claim(ledger, "3")))], now=NOW)
    make_ready(ledger, "4", now=LATER)
    make_ready(ledger, "5", now=SOON)
    other = Ledger(engine, pipeline="other", owner="first")
    waiting.register(other, leads("9", quarantined_at=long_ago - timedelta(days=9)), now=NOW)
    status = read_status(ledger)
    assert {state: count for state, count in status.counts.items() if count} == {
        State.WAITING: 2,
        State.READY: 2,
        State.PROCESSED: 1,
    }
    assert list(status.counts) == list(State)
    assert status.oldest_waiting_since == long_ago
    assert read_due(ledger, now=LATER) == Due(ready=2, unknown=0, since=SOON)


def test_what_is_due_is_what_nobody_holds(ledger: Ledger) -> None:
    """A run that waits is not woken for a lead that is being worked on."""
    claim(ledger, "1")
    make_ready(ledger, "2", now=LATER)
    assert read_due(ledger, now=LATER - timedelta(microseconds=1)) == Due(0, 0, None)
    assert read_due(ledger, now=LATER) == Due(ready=1, unknown=0, since=LATER)


def test_waiting_leads_come_in_pages(ledger: Ledger) -> None:
    """Each page goes on after the last id of the one before; leads that do not wait are on none."""
    ids = [f"{number:02}" for number in range(7)]
    waiting.register(ledger, leads(*ids), now=NOW)
    waiting.note_looks(ledger, [complete("03"), Look("04", ["score"], "h", due=False)], now=NOW)
    pages = list(all_waiting(ledger, 2))
    assert [len(page) for page in pages] == [2, 2, 2]
    seen = [each for page in pages for each in page]
    assert [each.lead_id for each in seen] == [lead_id for lead_id in ids if lead_id != "03"]
    looked_at = next(each for each in seen if each.lead_id == "04")
    assert (looked_at.missing, looked_at.data_hash, looked_at.held_until) == (["score"], "h", None)


def test_pages_meet_every_lead_once_whatever_its_id(ledger: Ledger) -> None:
    """The order of ids is the database's own, from page to page the same."""
    ids = ["Z", "a", "é", "10", "9", "-1", "ä b", "_"]
    waiting.register(ledger, leads(*ids), now=NOW)
    seen = [each.lead_id for page in all_waiting(ledger, 1) for each in page]
    assert sorted(seen) == sorted(ids)
    assert [each.lead_id for page in all_waiting(ledger, 1, after=seen[2]) for each in page] == seen[3:]


def test_ready_leads_come_in_pages_as_they_would_be_claimed(ledger: Ledger) -> None:
    """A plan sees what a run would claim now, without claiming it."""
    make_ready(ledger, "1", "2")
    make_ready(ledger, "3", now=LATER)
    first = read_ready_page(ledger, after="", limit=1, now=NOW)
    rest = read_ready_page(ledger, after="1", limit=9, now=NOW)
    assert [found.lead_id for found in first + rest] == ["1", "2"]
    assert [found.token for found in claims.claim(ledger, limit=9, lease=LEASE, now=NOW)] == [1, 1]


def test_known_ids_are_those_with_an_entry(ledger: Ledger, engine: Engine) -> None:
    """In this pipeline, wherever they are."""
    waiting.register(ledger, leads("1", "2"), now=NOW)
    assert read_known(ledger, ["2", "3", "1"]) == {"1", "2"}
    assert read_known(Ledger(engine, pipeline="other", owner="first"), ["1"]) == set()


def test_an_unknown_lead_has_no_history(ledger: Ledger) -> None:
    """None, not an empty story."""
    assert read_history(ledger, "17") is None


def test_a_history_is_in_the_order_things_happened(ledger: Ledger, engine: Engine) -> None:
    """Decisions and requests of several claims, oldest first, whatever the requests are called."""
    first = send(ledger, claim(ledger, "17"), RequestKind.UPDATE, request="z")
    sending.record(ledger, [outcome(first, Result.REFUSED, State.READY, due_at=SOON)], now=NOW)
    (again,) = claims.claim(ledger, limit=1, lease=LEASE, now=SOON)
    update = attempt(again, RequestKind.UPDATE, request="y")
    act = attempt(again, RequestKind.ACT, action=REJECT.verdict.action, request="x")  # type: ignore[arg-type]
    intend(ledger, update, decision=REJECT, now=SOON)
    sending.record(ledger, [outcome(update, Result.TAKEN, State.SENDING)], now=SOON)
    claims.renew(ledger, lease=LEASE, now=LATER)
    intend(ledger, act, decision=REJECT, now=LATER)
    sending.record(ledger, [taken(act)], now=LATER)
    found = history(engine, "17")
    assert [each["request_id"] for each in found.attempts] == ["z", "y", "x"]
    assert [(each["token"], each["verdict"]) for each in found.decisions] == [(1, "process"), (2, "reject")]
    assert found.entry["decided_token"] == 2


def test_a_clock_that_was_set_back_does_not_turn_a_history_round(ledger: Ledger, engine: Engine) -> None:
    """The number of the claim says what came first, whatever the machines' clocks say."""
    first = attempt(claim(ledger, "17"), RequestKind.UPDATE, request="1")
    claims.renew(ledger, lease=LEASE, now=LATER)
    intend(ledger, first, now=LATER)
    sending.record(ledger, [outcome(first, Result.REFUSED, State.READY, due_at=NOW)], now=LATER)
    (again,) = claims.claim(ledger, limit=1, lease=LEASE, now=NOW)
    sending.record(ledger, [taken(send(ledger, again, request="2"))], now=NOW)
    found = history(engine, "17")
    assert [each["request_id"] for each in found.attempts] == ["1", "2"]
    assert [each["token"] for each in found.decisions] == [1, 2]


def test_decisions_are_counted_by_rule(ledger: Ledger) -> None:
    """The most frequent first, from an instant on."""
    for lead_id in "1", "2":
        sending.record(ledger, [taken(send(ledger, claim(ledger, lead_id)))], now=NOW)
    late = attempt(claim(ledger, "3"), action=REJECT.verdict.action)  # type: ignore[arg-type]
    claims.renew(ledger, lease=LEASE, now=LATER)
    intend(ledger, late, decision=REJECT, now=LATER)
    sending.record(ledger, [taken(late)], now=LATER)
    opted_out = DecisionCount(
        "reject", "opted-out", by_person=False, paused=False, observed=False, capped=False, decisions=1
    )
    verified = DecisionCount(
        "process", "verified", by_person=False, paused=False, observed=False, capped=False, decisions=2
    )
    assert read_decision_counts(ledger, NOW) == [verified, opted_out]
    assert read_decision_counts(ledger, LATER) == [opted_out]


def test_a_policy_is_kept_once_with_its_first_use(ledger: Ledger, engine: Engine) -> None:
    """What a version said never changes; another pipeline has its own."""
    keep_policy(ledger, version="v1", text="rules", now=NOW)
    keep_policy(ledger, version="v1", text="other", now=LATER)
    keep_policy(Ledger(engine, pipeline="other", owner="first"), version="v1", text="other", now=LATER)
    with engine.connect() as connection:
        rows = connection.execute(select(policies).order_by(policies.c.pipeline)).all()
    assert [tuple(row) for row in rows] == [(PIPELINE, "v1", NOW, "rules"), ("other", "v1", LATER, "other")]


def look(ledger: Ledger, *, read_at: datetime, healthy: bool) -> None:
    """Keep a reading of the source."""
    keep_reading(ledger, SourceReading(read_at, NOW - timedelta(days=1), healthy=healthy))


def test_the_newest_reading_is_kept_and_the_last_healthy_one(ledger: Ledger) -> None:
    """A source that fell ill shows since when."""
    look(ledger, read_at=NOW, healthy=True)
    look(ledger, read_at=LATER, healthy=False)
    status = read_status(ledger)
    assert (status.read_at, status.healthy_at, status.newest_at) == (LATER, NOW, NOW - timedelta(days=1))
    look(ledger, read_at=LATER + timedelta(hours=1), healthy=True)
    assert read_status(ledger).healthy_at == LATER + timedelta(hours=1)


def test_an_older_reading_does_not_replace_a_newer_one(ledger: Ledger) -> None:
    """Of two runs at once, the one that read last is right, whichever writes last."""
    look(ledger, read_at=LATER, healthy=True)
    look(ledger, read_at=NOW, healthy=False)
    status = read_status(ledger)
    assert (status.read_at, status.healthy_at) == (LATER, LATER)


def test_every_lead_that_may_be_withdrawn_is_read_once(ledger: Ledger) -> None:
    """In pages of any size: those that are ready fall due at one instant, and those that wait have none."""
    ids = [f"{number:02}" for number in range(25)]
    waiting.register(ledger, leads(*ids), now=NOW)
    waiting.note_looks(ledger, [complete(lead_id) for lead_id in ids[:14]], now=NOW)
    for limit in (1, 7, 14, 100):
        pages = list(open_ids(ledger, limit))
        assert sorted(lead_id for page in pages for lead_id in page) == ids
        assert max(map(len, pages)) <= limit


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_of_waiting_leads_hold_each_once_and_in_order(ledger: Ledger, engine: Engine, limit: int) -> None:
    """By their ids; held ones by when they are due, others by when they came, and by their ids where that is alike."""
    came = {"e": 3, "d": 3, "c": 2, "b": 2, "a": 1}
    for lead_id, hours in came.items():
        waiting.register(ledger, leads(lead_id, quarantined_at=NOW - timedelta(hours=hours)), now=NOW)
    waiting.note_looks(ledger, [Look(lead_id, ["score"], None, due=False) for lead_id in "abc"], now=NOW)
    assert ids_of(all_waiting(ledger, limit)) == list("abcde")
    assert ids_of(all_waiting(ledger, limit, after="b")) == list("cde")
    assert ids_of(never_looked_at(ledger, limit)) == list("de")
    assert ids_of(waiting_since(ledger, NOW - timedelta(hours=2), limit)) == list("debc")
    with engine.begin() as connection:
        for lead_id, hours in came.items():
            held = update(entries).where(entries.c.lead_id == lead_id)
            connection.execute(held.values(due_at=NOW - timedelta(hours=hours - 2)))
    assert ids_of(held_until(ledger, NOW, limit)) == list("debc")
    assert ids_of(waiting_since(ledger, NOW, limit)) == []


def ids_of(pages: Iterable[Sequence[Waiting]]) -> list[str]:
    """The ids, page after page."""
    return [one.lead_id for page in pages for one in page]
