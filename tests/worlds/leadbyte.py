"""A simulated LeadByte behind the real client: who is in quarantine, what was executed, and what it answers.

Each request meets a fate drawn from the world's seed: it is applied at once, later, in part or never, and its answer
comes, is lost, or is another one. What it executed is the truth that the ledger is measured by.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

import httpx

from tests.leadbyte.virtual_time import START
from tests.worlds.habits import QUIET_AFTER, UNKNOWN_AFTER, Habits
from tests.worlds.tale import Tale

QUEUED = {"process": "processing", "reject": "rejection"}
_PAGE = "<html><body>Something is in the way</body></html>"


@dataclass(frozen=True, slots=True)
class Item:
    """What one request asks for one lead."""

    lead_id: str
    writes: bool
    action: str | None


@dataclass(slots=True)
class SentAct:
    """An act that left for LeadByte; `proved` once its answer proved that nothing was taken."""

    at: float
    action: str
    proved: bool = False


@dataclass(slots=True)
class Done:
    """What LeadByte did for one item: True taken, False not, None not asked. `there`: it was in quarantine."""

    item: Item
    updated: bool | None
    acted: bool | None
    there: bool


@dataclass(slots=True)
class Known:
    """The truth about one lead."""

    left_at: float | None = None
    executed: list[tuple[float, str]] = field(default_factory=list)
    sent: list[SentAct] = field(default_factory=list)
    updated_at: float | None = None
    """When an update was last taken while it was in quarantine."""


Reply = tuple[int, dict[str, str], str]


class LeadByte:
    """One of the possible LeadBytes."""

    def __init__(self, habits: Habits, random: Random, tale: Tale) -> None:
        self.habits, self._random, self._tale = habits, random, tale
        self.leads: dict[str, Known] = defaultdict(Known)
        self.bad: set[str] = set()
        self.poison: set[str] = set()
        self.double: Callable[[str], None] = lambda _lead_id: None
        """Called when an act is executed on a lead for the second time."""

    def take_in(self, lead_id: str) -> None:
        """Put a lead into quarantine."""
        self.leads[lead_id] = Known()
        if self._random.random() < self.habits.bad_leads:
            self.bad.add(lead_id)
        if self._random.random() < self.habits.poison:
            self.poison.add(lead_id)

    def has(self, lead_id: str) -> bool:
        """Whether a lead is in quarantine now, as a person sees it."""
        left_at = self.leads[lead_id].left_at
        return left_at is None or _now() < left_at

    def move(self, lead_id: str) -> None:
        """Let a person or a timer of LeadByte's release a lead, beside us."""
        if self.leads[lead_id].left_at is None:
            self.leads[lead_id].left_at = _now()
            self._tale.tell(lead_id, "LeadByte: a person or a timer released it")

    def apply(self, items: Sequence[Item]) -> list[Done]:
        """Do what is asked of each lead."""
        return [self._apply_to(item) for item in items]

    def _apply_to(self, item: Item) -> Done:
        habits, lead, there = self.habits, self.leads[item.lead_id], self.has(item.lead_id)
        is_bad = item.writes and item.lead_id in self.bad
        updated = (there or habits.updates_released) and not is_bad if item.writes else None
        if updated and there:
            lead.updated_at = _now()
        acted = None
        if item.action:
            passes = habits.acts_again if not there else not lead.executed or habits.acts_while_queued
            acted = passes and habits.key == "may process" and not is_bad
            if acted:
                self._execute(item)
        return Done(item, updated, acted, there)

    def _execute(self, item: Item) -> None:
        lead = self.leads[item.lead_id]
        lead.executed.append((_now(), str(item.action)))
        if lead.left_at is None:
            lead.left_at = _now() + self._random.uniform(0, self.habits.queue_seconds)
        self._tale.tell(item.lead_id, f"LeadByte: executed {item.action}, no. {len(lead.executed)}")
        if len(lead.executed) > 1:
            self.double(item.lead_id)

    def answer(self, done: Sequence[Done], *, by_post: bool) -> Reply:
        """Say what was done, as documented where it is."""
        habits = self.habits
        lacking = [each for each in done if not each.there and not each.updated and not each.acted]
        if lacking and habits.refuses_all_for_one and not by_post:
            words = habits.gone or "Some records cannot be used"
            return _told(404 if habits.gone else 422, {"status": "Error", "message": words})
        if by_post:
            words = self._words_of_act(done[0], "") or ""
            details = {done[0].item.lead_id: words} if words else {}
            return _told(200, {"status": "Success", "message": "OK", "details": details})
        entries = [entry for each in done if (entry := self._entry(each))]
        body: dict[str, Any] = {"status": "Success", "message": "OK", "leads": entries}
        if any(each.item.action for each in done):
            words_of_all = [self._words_of_act(each, f"Quarantine ID '{each.item.lead_id}' ") for each in done]
            body["quaratineReleaseResults"] = [words for words in words_of_all if words]
        return _told(200, body)

    def _entry(self, done: Done) -> dict[str, Any] | None:
        if done.updated is None:
            return None
        entry: dict[str, Any] = {"quarantineId": done.item.lead_id, "success": done.updated}
        if done.updated:
            return entry | {"message": "Quarantine lead updated"}
        if not done.there and self.habits.gone is None:
            return None
        return entry | {"message": self.habits.gone if not done.there else "postcode: is not valid"}

    def _words_of_act(self, done: Done, start: str) -> str | None:
        """The sentence about an act; None where there is none."""
        action, habits = done.item.action, self.habits
        if not action or (done.updated is False and not done.acted):
            return None  # that no act was taken is said by the update's `success: false`
        if not done.acted:
            if habits.key != "may process":
                return f"{start}is not permitted" if habits.key == "words" else None
            if done.there:
                return f"{start}was already queued for {QUEUED[action]}"
            return f"{start}{habits.gone}" if habits.gone else None
        if habits.odd != "":
            return habits.odd.format(id=done.item.lead_id) if habits.odd else None
        queued = f"queued for {QUEUED[action]}"
        return (start + queued if start else queued.capitalize()) + habits.remark


