"""The way to the simulated LeadByte, under the real client: what befalls each request, drawn from the world's seed.

It is applied at once, later, in part or never; and its answer comes, is lost, or something else answers.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

import httpx

from tests.leadbyte.virtual_time import START
from tests.worlds.habits import QUIET_AFTER, UNKNOWN_AFTER
from tests.worlds.leadbyte import Done, Item, LeadByte, Reply, SentAct, seconds_now, told
from tests.worlds.tale import Tale

_PAGE = "<html><body>Something is in the way</body></html>"


class Door(httpx.AsyncBaseTransport):
    """The way of one process to LeadByte: what becomes of each of its requests."""

    def __init__(
        self, leadbyte: LeadByte, random: Random, tale: Tale, depart: Callable[[Sequence[Item]], None]
    ) -> None:
        self._leadbyte, self._habits = leadbyte, leadbyte.habits
        self._random, self._tale, self._depart = random, tale, depart

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request, which arrives whatever becomes of its sender meanwhile."""
        by_post = request.method == "POST"
        items = read_items(json.loads(await request.aread()), by_post=by_post)
        self._depart(items)
        sent = [SentAct(seconds_now(), item.action) for item in items if item.action]
        for act, item in zip(sent, [item for item in items if item.action], strict=True):
            self._leadbyte.leads[item.lead_id].sent.append(act)
        try:
            status, headers, text = await self._reply(items, by_post, sent)
        except httpx.HTTPError as error:
            self._note(items, by_post, type(error).__name__)
            raise
        self._note(items, by_post, f"{status} {text}")
        if self._habits.says_date:
            told_at = START + timedelta(seconds=seconds_now() + self._habits.clock_off)
            headers = {**headers, "Date": format_datetime(told_at, usegmt=True)}
        return httpx.Response(status, headers=headers, text=text)

    async def _reply(self, items: Sequence[Item], by_post: bool, sent: Sequence[SentAct]) -> Reply:
        random, habits = self._random, self._habits
        fate = random.random()
        is_out = habits.outage[0] <= seconds_now() < habits.outage[1]
        if seconds_now() > QUIET_AFTER:
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
            raise httpx.ReadTimeout("no answer in time")
        await asyncio.sleep(1)
        raise httpx.ReadError("the connection was closed")

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
                return told(500, {"status": "Error", "message": "Server busy"})
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
        return told(status, {"status": "Error", "message": "The request cannot be carried out"})

    async def _refuse_early(self, *, forbidden: bool) -> Reply:
        """Refuse a request before anything is applied, in a way that proves it."""
        await asyncio.sleep(0.1)
        if forbidden:
            return told(403, {"status": "Error", "message": "No permission to process"})
        match self._random.randrange(5):
            case 0:
                raise httpx.ConnectError("refused")
            case 1:
                return told(401, {"status": "Error", "message": "Not now"})
            case 2:
                return 429, {"Retry-After": "90"}, _PAGE
            case _:
                return told(429, {"status": "Error", "message": "Too many requests"})

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
            how = "POST" if by_post else f"PUT of {len(items)}"
            self._tale.tell(item.lead_id, f"answered {item} ({how}): {what[:300]}")


def read_items(body: Any, *, by_post: bool) -> list[Item]:  # noqa: ANN401 - JSON
    """What a request asks."""
    if by_post:
        return [Item(str(body["quarantineId"]), writes=False, action=body["action"])]
    return [Item(each["quarantineId"], "update" in each, each.get("action")) for each in body["leads"]]
