"""The two calls of LeadByte: who may ask, which fault strikes when, and what is done to each lead.

The order is fixed: wait, key, body, faults before, apply (one step, never interrupted), faults after, answer.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from leadgate.clock import Clock
from leadgate.model import LeadRequest
from leadgate.sandbox.bodies import (
    DROPPED,
    HTML,
    PREFIX,
    Effect,
    Reply,
    busy,
    error_body,
    read_leads,
    read_process,
    write_leads,
    write_process,
)
from leadgate.sandbox.faults import Fault, Faults, Permission
from leadgate.sandbox.quarantine import LeadState, Quarantine


class Call(NamedTuple):
    """One documented call: its method, and how its JSON is read and written."""

    method: str
    read: Callable[[object], list[LeadRequest]]
    write: Callable[[Sequence[Effect]], dict[str, Any]]


CALLS = {
    f"{PREFIX}/leads": Call("PUT", read_leads, write_leads),
    f"{PREFIX}/quarantine/process": Call("POST", read_process, write_process),
}

_STATUS_ERROR = error_body("An error occurred", "Please try again", {"message": "Nothing was changed"})


@dataclass(slots=True)
class Exchange:
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


@dataclass
class Desk:
    """Answers requests for leads in a quarantine, faults and all."""

    quarantine: Quarantine
    faults: Faults
    keys: Mapping[str, Permission]
    latency: timedelta
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    shut_for: Callable[[timedelta], None]
    number: int = 0

    def begin(self, method: str, path: str, key: str | None) -> tuple[Exchange, Permission | None]:
        """Open the record of a request, and say what its key may do; None is a key that is not known."""
        self.number += 1
        exchange = Exchange(self.number, self.clock(), method, path)
        if key is not None:
            exchange.key = f"key-{list(self.keys).index(key) + 1}" if key in self.keys else "wrong"
        permission = self.keys.get(key or "")
        return exchange, permission and (self.faults.settings.permission or permission)

    async def answer(self, call: Call, exchange: Exchange, permission: Permission | None, payload: bytes) -> Reply:
        """Do what a request asks, as far as the faults let it; every act it asked for is put on record."""
        reply: Reply | None = None
        try:
            exchange.body = json.loads(payload)
            exchange.asked = call.read(exchange.body)
        except ValueError as error:
            problem = "The body is not JSON" if isinstance(error, json.JSONDecodeError) else str(error)
            reply = Reply(400, error_body(problem))
        fires = partial(self._fires, exchange)
        span = self.latency + (self.faults.settings.slow_for if fires(Fault.SLOW) else timedelta())
        if span:
            await self.sleep(span.total_seconds())
        reply = self._check_key(exchange, permission, fires) or reply or self._spoil_before(exchange, fires)
        if reply is None:
            exchange.effects = [self._apply(asked, exchange) for asked in exchange.asked]
        self._note_attempts(exchange)
        if reply is None:
            reply = await self._spoil_after(fires) or Reply(200, call.write(exchange.effects))
        exchange.status, exchange.answer = reply.status, reply.body
        return reply

    def _fires(self, exchange: Exchange, fault: Fault) -> bool:
        """Whether a fault of the whole request strikes."""
        return bool(self.faults) and self.faults.fires(fault, [a.lead_id for a in exchange.asked], exchange.faults)

    def _check_key(
        self, exchange: Exchange, permission: Permission | None, fires: Callable[[Fault], bool]
    ) -> Reply | None:
        if permission is None or fires(Fault.KEY_REFUSED):
            return Reply(401, error_body("Invalid API key"))
        updates = exchange.method == "PUT"
        acts = not updates or any(asked.action for asked in exchange.asked)
        if updates and not permission.may_update:
            return Reply(403, error_body("This API key lacks the permission Leads > Update"))
        if acts and not permission.may_process:
            return Reply(403, error_body("This API key lacks the permission Quarantine > Process"))
        return None

    def _spoil_before(self, exchange: Exchange, fires: Callable[[Fault], bool]) -> Reply | None:
        if not self.faults:
            return None
        settings = self.faults.settings
        if fires(Fault.REFUSE):
            self.shut_for(settings.refuse_for)
            return DROPPED
        replies = {
            Fault.TOO_MANY: busy(429, "Too many requests", settings, self.clock()),
            Fault.UNAVAILABLE: busy(503, "Service unavailable", settings, self.clock()),
            Fault.ERROR_BEFORE: Reply(settings.error_status, HTML),
            Fault.DROP_BEFORE: DROPPED,
            Fault.NOT_JSON_BEFORE: Reply(200, HTML),
            Fault.STATUS_ERROR: Reply(200, _STATUS_ERROR),
        }
        for fault, reply in replies.items():
            if fires(fault):
                return reply
        poisons = (self.faults.fires(Fault.POISON, (asked.lead_id,), exchange.faults) for asked in exchange.asked)
        return Reply(400, error_body("Invalid request")) if any(poisons) else None

    async def _spoil_after(self, fires: Callable[[Fault], bool]) -> Reply | None:
        settings = self.faults.settings
        if fires(Fault.SLOW_AFTER):
            await self.sleep(settings.slow_for.total_seconds())
        if fires(Fault.ERROR_AFTER):
            return Reply(settings.error_status, HTML)
        if fires(Fault.DROP_AFTER):
            return DROPPED
        return Reply(200, HTML) if fires(Fault.NOT_JSON_AFTER) else None

    def _apply(self, asked: LeadRequest, exchange: Exchange) -> Effect:
        """Do what is asked of one lead, in one step."""
        effect = Effect(asked.lead_id, asked.action)
        fires = partial(self.faults.fires, lead_ids=(asked.lead_id,), fired=exchange.faults)
        # With every switch off this is the whole cost of having them: benchmarks run against this.
        struck: Callable[[Fault], bool] = fires if self.faults else _never
        if struck(Fault.MISSING_BEFORE):
            effect.hidden = True
            return effect
        lead = self.quarantine.find(asked.lead_id)
        if lead and struck(Fault.MOVED):
            self.quarantine.move([asked.lead_id], LeadState.MOVED)
            lead = None
        if lead is None:
            effect.gone = True
        elif not asked.update and exchange.method == "PUT":
            effect.problem = "No fields to update"
        elif struck(Fault.NOT_SUCCESS):
            effect.problem = "A field has a value that is not valid"
        else:
            if asked.update and not (asked.action and struck(Fault.RELEASE_ANYWAY)):
                lead.fields.update(asked.update)
                effect.updated = True
            if asked.action and not struck(Fault.RELEASE_REFUSED):
                self.quarantine.queue(lead, asked.action, exchange.number)
                effect.acted = True
            if not effect.acted and struck(Fault.MOVED_AFTER):
                self.quarantine.move([asked.lead_id], LeadState.MOVED)
        effect.hidden = struck(Fault.MISSING_AFTER)
        effect.unsaid = asked.action is not None and struck(Fault.RELEASE_UNSAID)
        return effect

    def _note_attempts(self, exchange: Exchange) -> None:
        """Record the acts that were asked for and not accepted, whatever kept them from it."""
        effects = exchange.effects or [Effect(asked.lead_id, asked.action) for asked in exchange.asked]
        for effect in effects:
            if effect.action and not effect.acted:
                self.quarantine.note_attempt(effect.lead_id, effect.action, exchange.number)


def _never(_: Fault) -> bool:
    return False
