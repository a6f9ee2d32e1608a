"""How leads come back from runs that end: released by themselves, or rescued after they died."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from leadgate.ledger import Ledger, claims, sending, unknown, waiting
from leadgate.model import RequestKind, Result, State
from tests.ledger.steps import (
    AFTER_LEASE,
    LEASE,
    NOW,
    UNKNOWN_AFTER,
    attempt,
    claim,
    entry,
    history,
    intend,
    leads,
    make_ready,
    outcome,
    outcomes,
    rescue,
    send,
    states,
    taken,
)
from tests.ledger.together import together
from tests.support.audit import audit_ledger

SOON = NOW + timedelta(minutes=1)


def test_a_run_gives_back_what_it_has_not_sent(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Another run need not wait for the lease; the lead is due as it was."""
    claim(ledger, "17")
    claims.release(ledger, now=SOON)
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["lease_owner"], row["lease_until"]) == ("ready", NOW, None, None)
    assert [found.token for found in claims.claim(rival, limit=1, lease=LEASE, now=SOON)] == [2]


def test_a_run_does_not_give_back_what_is_in_flight(ledger: Ledger, engine: Engine) -> None:
    """The answer may still come: the lead stays under its lease, whatever the request was."""
    for kind in RequestKind.UPDATE, RequestKind.UPDATE_AND_ACT, RequestKind.ACT:
        send(ledger, claim(ledger, kind.value), kind)
    claims.release(ledger, now=SOON)
    assert states(engine, "update", "update_and_act", "act") == [State.SENDING] * 3
    assert entry(engine, "act")["lease_owner"] == "first"


def test_a_run_gives_back_a_lead_between_two_steps(ledger: Ledger, engine: Engine) -> None:
    """Its update was taken and its act was not sent: it is due for a decision at once."""
    sent = send(ledger, claim(ledger, "17"), RequestKind.UPDATE)
    sending.record(ledger, [outcome(sent, Result.TAKEN, State.SENDING)], now=NOW)
    claims.release(ledger, now=SOON)
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["lease_owner"]) == ("ready", SOON, None)


def test_a_run_gives_back_only_its_own(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Another run's leads stay with it, and leads that nobody holds stay as they are."""
    claim(rival, "1")
    waiting.register(ledger, leads("2"), now=NOW)
    before = [entry(engine, "1"), entry(engine, "2")]
    claims.release(ledger, now=SOON)
    assert [entry(engine, "1"), entry(engine, "2")] == before


def test_after_a_run_that_finished_nobody_holds_anything(ledger: Ledger, engine: Engine) -> None:
    """A run that answers everything and releases the rest leaves no lease behind."""
    make_ready(ledger, "1", "2", "3")
    one, two, _ = claims.claim(ledger, limit=3, lease=LEASE, now=NOW)
    sending.record(ledger, [taken(send(ledger, one))], now=NOW)
    doubtful = send(ledger, two, request="r2")
    sending.record(ledger, [outcome(doubtful, Result.IN_DOUBT, State.UNKNOWN, due_at=SOON)], now=NOW)
    claims.release(ledger, now=SOON)
    audit_ledger(engine, SOON, finished=True)


@pytest.mark.parametrize("kind", [RequestKind.UPDATE_AND_ACT, RequestKind.ACT], ids=str)
def test_a_lead_whose_act_may_have_been_sent_is_rescued_as_unknown(
    ledger: Ledger, rival: Ledger, engine: Engine, kind: RequestKind
) -> None:
    """It is not sent again: after a while it is probed. Its request is closed as in doubt."""
    send(ledger, claim(ledger, "17"), kind)
    assert rescue(rival) == 1
    row = entry(engine, "17")
    assert (row["state"], row["due_at"]) == ("unknown", AFTER_LEASE + UNKNOWN_AFTER)
    assert (row["lease_owner"], row["lease_until"]) == (None, None)
    assert "ended before the answer" in row["note"]
    (closed,) = history(engine, "17").attempts
    assert (closed["outcome"], closed["answered_at"]) == ("in_doubt", AFTER_LEASE)


def test_a_lead_whose_update_may_have_been_sent_is_rescued_as_ready(
    ledger: Ledger, rival: Ledger, engine: Engine
) -> None:
    """An update may be sent twice, so it is simply due again."""
    send(ledger, claim(ledger, "17"), RequestKind.UPDATE)
    assert rescue(rival) == 1
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["lease_owner"]) == ("ready", AFTER_LEASE, None)
    assert outcomes(engine, "17") == ["in_doubt"]


