"""The two calls of LeadByte: who may ask, which fault strikes when, and what is done to each lead.

The order is fixed: wait, key, body, faults before, apply (one step, never interrupted), faults after, answer.
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from leadgate.clock import Clock, utc_now
from leadgate.model import LeadRequest
from leadgate.sandbox.bodies import (
    DROPPED,
    HTML,
    PREFIX,
    Effect,
    SandboxReply,
    busy,
    error_body,
    read_leads,
    read_process,
    write_leads,
    write_process,
)
from leadgate.sandbox.door import Door
from leadgate.sandbox.faults import FaultName, Faults, Permission
from leadgate.sandbox.quarantine import LeadState, Quarantine

PRACTICE_KEY = "practice-key"


class Call(NamedTuple):
    """One documented call: its method, and how its JSON is read and written."""

    method: str
    read: Callable[[object], list[LeadRequest]]
    write: Callable[[Sequence[Effect]], dict[str, Any]]


CALLS = {
    f"{PREFIX}/leads": Call("PUT", read_leads, write_leads),
    f"{PREFIX}/quarantine/process": Call("POST", read_process, write_process),
}

Fires = Callable[[FaultName], bool]
"""Whether a fault strikes the request, or the lead, that is being dealt with."""
_STATUS_ERROR = error_body("An error occurred", "Please try again", {"message": "Nothing was changed"})


@dataclass(slots=True)
class SandboxRequest:
    """One request and its answer, as recorded. `key` is a label such as key-1; status None is a lost connection."""

    number: int
    at: datetime
    method: str
    path: str
    key: str = "none"
    body: Any = None
    asked: list[LeadRequest] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    status: int | None = None
    answer: Mapping[str, Any] | str = ""

    @property
    def applied(self) -> dict[str, list[str]]:
        """What was applied by lead: such as {"17": ["updated", "queued for processing"]}."""
        return {effect.lead_id: words for effect in self.effects if (words := effect.as_words())}


class Desk:
    """Answers requests for leads in a quarantine, faults and all, and keeps the last `keep` of them on record.

    `lag` is how long a queued act takes, `latency` how long every answer does.
    """

    def __init__(  # noqa: PLR0913 - each is a knob of its own, by keyword
        self,
        *,
        keys: Mapping[str, Permission] | None = None,
        lag: timedelta = timedelta(),
        latency: timedelta = timedelta(),
        faults: Faults | Mapping[str, object] | None = None,
        strict: bool = False,
        keep: int = 10_000,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_request: Callable[[SandboxRequest], None] | None = None,
    ) -> None:
        self._keys = dict(keys or {PRACTICE_KEY: Permission.FULL})
        self.key = next(iter(self._keys))
        self.faults = faults if isinstance(faults, Faults) else Faults(faults or {})
        self.quarantine = Quarantine(lag=lag, clock=clock, strict=strict)
        self.door = Door(sleep)
        self.sleep = sleep
        """How a slow answer waits; it may be changed at any time, as the switches may."""
        self.begun = 0
        """How many requests have arrived, answered or not."""
        self.answers: Counter[str] = Counter()
        """How many requests got which status; "dropped" are those that got none."""
        self.on_request = on_request
        self._latency, self._clock = latency, clock
        self._requests: deque[SandboxRequest] = deque(maxlen=keep)

    def now(self) -> datetime:
        """The present instant by this LeadByte's clock."""
        return self._clock()

    @property
    def requests(self) -> list[SandboxRequest]:
        """The recorded requests in the order they were answered: a copy."""
        return list(self._requests)

    def reset(self) -> None:
        """Forget every lead, act and request, and put the switches where they were at the start."""
        self.quarantine.clear()
        self._requests.clear()
        self.answers.clear()
        self.faults.reset()

    def state(self) -> dict[str, Any]:
        """The counts, as GET /sandbox/state shows them."""
        acts = Counter(act.action.value for of_lead in self.quarantine.acts.values() for act in of_lead)
        return {
            "leads": self.quarantine.counts(),
            "acts": {"process": acts["process"], "reject": acts["reject"]},
            "acted_twice": self.quarantine.acted_twice(),
            "requests": self.answers.total(),
            "answers": dict(self.answers),
            "faults": self.faults.as_dict(),
        }

    async def answer(
        self, call: Call | None, method: str, path: str, key: str | None, payload: Callable[[], Awaitable[bytes]]
    ) -> SandboxReply:
        """Answer a request, and put it on record; without a `call` there is none of that method and path."""
        self.begun += 1
        request = SandboxRequest(self.begun, self._clock(), method, path)
        if key is not None:
            request.key = f"key-{list(self._keys).index(key) + 1}" if key in self._keys else "wrong"
        permission = self._keys.get(key or "")
        if permission:
            permission = self.faults.settings.permission or permission
        if call:
            reply = await self._do(call, request, permission, await payload())
        else:
            reply = SandboxReply(404, error_body("There is no such call"))
        request.status, request.answer = reply.status, reply.body
        self._requests.append(request)
        self.answers[str(reply.status or "dropped")] += 1
        if self.on_request:
            self.on_request(request)
        return reply

    async def _do(
        self, call: Call, request: SandboxRequest, permission: Permission | None, payload: bytes
    ) -> SandboxReply:
        """Do what a request asks, as far as the faults let it; every act it asked for is put on record."""
        reply: SandboxReply | None = None
        try:
            request.body = json.loads(payload)
            request.asked = call.read(request.body)
        except ValueError as error:
            problem = "The body is not JSON" if isinstance(error, json.JSONDecodeError) else str(error)
            reply = SandboxReply(400, error_body(problem))
        fires = partial(self._fires, request, request.asked)
        span = self._latency + (self.faults.settings.slow_for if fires(FaultName.SLOW) else timedelta())
        if span:
            await self.sleep(span.total_seconds())
        reply = self._check_key(request, permission, fires) or reply or self._spoil_before(request, fires)
        if reply is None:
            request.effects = [self._apply(asked, request) for asked in request.asked]
        self._note_attempts(request)
        return reply or await self._spoil_after(fires) or SandboxReply(200, call.write(request.effects))

    def _fires(self, request: SandboxRequest, asked: Sequence[LeadRequest], fault: FaultName) -> bool:
        """Whether a fault strikes these leads of a request; with every switch off this costs nothing to speak of."""
        return bool(self.faults) and self.faults.fires(fault, [lead.lead_id for lead in asked], request.faults)

    def _check_key(self, request: SandboxRequest, permission: Permission | None, fires: Fires) -> SandboxReply | None:
        if permission is None or fires(FaultName.KEY_REFUSED):
            return SandboxReply(401, error_body("Invalid API key"))
        updates = request.method == "PUT"
        acts = not updates or any(asked.action for asked in request.asked)
        if updates and not permission.may_update:
            return SandboxReply(403, error_body("This API key lacks the permission Leads > Update"))
        if acts and not permission.may_process:
            return SandboxReply(403, error_body("This API key lacks the permission Quarantine > Process"))
        return None

    def _spoil_before(self, request: SandboxRequest, fires: Fires) -> SandboxReply | None:
        settings = self.faults.settings
        if fires(FaultName.REFUSE):
            self.door.shut_for(settings.refuse_for)
            return DROPPED
        if fires(FaultName.TOO_MANY):
            return busy(429, "Too many requests", settings, self._clock())
        if fires(FaultName.UNAVAILABLE):
            return busy(503, "Service unavailable", settings, self._clock())
        if spoilt := self._spoil(fires, FaultName.ERROR_BEFORE, FaultName.DROP_BEFORE, FaultName.NOT_JSON_BEFORE):
            return spoilt
        if fires(FaultName.STATUS_ERROR):
            return SandboxReply(200, _STATUS_ERROR)
        poisons = (self._fires(request, [asked], FaultName.POISON) for asked in request.asked)
        return SandboxReply(400, error_body("Invalid request")) if any(poisons) else None

    async def _spoil_after(self, fires: Fires) -> SandboxReply | None:
        if fires(FaultName.SLOW_AFTER):
            await self.sleep(self.faults.settings.slow_for.total_seconds())
        return self._spoil(fires, FaultName.ERROR_AFTER, FaultName.DROP_AFTER, FaultName.NOT_JSON_AFTER)

    def _spoil(self, fires: Fires, error: FaultName, drop: FaultName, not_json: FaultName) -> SandboxReply | None:
        if fires(error):
            return SandboxReply(self.faults.settings.error_status, HTML)
        if fires(drop):
            return DROPPED
        return SandboxReply(200, HTML) if fires(not_json) else None

    def _apply(self, asked: LeadRequest, request: SandboxRequest) -> Effect:
        """Do what is asked of one lead, in one step."""
        effect = Effect(asked.lead_id, asked.action)
        struck = partial(self._fires, request, [asked])
        if struck(FaultName.MISSING_BEFORE):
            effect.hidden = True
            return effect
        lead = self.quarantine.find(asked.lead_id)
        if lead and struck(FaultName.MOVED):
            self.quarantine.move([asked.lead_id], LeadState.MOVED)
            lead = None
        if lead is None:
            effect.gone = True
        elif not asked.update and request.method == "PUT":
            effect.problem = "No fields to update"
        elif struck(FaultName.NOT_SUCCESS):
            effect.problem = "A field has a value that is not valid"
        else:
            if asked.update and not (asked.action and struck(FaultName.RELEASE_ANYWAY)):
                lead.fields.update(asked.update)
                effect.updated = True
            if asked.action and not struck(FaultName.RELEASE_REFUSED):
                self.quarantine.queue(lead, asked.action, request.number)
                effect.acted = True
            if not effect.acted and struck(FaultName.MOVED_AFTER):
                self.quarantine.move([asked.lead_id], LeadState.MOVED)
        effect.hidden = struck(FaultName.MISSING_AFTER)
        effect.unsaid = asked.action is not None and struck(FaultName.RELEASE_UNSAID)
        return effect

    def _note_attempts(self, request: SandboxRequest) -> None:
        """Record the acts that were asked for and not accepted, whatever kept them from it."""
        effects = request.effects or [Effect(asked.lead_id, asked.action) for asked in request.asked]
        for effect in effects:
            if effect.action and not effect.acted:
                self.quarantine.note_attempt(effect.lead_id, effect.action, request.number)
