"""Intent before act: what is committed before a request is sent, and what its answer makes of the lead."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from leadgate.errors import LedgerError
from leadgate.ledger import Ledger, claims, sending
from leadgate.model import Action, Conclusion, LeadRequest, Look, RequestKind, Result, State
from tests.ledger.steps import (
    HOLD,
    LEASE,
    NOW,
    PROCESS,
    REJECT,
    attempt,
    claim,
    entry,
    history,
    intend,
    make_ready,
    outcome,
    outcomes,
    send,
    states,
    taken,
)

SOON = NOW + timedelta(minutes=1)


def test_an_intent_is_committed_with_its_decision(ledger: Ledger, engine: Engine) -> None:
    """Before anything is sent the ledger knows what will be asked, why, by whom, and until when."""
    held = claim(ledger, "17")
    assert intend(ledger, attempt(held), now=SOON) == {"17"}
    found = history(engine, "17")
    assert found.entry["state"] == State.SENDING
    assert (found.entry["decided_token"], found.entry["lease_until"]) == (held.token, SOON + LEASE)
    (decision,) = found.decisions
    assert (decision["verdict"], decision["rule"], decision["reason"]) == ("process", "verified", "Phone verified.")
    assert (decision["policy_version"], decision["facts"], decision["decided_at"]) == ("v1", {"score": 0.7}, SOON)
    (sent,) = found.attempts
    assert (sent["kind"], sent["action"], sent["fields"]) == ("update_and_act", "process", ["postcode"])
    assert (sent["owner"], sent["sent_at"], sent["outcome"], sent["answered_at"]) == ("first", SOON, None, None)


def test_to_intend_nothing_changes_nothing(ledger: Ledger) -> None:
    """An empty batch costs no statement."""
    assert sending.intend(ledger, [], lease=LEASE, now=NOW) == sending.Intended()


@pytest.mark.parametrize(("broken", "rule"), [("decision", "verdict_is_known"), ("request", "doubt_is_known")])
def test_an_intent_is_committed_as_a_whole_or_not_at_all(
    ledger: Ledger, engine: Engine, broken: str, rule: str
) -> None:
    """Where one lead's part cannot be written, no lead of the batch changes and none may be sent."""
    make_ready(ledger, "1", "2")
    first, second = (attempt(held) for held in claims.claim(ledger, limit=2, lease=LEASE, now=NOW))
    before = [entry(engine, "1"), entry(engine, "2")]
    impossible: dict[str, Any] = {
        "decision": replace(PROCESS, verdict="sell"),  # type: ignore[arg-type]
        "request": LeadRequest("2", action="sell"),  # type: ignore[arg-type]
    }
    second = replace(second, **{broken: impossible[broken]})
    with pytest.raises(LedgerError, match=rule):
        sending.intend(ledger, [first, second], lease=LEASE, now=NOW)
    assert [entry(engine, "1"), entry(engine, "2")] == before
    assert [history(engine, "1").decisions, history(engine, "1").attempts] == [[], []]


def test_a_lead_has_one_request_in_flight_at_most(ledger: Ledger, engine: Engine) -> None:
    """Until the first is answered a second one may not be sent, even by the run that holds the lead."""
    sent = send(ledger, claim(ledger, "17"))
    assert intend(ledger, attempt(sent.claim, request="r2")) == set()
    assert outcomes(engine, "17") == [None]
    sending.record(ledger, [taken(sent)], now=NOW)


@pytest.mark.parametrize(
    ("action", "state"), [(Action.PROCESS, State.PROCESSED), (Action.REJECT, State.REJECTED)], ids=str
)
def test_an_act_that_was_taken_settles_its_lead(ledger: Ledger, engine: Engine, action: Action, state: State) -> None:
    """The entry is final, with the time and what LeadByte said, and nobody holds it."""
    sent = attempt(claim(ledger, "17"), action=action)
    intend(ledger, sent, decision=PROCESS if action is Action.PROCESS else REJECT)
    sending.record(ledger, [outcome(sent, Result.TAKEN, state, updated_hash="payload-1")], now=SOON)
    row = entry(engine, "17")
    assert (row["state"], row["settled_at"], row["inferred"]) == (state, SOON, False)
    assert (row["lease_owner"], row["lease_until"], row["updated_hash"]) == (None, None, "payload-1")
    (ended,) = history(engine, "17").attempts
    assert (ended["outcome"], ended["answered_at"], ended["http_status"], ended["message"]) == (
        "taken",
        SOON,
        200,
        "OK",
    )