class Door(httpx.AsyncBaseTransport):
    """The way of one process to LeadByte: what becomes of each of its requests."""

    def __init__(self, leadbyte: LeadByte, random: Random, tale: Tale, depart: Callable[[Sequence[Item]], None]) -> None:
        self._leadbyte, self._habits = leadbyte, leadbyte.habits
        self._random, self._tale, self._depart = random, tale, depart

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request, which arrives whatever becomes of its sender meanwhile."""
        by_post = request.method == "POST"
        items = read_items(json.loads(await request.aread()), by_post=by_post)
        self._depart(items)
        sent = [SentAct(_now(), item.action) for item in items if item.action]
        for act, item in zip(sent, [item for item in items if item.action], strict=True):
            self._leadbyte.leads[item.lead_id].sent.append(act)
        try:
            status, headers, text = await self._reply(items, by_post, sent)
        except httpx.HTTPError as error:
            self._note(items, by_post, type(error).__name__)
            raise
        self._note(items, by_post, f"{status} {text}")
        if self._habits.says_date:
            told_at = START + timedelta(seconds=_now() + self._habits.clock_off)
            headers = {**headers, "Date": format_datetime(told_at, usegmt=True)}
        return httpx.Response(status, headers=headers, text=text)

    async def _reply(self, items: Sequence[Item], by_post: bool, sent: Sequence[SentAct]) -> Reply:
        random, habits = self._random, self._habits
        fate = random.random()
        is_out = habits.outage[0] <= _now() < habits.outage[1]
        if _now() > QUIET_AFTER:
            fate = 1.0
        elif is_out:
            fate = random.uniform(0, 0.9) * (habits.lost + habits.pages) if habits.lost + habits.pages else 0
        for share, meet in ((habits.lost, self._lose), (habits.pages, self._page), (habits.refused, self._refuse)):
            if fate < share or (is_out and habits.lost + habits.pages == 0 and meet == self._page):
                return await meet(items)
            fate -= share
        forbidden = habits.key == "403" and any(item.action for item in items)
        if fate < habits.busy or forbidden:
            for act in sent:
                act.proved = True
            return await self._refuse_early(forbidden=forbidden)
        if not by_post and any(item.lead_id in self._leadbyte.poison for item in items):
            return await self._refuse(items)
        return await self._answer(items, by_post, sent)

    async def _answer(self, items: Sequence[Item], by_post: bool, sent: Sequence[SentAct]) -> Reply:
        heard: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def apply() -> None:
            lacks = [item for item in items if not self._leadbyte.has(item.lead_id)]
            all_or_part = items
            if lacks and self._habits.refuses_all_for_one and not self._habits.updates_released and not by_post:
                all_or_part = self._some(items) if self._habits.applies_part else []
                self._leadbyte.apply([item for item in all_or_part if item not in lacks])
                done = [Done(item, False, None, there=False) for item in lacks]
            else:
                done = self._leadbyte.apply(items)
                acts = [each for each in done if each.item.action]
                for act, each in zip(sent, acts, strict=True):
                    act.proved = each.updated is False and not each.acted
            if not heard.done():
                heard.set_result(self._leadbyte.answer(done, by_post=by_post))

        takes = self._random.choice((0.02, 0.3, 2, 12))
        self._later(takes, apply)
        reply = await heard
        await asyncio.sleep(takes)
        return reply

    async def _lose(self, items: Sequence[Item]) -> Reply:
        self._apply_some_time(items, never=self._habits.never)
        if self._random.random() < 0.5:
            await asyncio.sleep(30)
            msg = "no answer in time"
            raise httpx.ReadTimeout(msg)
        await asyncio.sleep(1)
        msg = "the connection was closed"
        raise httpx.ReadError(msg)

    async def _page(self, items: Sequence[Item]) -> Reply:
        self._apply_some_time(items, never=1 - self._habits.applied_before_page)
        await asyncio.sleep(self._random.choice((0.1, 5)))
        kind = self._random.choice(self._habits.page_kinds)
        match kind:
            case "broken":
                return 200, {"Content-Type": "application/json"}, '{"status": "Success", "leads": [{"quar'
            case "503 later":
                return 503, {"Retry-After": self._random.choice(("2", "120"))}, _PAGE
            case "500 busy":
                return _told(500, {"status": "Error", "message": "Server busy"})
            case "302" | "303":
                return int(kind), {"Location": "https://example.com/login"}, ""
            case _:
                return int(kind.split()[0]), {}, _PAGE

    async def _refuse(self, items: Sequence[Item]) -> Reply:
        """Refuse a request as a whole, after a part of it where that is this LeadByte's habit."""
        if self._habits.applies_part:
            self._leadbyte.apply([item for item in self._some(items) if item.lead_id not in self._leadbyte.poison])
        await asyncio.sleep(0.2)
        status = self._random.choice((400, 409, 422, 200))
        return _told(status, {"status": "Error", "message": "The request cannot be carried out"})

    async def _refuse_early(self, *, forbidden: bool) -> Reply:
        """Refuse a request before anything is applied, in a way that proves it."""
        await asyncio.sleep(0.1)
        if forbidden:
            return _told(403, {"status": "Error", "message": "No permission to process"})
        match self._random.randrange(5):
            case 0:
                msg = "refused"
                raise httpx.ConnectError(msg)
            case 1:
                return _told(401, {"status": "Error", "message": "Not now"})
            case 2:
                return 429, {"Retry-After": "90"}, _PAGE
            case _:
                return _told(429, {"status": "Error", "message": "Too many requests"})

    def _apply_some_time(self, items: Sequence[Item], *, never: float) -> None:
        """Apply a request whose answer nobody hears: now, up to `unknown_after` later, or never."""
        if self._random.random() < never:
            return
        late = self._random.choice((0, 0, 10, UNKNOWN_AFTER - 1))
        self._later(self._random.uniform(0, late), lambda: self._leadbyte.apply(items))

    def _some(self, items: Sequence[Item]) -> list[Item]:
        return [item for item in items if self._random.random() < 0.5]

    def _later(self, seconds: float, do: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_later(seconds, do)

    def _note(self, items: Sequence[Item], by_post: bool, what: str) -> None:
        for item in items:
            asked = " and ".join(filter(None, ("update" if item.writes else "", item.action or "")))
            how = "POST" if by_post else f"PUT of {len(items)}"
            self._tale.tell(item.lead_id, f"answered {asked} ({how}): {what[:300]}")


def read_items(body: Any, *, by_post: bool) -> list[Item]:  # noqa: ANN401 - JSON
    """What a request asks."""
    if by_post:
        return [Item(str(body["quarantineId"]), writes=False, action=body["action"])]
    return [Item(each["quarantineId"], "update" in each, each.get("action")) for each in body["leads"]]


def _told(status: int, body: dict[str, Any]) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(body)


def _now() -> float:
    return asyncio.get_running_loop().time()
