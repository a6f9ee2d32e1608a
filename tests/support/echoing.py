"""A LeadByte that repeats whatever it was sent in every answer that is not a plain success, in several spellings."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOT_UPDATED, POISON, FAILS, NOT_RELEASED, UNNAMED, STRANGER = "2", "3", "4", "5", "6", "7"
"""Ids of leads that are answered badly; every other is taken."""


def spellings(update: Mapping[str, Any]) -> str:
    """A complaint that quotes every value: as sent, as somebody would normalise it, as JSON."""
    phone = str(update.get("phone1", ""))
    international = f"+44{phone[1:]} / +44 {phone[1:5]} {phone[5:]} / {phone[:5]} {phone[5:8]} {phone[8:]}"
    quoted = "; ".join(f"{name} '{value}' is not valid" for name, value in update.items())
    return f"{quoted}; phone {international}; {json.dumps(update)}; {str(update).upper()}"


class _Answers(BaseHTTPRequestHandler):
    stranger = ""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_PUT(self) -> None:
        items = {item["quarantineId"]: item for item in self._read()["leads"]}
        everything = " | ".join(spellings(item.get("update", {})) for item in items.values())
        if POISON in items:
            self._answer(422, {"status": "Error", "message": "Invalid", "errors": [{"detail": everything}]})
        elif FAILS in items and items[FAILS].get("action"):
            self._answer(500, {"status": "Error", "message": everything})
        else:
            lines = [self._line(lead_id, item) for lead_id, item in items.items() if lead_id != UNNAMED]
            body: dict[str, Any] = {"status": "Success", "message": everything, "leads": lines}
            acts = {lead_id: item["action"] for lead_id, item in items.items() if item.get("action")}
            body["quaratineReleaseResults"] = [
                self._released(lead_id, action, items[lead_id])
                for lead_id, action in acts.items()
                if lead_id not in {NOT_UPDATED, UNNAMED, STRANGER}
            ]
            self._answer(200, body)

    def do_POST(self) -> None:
        asked = self._read()
        told = f"queued for {'processing' if asked['action'] == 'process' else 'rejection'}"
        self._answer(200, {"status": "Success", "details": {str(asked["quarantineId"]): told}})

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

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return found

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def echoing_leadbyte(stranger: str) -> Iterator[str]:
    """Give the address of one that lasts while the body runs; `stranger` is somebody whom it names unasked."""
    answers = type("Answers", (_Answers,), {"stranger": stranger, "protocol_version": "HTTP/1.1"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
