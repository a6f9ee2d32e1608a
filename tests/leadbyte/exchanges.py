"""LeadByte's exchanges, literally as documented, and short ways to make the others."""

import json
from typing import Any

from leadgate.leadbyte.answers import Reply, judge_act, judge_put
from leadgate.leadbyte.wire import read_body
from leadgate.model import Action, Answer, Certainty, LeadRequest

LEAD = "2932682"
UPDATE = LeadRequest(LEAD, update={"postcode": "TN25 6QD"})
PROCESS = LeadRequest(LEAD, update={"postcode": "TN25 6QD"}, action=Action.PROCESS)
REJECT = LeadRequest(LEAD, update={"postcode": "TN25 6QD"}, action=Action.REJECT)
POSTED = LeadRequest("8419715", action=Action.PROCESS)

UPDATE_BODY = '{"leads": [{"quarantineId": "2932682", "update": {"postcode": "TN25 6QD"}}]}'
PROCESS_BODY = '{"leads": [{"quarantineId": "2932682", "update": {"postcode": "TN25 6QD"}, "action": "process"}]}'
POSTED_BODY = '{"quarantineId": 8419715, "action": "process"}'

UPDATED_ANSWER = """
{"status": "Success", "message": "OK",
 "leads": [{"quarantineId": "2932682", "success": true, "message": "Quarantine lead updated"}]}
"""
PROCESSED_ANSWER = """
{"status": "Success", "message": "OK",
 "leads": [{"quarantineId": "2932682", "success": true, "message": "Quarantine lead updated"}],
 "quaratineReleaseResults": ["Quarantine ID '2932682' queued for processing"]}
"""
POSTED_ANSWER = """
{"status": "Success", "message": "Quarantined lead(s) processed successfully",
 "details": {"8419715": "Queued for processing"}}
"""


def reply(body: object, status: int = 200) -> Reply:
    """A reply as the client makes it of a status and a body (text, or what JSON is made of)."""
    return Reply(status, read_body(body if isinstance(body, str) else json.dumps(body)))


def lead_says(success: object = True, message: object = "Quarantine lead updated", **more: object) -> dict[str, Any]:
    """One entry of `leads`."""
    return {"quarantineId": LEAD, "success": success, "message": message, **more}


def put_says(*results: object, success: object = True, **more: object) -> Reply:
    """An answer to PUT /leads of one lead, with these release results."""
    body: dict[str, Any] = {"status": "Success", "message": "OK", "leads": [lead_says(success, **more)]}
    return reply(body | ({"quaratineReleaseResults": list(results)} if results else {}))


def put_one(request: LeadRequest, given: Reply) -> Answer:
    """The answer for one lead sent alone."""
    (answer,) = judge_put([request], given)
    return answer


def proven(answer: Answer) -> tuple[Certainty, bool | None, bool | None, bool]:
    """What the ledger acts upon: certainty, updated, acted, gone."""
    return answer.certainty, answer.updated, answer.acted, answer.gone


def judged(request: LeadRequest, given: Reply) -> Answer:
    """The answer to the call that the request needs."""
    return judge_act(request, given) if request is POSTED else put_one(request, given)
