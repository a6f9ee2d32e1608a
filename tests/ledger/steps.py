"""The steps of a lead's way through the ledger, each with what a test does not care about filled in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.ledger.history import History, read_history
from leadgate.model import (
    Action,
    Attempt,
    Claim,
    Decision,
    Lead,
    LeadRequest,
    Look,
    Outcome,
    RequestKind,
    Result,
    State,
    Verdict,
)

PIPELINE = "acme"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = timedelta(minutes=5)
UNKNOWN_AFTER = timedelta(minutes=7)
AFTER_LEASE = NOW + LEASE + timedelta(seconds=1)

PROCESS = Decision(Verdict.PROCESS, "verified", "Phone verified.", "v1", facts={"score": 0.7})
REJECT = Decision(Verdict.REJECT, "opted-out", "The person opted out.", "v1")
HOLD = Decision(Verdict.HOLD, None, "Not sure yet.", "v1")


def leads(*ids: str, quarantined_at: datetime = NOW - timedelta(hours=1)) -> list[Lead]:
    """Leads with these ids."""
    return [Lead(lead_id, quarantined_at) for lead_id in ids]


def complete(lead_id: str) -> Look:
    """A look that found everything."""
    return Look(lead_id, [], "hash-1", due=True)


def make_ready(ledger: Ledger, *ids: str, now: datetime = NOW) -> None:
    """Register leads and find them complete."""
    waiting.register(ledger, leads(*ids), now=now)
    waiting.note_looks(ledger, [complete(lead_id) for lead_id in ids], now=now)


def claim(ledger: Ledger, *ids: str, now: datetime = NOW) -> Claim:
    """Make leads ready, claim them all, and give the claim of the first."""
    make_ready(ledger, *ids, now=now)
    return {found.lead_id: found for found in claims.claim(ledger, limit=100, lease=LEASE, now=now)}[ids[0]]


def attempt(
    held: Claim, kind: RequestKind = RequestKind.UPDATE_AND_ACT, *, action: Action = Action.PROCESS, request: str = "r1"
) -> Attempt:
    """The intent of one request; an act goes with the kinds that carry one."""
    updates, acts = kind is not RequestKind.ACT, kind in {RequestKind.ACT, RequestKind.UPDATE_AND_ACT}
    asked = LeadRequest(held.lead_id, {"postcode": "N1"} if updates else {}, action if acts else None)
    decision = None if kind is RequestKind.PROBE else PROCESS
    return Attempt(held, asked, decision, "payload-1" if updates else None, request)


def intend(ledger: Ledger, *attempted: Attempt, decision: Decision = PROCESS, now: datetime = NOW) -> set[str]:
    """Commit intents, all with one decision but for probes, which have none."""
    decided = [replace(each, decision=each.decision and decision) for each in attempted]
    return set(sending.intend(ledger, decided, lease=LEASE, now=now).may_go)


def outcome(of: Attempt, result: Result, state: State, **more: Any) -> Outcome:  # noqa: ANN401
    """How an attempt ended."""
    return Outcome(attempt=of, result=result, http_status=200, message="OK", state=state, **more)


def taken(of: Attempt) -> Outcome:
    """LeadByte took the act."""
    settled = {Action.PROCESS: State.PROCESSED, Action.REJECT: State.REJECTED}
    assert of.request.action
    return outcome(of, Result.TAKEN, settled[of.request.action])


def send(ledger: Ledger, held: Claim, kind: RequestKind = RequestKind.UPDATE_AND_ACT, **more: Any) -> Attempt:  # noqa: ANN401
    """Commit the intent of one request for a claimed lead; its answer is still to come."""
    sent = attempt(held, kind, **more)
    assert intend(ledger, sent) == {held.lead_id}
    return sent


def rescue(ledger: Ledger) -> int:
    """Rescue what is left when every lease of NOW has ended."""
    return claims.rescue(ledger, unknown_after=UNKNOWN_AFTER, now=AFTER_LEASE)


def history(engine: Engine, lead_id: str) -> History:
    """Everything about a lead that has an entry."""
    found = read_history(Ledger(engine, pipeline=PIPELINE, owner="reader"), lead_id)
    assert found
    return found


def entry(engine: Engine, lead_id: str) -> dict[str, Any]:
    """A lead's row."""
    return dict(history(engine, lead_id).entry)


def states(engine: Engine, *ids: str) -> list[State]:
    """Where these leads are."""
    return [State(entry(engine, lead_id)["state"]) for lead_id in ids]


def outcomes(engine: Engine, lead_id: str) -> Sequence[str | None]:
    """How a lead's attempts ended, in order."""
    return [each["outcome"] for each in history(engine, lead_id).attempts]


def attempt_row(lead_id: str = "17", **changes: object) -> dict[str, object]:
    """A possible row of an attempt, an update in flight, but for the changes."""
    row = {"pipeline": PIPELINE, "lead_id": lead_id, "request_id": "r1", "token": 1, "kind": "update", "action": None}
    return row | {"fields": [], "owner": "first", "sent_at": NOW} | changes