def test_a_lead_between_two_steps_is_rescued_as_ready(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Its act was never sent; what LeadByte said of its update stays on record."""
    sent = send(ledger, claim(ledger, "17"), RequestKind.UPDATE)
    sending.record(ledger, [outcome(sent, Result.TAKEN, State.SENDING)], now=NOW)
    assert rescue(rival) == 1
    assert states(engine, "17") == [State.READY]
    assert outcomes(engine, "17") == ["taken"]


def test_an_act_that_was_refused_before_is_no_reason_for_doubt(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Only a request that is still open counts: a batch refused as a whole proves that nothing was taken."""
    sent = send(ledger, claim(ledger, "17"))
    sending.record(ledger, [outcome(sent, Result.REFUSED, State.SENDING)], now=NOW)
    assert rescue(rival) == 1
    assert states(engine, "17") == [State.READY]


def test_a_claimed_lead_of_a_dead_run_is_free_again(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Nothing was sent for it, so it only loses its lease; it does not count as rescued from flight."""
    claim(ledger, "17")
    assert rescue(rival) == 0
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["lease_owner"], row["note"]) == ("ready", NOW, None, None)


def test_a_lease_that_lasts_is_left_alone(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Up to its last instant a lease protects what is in flight, and what is claimed."""
    send(ledger, claim(ledger, "1"))
    claim(ledger, "2")
    before = [history(engine, "1"), history(engine, "2")]
    assert claims.rescue(rival, unknown_after=UNKNOWN_AFTER, now=NOW + LEASE) == 0
    assert [history(engine, "1"), history(engine, "2")] == before


def test_another_pipelines_leads_are_not_rescued(ledger: Ledger, engine: Engine) -> None:
    """Each pipeline looks after its own."""
    send(ledger, claim(ledger, "17"))
    assert rescue(Ledger(engine, pipeline="other", owner="second")) == 0
    assert states(engine, "17") == [State.SENDING]


def test_a_second_rescue_finds_nothing(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """What was rescued is left to its next look."""
    send(ledger, claim(ledger, "17"))
    assert rescue(rival) == 1
    before = history(engine, "17")
    assert rescue(ledger) == 0
    assert history(engine, "17") == before


def begin_probe(ledger: Ledger, *, asked: bool) -> None:
    """Let a run hold the unknown lead 17, and ask LeadByte about it or not yet."""
    sent = send(ledger, claim(ledger, "17"))
    sending.record(ledger, [outcome(sent, Result.IN_DOUBT, State.UNKNOWN, due_at=NOW)], now=NOW)
    (doubt,) = unknown.claim_unknown(ledger, limit=1, lease=LEASE, now=NOW)
    if asked:
        send(ledger, doubt.claim, RequestKind.PROBE, request="r2")


def test_a_probe_of_a_dead_run_does_not_stand_in_the_way_of_the_next(
    ledger: Ledger, rival: Ledger, engine: Engine
) -> None:
    """The lead stays unknown and is free again, its open probe closed: nothing was acted on by it."""
    begin_probe(ledger, asked=True)
    assert rescue(rival) == 0
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["lease_owner"]) == ("unknown", NOW, None)
    assert outcomes(engine, "17") == ["in_doubt", "in_doubt"]


def test_a_run_gives_back_an_unknown_lead_that_it_has_not_probed(ledger: Ledger, engine: Engine) -> None:
    """It stays unknown: only evidence may move it."""
    begin_probe(ledger, asked=False)
    claims.release(ledger, now=SOON)
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["lease_owner"]) == ("unknown", NOW, None)


def test_a_run_does_not_give_back_an_unknown_lead_that_is_being_probed(ledger: Ledger, engine: Engine) -> None:
    """The answer may still come, and is the evidence."""
    begin_probe(ledger, asked=True)
    claims.release(ledger, now=SOON)
    assert entry(engine, "17")["lease_owner"] == "first"


def test_two_rescues_at_once_share_the_work(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """After a crash two runs that start together rescue each lead once, and neither fails."""
    ids = [f"{number:03}" for number in range(100)]
    make_ready(ledger, *ids)
    intend(ledger, *(attempt(held) for held in claims.claim(ledger, limit=100, lease=LEASE, now=NOW)))
    assert sum(together(lambda: rescue(ledger), lambda: rescue(rival))) == 100
    assert set(states(engine, *ids)) == {State.UNKNOWN}


def test_a_rescue_and_late_answers_at_once_lose_nothing(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Answers that arrive just as the leases end settle their leads, whichever comes first."""
    ids = [f"{number:03}" for number in range(100)]
    make_ready(ledger, *ids)
    sent = [attempt(held) for held in claims.claim(ledger, limit=100, lease=LEASE, now=NOW)]
    intend(ledger, *sent)

    def answer() -> int:
        sending.record(ledger, [taken(each) for each in reversed(sent)], now=AFTER_LEASE)
        return 0

    together(answer, lambda: rescue(rival))
    assert set(states(engine, *ids)) == {State.PROCESSED}
