"""How the model's values become rows: one function a table, no decisions."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import JSON

from leadgate.ledger.many_rows import as_json
from leadgate.ledger.schema import DECISION
from leadgate.model import (
    FINAL_STATES,
    Arrivals,
    Attempt,
    Claim,
    Conclusion,
    Decision,
    Look,
    Outcome,
    Result,
    Seen,
    State,
)

Row = dict[str, Any]

# What PostgreSQL has no way to keep: LeadByte's words are recorded all the same, or the answer would be lost.
_UNKEEPABLE = dict.fromkeys([0, *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}")

NO_LEASE: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}
NO_DOUBT: Mapping[str, Any] = {"doubt_since": None, "doubt_action": None, "doubt_theirs": None}

DECIDED = [DECISION[field.name] for field in fields(Decision)]
"""The columns that a decision fills: each is named as its field."""
_NAMES = [field.name for field in fields(Decision)]
_VALUES = attrgetter(*_NAMES)
_AS_JSON = [name for name in _NAMES if isinstance(DECISION[name].type, JSON)]


def storable(text: str) -> str:
    """Replace the characters that no database takes: NUL, and halves of surrogate pairs."""
    return text if text.isascii() and "\0" not in text else text.translate(_UNKEEPABLE)


def seconds_of(deadline: timedelta | None) -> int:
    """A lead's own deadline as an entry keeps it."""
    return int(deadline.total_seconds()) if deadline else 0


def look_row(pipeline: str, look: Look, arrivals: Arrivals | None) -> Row:
    """What a look found, and what is known by it of when the lead's data came."""
    return {
        "pipeline": pipeline,
        "lead_id": look.lead_id,
        "state": State.READY if look.due else State.WAITING,
        "missing": as_json(look.missing),
        "deadline": seconds_of(look.deadline),
        "data_hash": look.data_hash,
        "late": look.late,
        "arrivals": as_json(arrivals),
        "due": look.due,
        "complete": not look.missing,
    }


def seen_row(seen: Seen | None) -> str | None:
    """What a decision went by, as an entry keeps it."""
    return as_json({"columns": seen.columns, "data_hash": seen.data_hash}) if seen else None


def _claim_row(pipeline: str, claim: Claim) -> Row:
    """The claim that a row is written under."""
    return {"pipeline": pipeline, "lead_id": claim.lead_id, "token": claim.token}


def conclusion_row(pipeline: str, conclusion: Conclusion) -> Row:
    """What a decision that needs no request makes of the entry."""
    return _claim_row(pipeline, conclusion.claim) | {
        "state": conclusion.state,
        "due_at": conclusion.due_at,
        "note": conclusion.note and storable(conclusion.note),
        "put_off": conclusion.decision.paused,
        "seen": seen_row(conclusion.seen),
    }


def decision_row(pipeline: str, claim: Claim, decision: Decision) -> Row:
    """A decision under the claim it was made with."""
    row = _claim_row(pipeline, claim)
    row.update(zip(_NAMES, _VALUES(decision), strict=True))
    row["reason"] = storable(decision.reason)
    for name in _AS_JSON:
        row[name] = as_json(row[name])
    return row


def intent_row(pipeline: str, attempt: Attempt) -> Row:
    """An intent, and the decision that it follows from; a probe follows from an older one."""
    claim, decision = attempt.claim, attempt.decision
    row = decision_row(pipeline, claim, decision) if decision else _claim_row(pipeline, claim)
    row["request_id"] = attempt.request_id
    row["kind"] = attempt.kind
    row["action"] = attempt.request.action
    row["fields"] = as_json(list(attempt.request.update))
    row["payload_hash"] = attempt.payload_hash
    return row


def outcome_row(pipeline: str, outcome: Outcome) -> Row:
    """How an attempt ended, and what that makes of the entry."""
    claim, decision = outcome.attempt.claim, outcome.attempt.decision
    return {
        "pipeline": pipeline,
        "lead_id": claim.lead_id,
        "token": claim.token,
        "request_id": outcome.attempt.request_id,
        "outcome": outcome.result,
        "http_status": outcome.http_status,
        "message": storable(outcome.message),
        "state": outcome.state,
        "due_at": outcome.due_at,
        "note": outcome.note and storable(outcome.note),
        "is_refusal": int(outcome.is_refusal),
        "updated_hash": outcome.updated_hash,
        "inferred": outcome.inferred,
        "settled": outcome.state in FINAL_STATES,
        "goes_on": outcome.goes_on,
        "put_off": outcome.result is Result.TAKEN and decision is not None and decision.paused,
        "acted": outcome.result is Result.TAKEN and outcome.attempt.request.action is not None,
        "ends_doubt": outcome.ends_doubt,
        "dates_doubt": outcome.dates_doubt,
        "acts_again": outcome.acts_again,
        "shape": outcome.shape or None,
        "seen": seen_row(outcome.seen),
        "doubt_theirs": outcome.theirs,
    }