def test_a_lead_that_has_left_is_settled_as_gone(ledger: Ledger, engine: Engine) -> None:
    """Someone else moved it: that is final too, and no act of ours."""
    sent = send(ledger, claim(ledger, "17"))
    sending.record(ledger, [outcome(sent, Result.GONE, State.GONE, note="not in quarantine")], now=SOON)
    row = entry(engine, "17")
    assert (row["state"], row["settled_at"], row["note"]) == ("gone", SOON, "not in quarantine")


def test_an_act_without_an_answer_is_unknown(ledger: Ledger, engine: Engine) -> None:
    """It is not settled, not due for another decision, and has a time to be probed."""
    sent = send(ledger, claim(ledger, "17"))
    sending.record(ledger, [outcome(sent, Result.IN_DOUBT, State.UNKNOWN, due_at=SOON, note="timed out")], now=NOW)
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["settled_at"], row["lease_owner"]) == ("unknown", SOON, None, None)
    assert outcomes(engine, "17") == ["in_doubt"]
    assert claims.claim(ledger, limit=10, lease=LEASE, now=SOON) == []


@pytest.mark.parametrize(("is_refusal", "count"), [(True, 1), (False, 0)])
def test_a_refused_lead_comes_again_later(ledger: Ledger, engine: Engine, is_refusal: bool, count: int) -> None:
    """A refusal about the lead counts, one about the moment does not; both say why."""
    sent = send(ledger, claim(ledger, "17"))
    refused = outcome(sent, Result.REFUSED, State.READY, due_at=SOON, note="busy", is_refusal=is_refusal)
    sending.record(ledger, [refused], now=NOW)
    row = entry(engine, "17")
    assert (row["state"], row["due_at"], row["note"], row["refusals"]) == ("ready", SOON, "busy", count)


def test_a_lead_out_of_attempts_is_parked_with_the_reason(ledger: Ledger, engine: Engine) -> None:
    """A failed lead is not final, belongs to nobody, and says what LeadByte said."""
    sent = send(ledger, claim(ledger, "17"))
    failed = outcome(sent, Result.REFUSED, State.FAILED, note="postcode is not valid", is_refusal=True)
    sending.record(ledger, [failed], now=NOW)
    row = entry(engine, "17")
    assert (row["state"], row["note"], row["settled_at"]) == ("failed", "postcode is not valid", None)


def test_an_update_alone_can_end_in_review_or_in_waiting(ledger: Ledger, engine: Engine) -> None:
    """For hold and review nothing is left to send once the update was taken."""
    make_ready(ledger, "1", "2")
    one, two = (attempt(held, RequestKind.UPDATE) for held in claims.claim(ledger, limit=2, lease=LEASE, now=NOW))
    intend(ledger, one, two, decision=HOLD)
    sending.record(
        ledger,
        [
            outcome(one, Result.TAKEN, State.WAITING, due_at=SOON, note="held"),
            outcome(two, Result.TAKEN, State.REVIEW, note="a person must see it"),
        ],
        now=NOW,
    )
    assert states(engine, "1", "2") == [State.WAITING, State.REVIEW]
    assert entry(engine, "1")["due_at"] == SOON


def test_the_hash_of_the_last_update_outlives_a_request_without_one(ledger: Ledger, engine: Engine) -> None:
    """What was written once is known to be written, whatever is asked afterwards."""
    sent = send(ledger, claim(ledger, "17"), RequestKind.UPDATE)
    sending.record(ledger, [outcome(sent, Result.TAKEN, State.SENDING, updated_hash="payload-1")], now=NOW)
    act = send(ledger, sent.claim, RequestKind.ACT, request="r2")
    sending.record(ledger, [outcome(act, Result.REFUSED, State.READY, due_at=NOW)], now=NOW)
    (again,) = claims.claim(ledger, limit=1, lease=LEASE, now=NOW)
    assert again.updated_hash == entry(engine, "17")["updated_hash"] == "payload-1"


