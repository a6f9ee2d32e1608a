"""A LeadByte that repeats whatever it was sent in every answer that is not a plain success, in several spellings."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support.http_server import Handler, serving

NOT_UPDATED, POISON, FAILS, NOT_RELEASED, UNNAMED, STRANGER = "2", "3", "4", "5", "6", "7"
"""Ids of leads that are answered badly; every other is taken."""


def spellings(update: Mapping[str, Any]) -> str:
    """A complaint that quotes every value: as sent, as somebody would normalise it, as JSON."""
    phone = str(update.get("phone1", ""))
    international = f"+44{phone[1:]} / +44 {phone[1:5]} {phone[5:]} / {phone[:5]} {phone[5:8]} {phone[8:]}"
    quoted = "; ".join(f"{name} '{value}' is not valid" for name, value in update.items())
    return f"{quoted}; phone {international}; {json.dumps(update)}; {str(update).upper()}"


class _Answers(Handler):
    stranger = ""

    def respond(self) -> None:
        (self._put if self.command == "PUT" else self._post)()

    def _put(self) -> None:
        items = {item["quarantineId"]: item for item in self.read_json()["leads"]}
        everything = " | ".join(spellings(item.get("update", {})) for item in items.values())
        if POISON in items:
            self.answer_json(422, {"status": "Error", "message": "Invalid", "errors": [{"detail": everything}]})
        elif FAILS in items and items[FAILS].get("action"):
            self.answer_json(500, {"status": "Error", "message": everything})
        else:
            lines = [self._line(lead_id, item) for lead_id, item in items.items() if lead_id != UNNAMED]
            body: dict[str, Any] = {"status": "Success", "message": everything, "leads": lines}
            acts = {lead_id: item["action"] for lead_id, item in items.items() if item.get("action")}
            body["quaratineReleaseResults"] = [
                self._released(lead_id, action, items[lead_id])
                for lead_id, action in acts.items()
                if lead_id not in {NOT_UPDATED, UNNAMED, STRANGER}
            ]
            self.answer_json(200, body)

    def _post(self) -> None:
        asked = self.read_json()
        told = f"queued for {'processing' if asked['action'] == 'process' else 'rejection'}"
        self.answer_json(200, {"status": "Success", "details": {str(asked["quarantineId"]): told}})

    def _line(self, lead_id: str, item: Mapping[str, Any]) -> dict[str, Any]:
        if lead_id == NOT_UPDATED:
            errors = [spellings(item.get("update", {}))]
            return {"quarantineId": lead_id, "success": False, "message": "Not updated", "errors": errors}
        if lead_id == STRANGER:
            return {"quarantineId": lead_id, "success": False, "message": f"Duplicate of {self.stranger}"}
        return {"quarantineId": lead_id, "success": True, "message": "Quarantine lead updated"}

    def _released(self, lead_id: str, action: str, item: Mapping[str, Any]) -> str:
        doing = "processing" if action == "process" else "rejection"
        if lead_id == NOT_RELEASED:
            return f"Quarantine ID '{lead_id}' could not be queued for {doing}: {spellings(item.get('update', {}))}"
        return f"Quarantine ID '{lead_id}' queued for {doing}"


@contextmanager
def echoing_leadbyte(stranger: str) -> Iterator[str]:
    """Give the address of one that lasts while the body runs; `stranger` is somebody whom it names unasked."""
    with serving(type("Answers", (_Answers,), {"stranger": stranger})) as place:
        yield f"http://{place}"
