"""How the model's values become rows: one function a table, no decisions."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from leadgate.ledger.given import as_json
from leadgate.model import FINAL_STATES, Attempt, Claim, Conclusion, Decision, Lead, Look, Outcome, Result, State

Row = dict[str, Any]

# What PostgreSQL has no way to keep: LeadByte's words are recorded all the same, or the answer would be lost.
_UNKEEPABLE = dict.fromkeys([0, *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}")

NO_LEASE: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}


def storable(text: str) -> str:
    """Replace the characters that no database takes: NUL, and halves of surrogate pairs."""
    return text if text.isascii() and "\0" not in text else text.translate(_UNKEEPABLE)


def entry_row(pipeline: str, lead: Lead) -> Row:
    """A lead as it is first registered."""
    return {
        "pipeline": pipeline,
        "lead_id": lead.lead_id,
        "quarantined_at": lead.quarantined_at,
    }


def look_row(pipeline: str, look: Look) -> Row:
    """What a look found."""
    return {
        "pipeline": pipeline,
        "lead_id": look.lead_id,
        "state": State.READY if look.due else State.WAITING,
        "missing": as_json(list(look.missing)),
        "data_hash": look.data_hash,
        "late": look.late,
        "due": look.due,
        "complete": not look.missing,
    }


def conclusion_row(pipeline: str, conclusion: Conclusion) -> Row:
    """What a decision that needs no request makes of the entry."""
    return {
        "pipeline": pipeline,
        "lead_id": conclusion.claim.lead_id,
        "token": conclusion.claim.token,
        "state": conclusion.state,
        "due_at": conclusion.due_at,
        "note": conclusion.note and storable(conclusion.note),
    }


def decision_row(pipeline: str, claim: Claim, decision: Decision) -> Row:
    """A decision under the claim it was made with."""
    return {
        "pipeline": pipeline,
        "lead_id": claim.lead_id,
        "token": claim.token,
        "policy_version": decision.policy_version,
        "verdict": decision.verdict,
        "rule": decision.rule,
        "reason": storable(decision.reason),
        "late": decision.late,
        "facts": as_json(dict(decision.facts)),
        "unanswered": as_json(list(decision.unanswered)),
        "shadow": as_json(asdict(decision.shadow) if decision.shadow else None),
        "trace": as_json(None if decision.trace is None else list(decision.trace)),
        "decided_by": decision.decided_by,
        "paused": decision.paused,
    }


def intent_row(pipeline: str, attempt: Attempt, decision: Decision) -> Row:
    """A decision and the intent that follows from it."""
    return decision_row(pipeline, attempt.claim, decision) | {
        "request_id": attempt.request_id,
        "kind": attempt.kind,
        "action": attempt.action,
        "fields": as_json(list(attempt.fields)),
        "payload_hash": attempt.payload_hash,
    }


def attempt_row(pipeline: str, attempt: Attempt, owner: str, now: datetime) -> Row:
    """An intent that follows from no new decision; its outcome comes later."""
    return {
        "pipeline": pipeline,
        "lead_id": attempt.claim.lead_id,
        "request_id": attempt.request_id,
        "token": attempt.claim.token,
        "kind": attempt.kind,
        "action": attempt.action,
        "fields": list(attempt.fields),
        "payload_hash": attempt.payload_hash,
        "owner": owner,
        "sent_at": now,
    }


def outcome_row(pipeline: str, outcome: Outcome) -> Row:
    """How an attempt ended, and what that makes of the entry."""
    return {
        "pipeline": pipeline,
        "lead_id": outcome.attempt.claim.lead_id,
        "token": outcome.attempt.claim.token,
        "request_id": outcome.attempt.request_id,
        "result": outcome.result,
        "http_status": outcome.http_status,
        "message": storable(outcome.message),
        "state": outcome.state,
        "due_at": outcome.due_at,
        "note": outcome.note and storable(outcome.note),
        "uses_attempt": int(outcome.uses_attempt),
        "updated_hash": outcome.updated_hash,
        "inferred": outcome.inferred,
        "settled": outcome.state in FINAL_STATES,
        "goes_on": outcome.state is State.SENDING,
        "acted": outcome.result is Result.TAKEN and outcome.attempt.action is not None,
    }
