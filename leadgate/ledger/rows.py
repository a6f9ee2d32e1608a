"""How the model's values become rows: one function a table, no decisions."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from leadgate.model import FINAL_STATES, Attempt, Claim, Decision, Lead, Look, Outcome, Result, State

Row = dict[str, Any]

# What PostgreSQL has no way to keep: LeadByte's words are recorded all the same, or the answer would be lost.
_UNKEEPABLE = dict.fromkeys([0, *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}")

NO_LEASE: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}


def storable(text: str) -> str:
    """Replace the characters that no database takes: NUL, and halves of surrogate pairs."""
    return text.translate(_UNKEEPABLE)


def entry_row(pipeline: str, lead: Lead, now: datetime) -> Row:
    """A lead as it is first registered."""
    return {
        "pipeline": pipeline,
        "lead_id": lead.lead_id,
        "state": State.WAITING,
        "quarantined_at": lead.quarantined_at,
        "registered_at": now,
    }


def look_row(look: Look) -> Row:
    """What a look found, for the update that records it."""
    return {
        "b_lead_id": look.lead_id,
        "b_state": State.READY if look.due else State.WAITING,
        "b_missing": list(look.missing),
        "b_data_hash": look.data_hash,
        "b_late": look.late,
        "b_due": int(look.due),
        "b_complete": int(not look.missing),
    }


def decision_row(pipeline: str, claim: Claim, decision: Decision, now: datetime) -> Row:
    """A decision under the claim it was made with."""
    return {
        "pipeline": pipeline,
        "lead_id": claim.lead_id,
        "token": claim.token,
        "decided_at": now,
        "policy_version": decision.policy_version,
        "verdict": decision.verdict,
        "rule": decision.rule,
        "reason": storable(decision.reason),
        "late": decision.late,
        "facts": dict(decision.facts),
        "unanswered": list(decision.unanswered),
        "shadow": asdict(decision.shadow) if decision.shadow else None,
        "trace": None if decision.trace is None else list(decision.trace),
        "decided_by": decision.decided_by,
        "paused": decision.paused,
    }


def attempt_row(pipeline: str, attempt: Attempt, owner: str, now: datetime) -> Row:
    """An intent; its outcome comes later."""
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


def ended_row(outcome: Outcome) -> Row:
    """How an attempt ended, for the update that records it."""
    return {
        "b_lead_id": outcome.attempt.claim.lead_id,
        "b_request_id": outcome.attempt.request_id,
        "b_result": outcome.result,
        "b_http_status": outcome.http_status,
        "b_message": storable(outcome.message),
    }


def moved_row(outcome: Outcome, now: datetime) -> Row:
    """What an attempt's end makes of the entry, for the update that records it."""
    return {
        "b_lead_id": outcome.attempt.claim.lead_id,
        "b_token": outcome.attempt.claim.token,
        "b_state": outcome.state,
        "b_due_at": outcome.due_at,
        "b_note": outcome.note and storable(outcome.note),
        "b_uses_attempt": int(outcome.uses_attempt),
        "b_updated_hash": outcome.updated_hash,
        "b_inferred": outcome.inferred,
        "b_settled_at": now if outcome.state in FINAL_STATES else None,
        "b_goes_on": int(outcome.state is State.SENDING),
        "b_acted": int(outcome.result is Result.TAKEN and outcome.attempt.action is not None),
    }
