"""LeadByte's JSON as the sandbox reads and writes it: the documented bodies literally, the others marked as invented.

What is documented and what is not is listed in docs/sandbox.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from leadgate.model import Action, LeadRequest
from leadgate.sandbox.faults import RetryAfterForm, Settings

PREFIX = "/restapi/v1.3"
RELEASE_RESULTS = "quaratineReleaseResults"
"""Spelt as LeadByte spells it."""
_ACTIONS = {action.value: action for action in Action}
HTML = "<!DOCTYPE html><html><body><h1>We will be back shortly</h1></body></html>"
_DOING = {Action.PROCESS: "processing", Action.REJECT: "rejection"}


@dataclass(frozen=True, slots=True)
class SandboxReply:
    """What goes back: a status with JSON or text, or (no status) a dropped connection."""

    status: int | None
    body: Mapping[str, Any] | str = ""
    headers: Mapping[str, str] | None = None


@dataclass(slots=True)
class Effect:
    """What a request did to one lead, and how much of it the answer says."""

    lead_id: str
    action: Action | None
    updated: bool = False
    acted: bool = False
    gone: bool = False
    problem: str | None = None
    hidden: bool = False
    unsaid: bool = False

    def as_words(self) -> list[str]:
        """What was applied, for the record: such as ["updated", "queued for processing"]."""
        acted = [f"queued for {_DOING[self.action]}"] if self.acted and self.action else []
        return ["updated"] * self.updated + acted


DROPPED = SandboxReply(None)


def read_leads(body: object) -> list[LeadRequest]:
    """Read the body of PUT /leads; raise ValueError saying what is wrong with it."""
    items = body.get("leads") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise ValueError("leads must be a list")  # noqa: TRY004
    return [_read_item(item) for item in items]


def read_process(body: object) -> list[LeadRequest]:
    """Read the body of POST /quarantine/process; raise ValueError saying what is wrong with it."""
    asked = _read_item(body)
    if asked.action is None:
        raise ValueError("action is required")
    return [LeadRequest(asked.lead_id, action=asked.action)]


def write_leads(effects: Sequence[Effect]) -> dict[str, Any]:
    """Write the answer to PUT /leads; release results are in it only if an action was asked for."""
    answer: dict[str, Any] = {
        "status": "Success",
        "message": "OK",
        "leads": [_lead_line(effect) for effect in effects if not effect.hidden],
    }
    acts = [effect for effect in effects if effect.action]
    if acts:
        answer[RELEASE_RESULTS] = [_release_line(e) for e in acts if not (e.hidden or e.unsaid)]
    return answer


def write_process(effects: Sequence[Effect]) -> dict[str, Any]:
    """Write the answer to POST /quarantine/process; what it says where nothing was queued is invented."""
    details = {e.lead_id: _detail(e) for e in effects if not (e.hidden or e.unsaid)}
    if details and not any(effect.acted for effect in effects):
        return {"status": "Error", "message": "Nothing was processed", "details": details}
    return {"status": "Success", "message": "Quarantined lead(s) processed successfully", "details": details}


def error_body(message: str, *errors: str | Mapping[str, str]) -> dict[str, Any]:
    """Write an error. Invented, LeadByte documents none; `errors` holds texts or objects, as has been seen."""
    return {"status": "Error", "message": message} | ({"errors": list(errors)} if errors else {})


def busy(status: int, message: str, settings: Settings, now: datetime) -> SandboxReply:
    """Ask to come back later, with Retry-After in the form that is set."""
    seconds = math.ceil(settings.retry_after.total_seconds())
    match settings.retry_after_as:
        case RetryAfterForm.SECONDS:
            headers = {"Retry-After": str(seconds)}
        case RetryAfterForm.DATE:
            # An HTTP date has whole seconds: rounded up, so that it is never before the span is over.
            moment = (now + timedelta(seconds=seconds, microseconds=999_999)).replace(microsecond=0)
            headers = {"Retry-After": format_datetime(moment, usegmt=True)}
        case RetryAfterForm.NONE:
            headers = {}
    return SandboxReply(status, error_body(message), headers)


def _lead_line(effect: Effect) -> dict[str, Any]:
    if effect.updated:
        return {"quarantineId": effect.lead_id, "success": True, "message": "Quarantine lead updated"}
    message = "Quarantine lead not found" if effect.gone else "Quarantine lead not updated"
    line = {"quarantineId": effect.lead_id, "success": False, "message": message}
    return line | ({"errors": [effect.problem]} if effect.problem else {})


def _release_line(effect: Effect) -> str:
    return f"Quarantine ID '{effect.lead_id}' {_act_words(effect)}"


def _detail(effect: Effect) -> str:
    words = _act_words(effect)
    return words[0].upper() + words[1:]


def _act_words(effect: Effect) -> str:
    doing = _DOING[effect.action or Action.PROCESS]
    if effect.acted:
        return f"queued for {doing}"
    return "not found in quarantine" if effect.gone else f"could not be queued for {doing}"


def _read_item(item: object) -> LeadRequest:
    if not isinstance(item, dict):
        raise ValueError("a lead must be an object")  # noqa: TRY004
    update = item.get("update") or {}
    if not isinstance(update, dict):
        raise ValueError("update must be an object")  # noqa: TRY004
    return LeadRequest(_read_id(item.get("quarantineId")), update, _read_action(item.get("action")))


def _read_id(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise ValueError("quarantineId is required")
    return str(value)


def _read_action(value: object) -> Action | None:
    action = _ACTIONS.get(value) if isinstance(value, str) else None
    if value is not None and action is None:
        raise ValueError("action must be process or reject")
    return action