def test_update_and_act_can_go_in_two_steps(ledger: Ledger, engine: Engine) -> None:
    """Between the steps the lead stays this run's; each step is an attempt of its own under one decision."""
    held = claim(ledger, "17")
    update = send(ledger, held, RequestKind.UPDATE)
    sending.record(ledger, [outcome(update, Result.TAKEN, State.SENDING)], now=NOW)
    assert (entry(engine, "17")["state"], entry(engine, "17")["lease_owner"]) == ("sending", "first")
    act = attempt(held, RequestKind.ACT, request="r2")
    assert intend(ledger, act, now=SOON) == {"17"}
    assert entry(engine, "17")["lease_until"] == SOON + LEASE
    sending.record(ledger, [taken(act)], now=SOON)
    found = history(engine, "17")
    assert [(each["kind"], each["action"]) for each in found.attempts] == [("update", None), ("act", "process")]
    assert outcomes(engine, "17") == ["taken", "taken"]
    assert len(found.decisions) == 1


def test_a_batch_that_was_refused_as_a_whole_can_be_sent_in_halves(ledger: Ledger, engine: Engine) -> None:
    """Each try is on record; the leads stay this run's in between."""
    sent = send(ledger, claim(ledger, "17"))
    sending.record(ledger, [outcome(sent, Result.REFUSED, State.SENDING)], now=NOW)
    half = send(ledger, sent.claim, request="r2")
    sending.record(ledger, [taken(half)], now=NOW)
    assert outcomes(engine, "17") == ["refused", "taken"]
    assert states(engine, "17") == [State.PROCESSED]


def test_every_lead_of_a_request_has_an_outcome_of_its_own(ledger: Ledger, engine: Engine) -> None:
    """One call records what became of each."""
    make_ready(ledger, "1", "2", "3")
    one, two, three = (attempt(held) for held in claims.claim(ledger, limit=3, lease=LEASE, now=NOW))
    intend(ledger, one, two, three)
    sending.record(
        ledger,
        [
            taken(one),
            outcome(two, Result.IN_DOUBT, State.UNKNOWN, due_at=SOON),
            outcome(three, Result.REFUSED, State.FAILED, note="no"),
        ],
        now=NOW,
    )
    assert states(engine, "1", "2", "3") == [State.PROCESSED, State.UNKNOWN, State.FAILED]


def test_nothing_answered_changes_nothing(ledger: Ledger) -> None:
    """No outcomes and no conclusions cost no statement."""
    sending.record(ledger, [], now=NOW)
    sending.conclude(ledger, [], now=NOW)


def test_an_answer_is_recorded_whatever_characters_it_has(ledger: Ledger, engine: Engine) -> None:
    """LeadByte's words may hold what no database takes; losing the answer would be worse than losing a character."""
    sent = send(ledger, claim(ledger, "17"))
    words = "no\0 \ud83d ✓ £"
    sending.record(ledger, [replace(outcome(sent, Result.REFUSED, State.FAILED, note=words), message=words)], now=NOW)
    told = [entry(engine, "17")["note"], history(engine, "17").attempts[0]["message"]]
    assert told == ["no\ufffd \ufffd ✓ £"] * 2


def test_a_decision_without_a_request_is_concluded(ledger: Ledger, engine: Engine) -> None:
    """Hold and review with nothing to write: the decision is kept, each lead moves, nothing was sent."""
    make_ready(ledger, "1", "2")
    one, two = claims.claim(ledger, limit=2, lease=LEASE, now=NOW)
    sending.conclude(
        ledger,
        [Conclusion(one, HOLD, State.WAITING, SOON, "held"), Conclusion(two, HOLD, State.REVIEW, note="see\0 it")],
        now=NOW,
    )
    assert states(engine, "1", "2") == [State.WAITING, State.REVIEW]
    assert [entry(engine, "1")["due_at"], entry(engine, "2")["note"]] == [SOON, "see\ufffd it"]
    found = history(engine, "1")
    assert [each["verdict"] for each in found.decisions] == ["hold"]
    assert found.attempts == []
    assert (found.entry["lease_owner"], found.entry["decided_token"]) == (None, one.token)


def test_a_lead_whose_data_is_no_longer_complete_waits_again(ledger: Ledger, engine: Engine) -> None:
    """It goes back with what is missing now, and arrives anew when it does."""
    held = claim(ledger, "17")
    claims.reopen(ledger, held, Look("17", ["score"], "hash-2", due=False))
    row = entry(engine, "17")
    assert (row["state"], row["missing"], row["data_hash"]) == ("waiting", ["score"], "hash-2")
    assert (row["arrived_at"], row["due_at"], row["lease_owner"]) == (None, None, None)
