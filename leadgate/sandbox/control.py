"""The sandbox's own API under /sandbox/: look at it and steer it while it runs. LeadByte has nothing like it.

It asks for no key: it is for one's own machine.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from leadgate.errors import ConfigError
from leadgate.sandbox.calls import Desk
from leadgate.sandbox.faults import read_span
from leadgate.sandbox.quarantine import LeadState

Answer = Callable[[web.Request], Awaitable[Any]]
_SHOWN_AT_ONCE = 1000
_SHOWN = ("number", "at", "method", "path", "key", "body", "applied", "faults", "status", "answer")
_dump = partial(json.dumps, default=datetime.isoformat)


def add_control(app: web.Application, desk: Desk) -> None:
    """Add the control API of a sandbox to its server."""
    control = Control(desk)
    for method, path, answer in (
        ("GET", "/sandbox/state", control.state),
        ("GET", "/sandbox/requests", control.requests),
        ("GET", "/sandbox/acts", control.acts),
        ("GET", "/sandbox/leads/{id}", control.lead),
        ("POST", "/sandbox/leads", control.put_leads),
        ("POST", "/sandbox/faults", control.change_faults),
        ("POST", "/sandbox/outage", control.begin_outage),
        ("POST", "/sandbox/reset", control.reset),
    ):
        app.router.add_route(method, path, _as_json(answer))


def _as_json(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Write what `answer` returns as JSON; a wrong request is a 400 that says what is wrong."""

    async def respond(request: web.Request) -> web.Response:
        try:
            answered = await answer(request)
            return answered if isinstance(answered, web.Response) else web.json_response(answered, dumps=_dump)
        except (ConfigError, ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return respond


class Control:
    """One method a control call; each returns what is to be written as JSON, or a whole response."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def state(self, _: web.Request) -> dict[str, Any]:
        """The counts of everything, and the switches."""
        return self._desk.state()

    async def requests(self, request: web.Request) -> list[dict[str, Any]]:
        """The recorded requests after number `after`, the first 1,000 of them, in the order they arrived."""
        after = int(request.query.get("after", 0))
        found = sorted((e for e in self._desk.requests if e.number > after), key=lambda recorded: recorded.number)
        return [{name: getattr(recorded, name) for name in _SHOWN} for recorded in found[:_SHOWN_AT_ONCE]]

    async def acts(self, _: web.Request) -> dict[str, list[dict[str, Any]]]:
        """Every act by lead."""
        return {lead_id: [act._asdict() for act in acts] for lead_id, acts in self._desk.quarantine.acts.items()}

    async def lead(self, request: web.Request) -> dict[str, Any]:
        """One lead as it stands now; 404 if it was never seen."""
        try:
            lead = self._desk.quarantine.lead(request.match_info["id"])
        except KeyError:
            raise web.HTTPNotFound(text=json.dumps({"error": "never seen"}), content_type="application/json") from None
        acts = [act._asdict() for act in self._desk.quarantine.acts.get(lead.lead_id, [])]
        return {"id": lead.lead_id, "state": lead.state, "fields": lead.fields, "acts": acts}

    async def put_leads(self, request: web.Request) -> dict[str, Any]:
        """Add leads (`ids`), or with `state` move them there, `after` some seconds if that is given."""
        body = await _read_object(request, {"ids", "state", "after"})
        ids = body.get("ids")
        if not isinstance(ids, list):
            raise ValueError("ids must be a list of lead ids")  # noqa: TRY004
        if "state" in body:
            self._desk.quarantine.move(ids, LeadState(body["state"]), read_span(body.get("after", 0)))
        else:
            self._desk.quarantine.add(ids)
        return {"leads": self._desk.quarantine.counts()}

    async def change_faults(self, request: web.Request) -> dict[str, Any]:
        """Set the switches that are named and leave the others; null switches one off."""
        self._desk.faults.change(await _read_object(request))
        return self._desk.faults.as_dict()

    async def begin_outage(self, request: web.Request) -> web.Response:
        """Refuse connections for `seconds`; this answer still comes through, as the last one."""
        body = await _read_object(request, {"seconds"})
        self._desk.door.shut_for(read_span(body.get("seconds")), spare=request.protocol)
        answer = web.json_response({"refusing_for": body["seconds"]})
        answer.force_close()
        return answer

    async def reset(self, _: web.Request) -> dict[str, Any]:
        """Forget everything, and put the switches where they were at the start."""
        self._desk.reset()
        return self._desk.state()


async def _read_object(request: web.Request, known: set[str] | None = None) -> dict[str, Any]:
    body = await request.json()
    if not isinstance(body, dict) or (known and not body.keys() <= known):
        raise ValueError(
            f"the body must be a JSON object with {', '.join(sorted(known or {'switches'}))} and nothing else"
        )
    return body
