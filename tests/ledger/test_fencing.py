"""A run whose lease has ended: what it may still write, and what it may not."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from leadgate.ledger import Ledger, claims, sending
from leadgate.model import Attempt, Claim, Conclusion, Look, RequestKind, Result, State
from tests.ledger.steps import (
    AFTER_LEASE,
    HOLD,
    LEASE,
    NOW,
    attempt,
    claim,
    entry,
    history,
    intend,
    outcome,
    outcomes,
    rescue,
    send,
    states,
    taken,
)


def take_over(rival: Ledger) -> Claim:
    """Let another run rescue what was left, and claim it."""
    rescue(rival)
    (held,) = claims.claim(rival, limit=10, lease=LEASE, now=AFTER_LEASE)
    return held


def test_a_late_worker_may_not_send(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Once another run has claimed the lead, an intent of the first is refused and leaves nothing."""
    held = claim(ledger, "17")
    take_over(rival)
    before = history(engine, "17")
    assert intend(ledger, attempt(held), now=AFTER_LEASE) == set()
    assert history(engine, "17") == before


def test_a_wave_whose_leads_its_own_run_has_claimed_again_is_late_too(ledger: Ledger, engine: Engine) -> None:
    """The token counts, not only the owner: of two decisions by one run only the newer holds."""
    held = claim(ledger, "17")
    take_over(ledger)
    before = history(engine, "17")
    assert intend(ledger, attempt(held), now=AFTER_LEASE) == set()
    sending.conclude(ledger, [Conclusion(held, HOLD, State.REVIEW, note="late")], now=AFTER_LEASE)
    assert history(engine, "17") == before


def test_a_late_worker_may_not_send_what_was_rescued_and_is_free(ledger: Ledger, rival: Ledger) -> None:
    """The lease counts, not only the token: a rescued lead is nobody's until it is claimed."""
    held = claim(ledger, "17")
    rescue(rival)
    assert intend(ledger, attempt(held), now=AFTER_LEASE) == set()


def test_a_worker_whose_lease_has_ended_unnoticed_may_not_send(ledger: Ledger, engine: Engine) -> None:
    """Also where nobody took the lead: it is sent when the lease was renewed, which shows that it is still held."""
    held = claim(ledger, "17")
    before = history(engine, "17")
    assert intend(ledger, attempt(held), now=AFTER_LEASE) == set()
    assert history(engine, "17") == before
    claims.renew(ledger, lease=LEASE, now=AFTER_LEASE)
    assert intend(ledger, attempt(held), now=AFTER_LEASE) == {"17"}
    assert entry(engine, "17")["lease_until"] == AFTER_LEASE + LEASE


def test_a_lease_that_ends_now_has_not_ended(ledger: Ledger) -> None:
    """To the second."""
    assert intend(ledger, attempt(claim(ledger, "17")), now=NOW + LEASE) == {"17"}


def test_only_the_leads_that_are_still_held_may_be_sent(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """A batch goes without the lead that was taken over."""
    first = claim(ledger, "1")
    take_over(rival)
    second = claim(ledger, "2", now=AFTER_LEASE)
    assert intend(ledger, attempt(first), attempt(second), now=AFTER_LEASE) == {"2"}
    assert [history(engine, "1").attempts, len(history(engine, "2").attempts)] == [[], 1]


@pytest.mark.parametrize("then", ["claimed", "sending"])
def test_a_late_answer_changes_no_lead_that_another_run_has_claimed(
    ledger: Ledger, rival: Ledger, engine: Engine, then: str
) -> None:
    """The answer to an update is kept with its request; the entry stays the other run's."""
    sent = send(ledger, claim(ledger, "17"), RequestKind.UPDATE)
    held = take_over(rival)
    if then == "sending":
        send(rival, held, request="r2")
    before = entry(engine, "17")
    sending.record(ledger, [outcome(sent, Result.TAKEN, State.REVIEW, note="late", updated_hash="h")], now=AFTER_LEASE)
    assert entry(engine, "17") == before
    assert outcomes(engine, "17")[0] == "taken"


def test_a_late_worker_concludes_and_reopens_nothing(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Whatever it writes under its old token is not taken."""
    held = claim(ledger, "17")
    take_over(rival)
    before = history(engine, "17")
    sending.conclude(ledger, [Conclusion(held, HOLD, State.REVIEW, note="late")], now=AFTER_LEASE)
    claims.reopen(ledger, held, Look("17", ["score"], None, due=False))
    claims.release(ledger, now=AFTER_LEASE)
    assert history(engine, "17") == before


def test_a_late_answer_settles_an_unknown_lead_of_its_token(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """It is the evidence that was missing."""
    sent = send(ledger, claim(ledger, "17"))
    rescue(rival)
    assert states(engine, "17") == [State.UNKNOWN]
    sending.record(ledger, [taken(sent)], now=AFTER_LEASE)
    assert states(engine, "17") == [State.PROCESSED]
    assert outcomes(engine, "17") == ["taken"]


def test_a_late_refusal_frees_an_unknown_lead_of_its_token(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Provably nothing was applied, so it may be decided again."""
    sent = send(ledger, claim(ledger, "17"))
    rescue(rival)
    sending.record(ledger, [outcome(sent, Result.REFUSED, State.READY, due_at=AFTER_LEASE)], now=AFTER_LEASE)
    assert states(engine, "17") == [State.READY]


def test_a_late_refusal_of_a_whole_batch_frees_its_leads(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """The run that asked would go on with halves, but it holds the lead no more: any run may take it up."""
    sent = send(ledger, claim(ledger, "17"))
    rescue(rival)
    sending.record(ledger, [outcome(sent, Result.REFUSED, State.SENDING)], now=AFTER_LEASE)
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["lease_owner"]) == ("ready", AFTER_LEASE, None)
    assert intend(ledger, attempt(sent.claim, request="r2"), now=AFTER_LEASE) == set()


def reopen_by_probe(rival: Ledger, sent: Attempt) -> None:
    """Let evidence that proved wrong send an unknown lead back for another decision."""
    rescue(rival)
    sending.record(rival, [outcome(sent, Result.IN_DOUBT, State.READY, due_at=AFTER_LEASE)], now=AFTER_LEASE)


def test_an_act_that_was_taken_after_all_settles_a_lead_that_was_to_come_again(
    ledger: Ledger, rival: Ledger, engine: Engine
) -> None:
    """LeadByte's word that it took the act outweighs all else: the lead is not acted on a second time."""
    sent = send(ledger, claim(ledger, "17"))
    reopen_by_probe(rival, sent)
    assert states(engine, "17") == [State.READY]
    sending.record(ledger, [taken(sent)], now=AFTER_LEASE)
    assert states(engine, "17") == [State.PROCESSED]
    assert claims.claim(rival, limit=1, lease=LEASE, now=AFTER_LEASE) == []


@pytest.mark.parametrize("then", ["claimed", "sending", "unknown", "waiting"])
def test_an_act_that_was_taken_after_all_settles_a_lead_that_another_run_took(
    ledger: Ledger, rival: Ledger, engine: Engine, then: str
) -> None:
    """Wherever the lead is by now it may not be acted on again, and the decision that counts is the one carried out."""
    sent = send(ledger, claim(ledger, "17"))
    reopen_by_probe(rival, sent)
    (held,) = claims.claim(rival, limit=1, lease=LEASE, now=AFTER_LEASE)
    update = attempt(held, RequestKind.UPDATE, request="r2")
    if then != "claimed":
        intend(rival, update, decision=HOLD, now=AFTER_LEASE)
    if then == "waiting":
        sending.record(rival, [outcome(update, Result.TAKEN, State.WAITING, due_at=AFTER_LEASE)], now=AFTER_LEASE)
    if then == "unknown":
        sending.record(rival, [outcome(update, Result.IN_DOUBT, State.UNKNOWN, due_at=AFTER_LEASE)], now=AFTER_LEASE)
    sending.record(ledger, [taken(sent)], now=AFTER_LEASE)
    row = entry(engine, "17")
    assert (row["state"], row["settled_at"], row["lease_owner"]) == ("processed", AFTER_LEASE, None)
    assert row["decided_token"] == sent.claim.token
    assert intend(rival, attempt(held, request="r3"), now=AFTER_LEASE) == set()
    sending.record(rival, [outcome(update, Result.TAKEN, State.SENDING)], now=AFTER_LEASE)
    assert entry(engine, "17") == row


@pytest.mark.parametrize("after", [Result.TAKEN, Result.REFUSED, Result.IN_DOUBT, Result.GONE], ids=str)
def test_an_answer_that_came_twice_counts_once(ledger: Ledger, engine: Engine, after: Result) -> None:
    """What is settled stays settled, and a certain outcome is not replaced."""
    sent = send(ledger, claim(ledger, "17"))
    sending.record(ledger, [taken(sent)], now=NOW)
    before = history(engine, "17")
    state = State.PROCESSED if after is Result.TAKEN else State.UNKNOWN
    later = outcome(sent, after, state, due_at=NOW, note="again")
    sending.record(ledger, [later], now=NOW + timedelta(hours=1))
    assert history(engine, "17") == before
