"""The sandbox as a server: its parts put together, its address, and the way from a request to the desk and back."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from aiohttp import web

from leadgate.clock import Clock, utc_now
from leadgate.sandbox.bodies import PREFIX, Reply, error_body
from leadgate.sandbox.calls import CALLS, Call, Desk, Exchange
from leadgate.sandbox.control import add_control
from leadgate.sandbox.door import Door
from leadgate.sandbox.faults import Faults, Permission
from leadgate.sandbox.quarantine import Act, LeadState, Quarantine, SandboxLead

PRACTICE_KEY = "practice-key"
_LARGEST_BODY = 64 * 2**20
Record = Literal["full", "acts"]


class Sandbox:
    """A LeadByte to practise on. `lag` is how long a queued act takes; `record="acts"` keeps no requests.

    It runs in the event loop that called `start`; it may be read, and its leads and switches changed, from any thread.
    """

    def __init__(  # noqa: PLR0913 - each is a knob of its own, by keyword
        self,
        *,
        keys: Mapping[str, Permission] | None = None,
        lag: timedelta = timedelta(),
        latency: timedelta = timedelta(),
        faults: Faults | Mapping[str, object] | None = None,
        strict: bool = False,
        record: Record = "full",
        keep: int = 10_000,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        keys = dict(keys or {PRACTICE_KEY: Permission.FULL})
        self.key = next(iter(keys))
        self.faults = faults if isinstance(faults, Faults) else Faults(faults or {})
        self.quarantine = Quarantine(lag=lag, clock=clock, strict=strict)
        self.answers: Counter[str] = Counter()
        """How many requests got which status; "dropped" are those that got none."""
        self._exchanges: deque[Exchange] = deque(maxlen=keep if record == "full" else 0)
        self._desk = Desk(self.quarantine, self.faults, keys, latency, clock, sleep, self.shut_for)
        self._sleep, self._on_exchange = sleep, on_exchange
        self._runner: web.AppRunner | None = None
        self._door: Door | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen for requests; port 0 takes a free one. Raise ConfigError where the port cannot be had."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        for path, call in CALLS.items():
            app.router.add_route(call.method, path, partial(self._serve, call))
        app.router.add_route("*", PREFIX + "/{rest:.*}", partial(self._serve, None))
        add_control(app, self)
        # Requests that are being slow on purpose are not waited for; 0 would mean to wait for ever.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        assert self._runner.server is not None  # noqa: S101 - setup made it
        self._loop = asyncio.get_running_loop()
        self._door = Door(self._runner.server, self._sleep)
        try:
            await self._door.open(host, port)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the port and every connection; what was recorded can still be read."""
        if self._door:
            self._door.close()
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The address to put into `leadbyte.base_url`."""
        host, port = self._door.address if self._door else ("", 0)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def acts(self) -> Mapping[str, list[Act]]:
        """Every act by lead; more than one on a lead is what must never happen."""
        return self.quarantine.acts

    def acted_twice(self) -> list[str]:
        """The leads that were acted on more than once."""
        return self.quarantine.acted_twice()

    def lead(self, lead_id: str | int) -> SandboxLead:
        """One lead as it stands now; KeyError if it was never seen."""
        lead = self.quarantine.look(str(lead_id))
        if lead is None:
            raise KeyError(lead_id)
        return lead

    @property
    def requests(self) -> list[Exchange]:
        """The recorded requests in the order they were answered, the last `keep` of them."""
        return list(self._exchanges)

    def add(self, lead_ids: Iterable[str | int]) -> None:
        """Put new leads into quarantine; those already known stay as they are."""
        self.quarantine.add(lead_ids)

    def move(self, lead_ids: Iterable[str | int], to: LeadState, after: timedelta = timedelta()) -> None:
        """Let someone else move leads, now or after a while."""
        self.quarantine.move(lead_ids, to, after)

    def refuse_for(self, span: timedelta) -> None:
        """Cut every connection and refuse new ones for a while; refused when this returns, from any other thread."""

        async def shut() -> None:
            self.shut_for(span)

        if self._loop:
            asyncio.run_coroutine_threadsafe(shut(), self._loop).result()

    def shut_for(self, span: timedelta, spare: object = None) -> None:
        """Do what `refuse_for` does from inside the event loop, and leave the connection `spare` alone."""
        if self._door:
            self._door.shut_for(span, spare)

    def reset(self) -> None:
        """Forget every lead, act and request, and put the switches where they were at the start."""
        self.quarantine.clear()
        self._exchanges.clear()
        self.answers.clear()
        self.faults.reset()

    def state(self) -> dict[str, Any]:
        """The counts, as GET /sandbox/state shows them."""
        acts = Counter(act.action.value for of_lead in self.acts.values() for act in of_lead)
        return {
            "leads": self.quarantine.counts(),
            "acts": {"process": acts["process"], "reject": acts["reject"]},
            "acted_twice": self.quarantine.acted_twice(),
            "requests": self.answers.total(),
            "answers": dict(self.answers),
            "faults": self.faults.as_dict(),
        }

    async def _serve(self, call: Call | None, request: web.Request) -> web.Response:
        exchange, permission = self._desk.begin(request.method, request.path, request.headers.get("X_KEY"))
        if call:
            reply = await self._desk.answer(call, exchange, permission, await request.read())
        else:
            reply = Reply(404, error_body("There is no such call"))
            exchange.status, exchange.answer = reply.status, reply.body
        self._exchanges.append(exchange)
        self.answers[str(reply.status or "dropped")] += 1
        if self._on_exchange:
            self._on_exchange(exchange)
        if reply.status is None:
            if request.transport:
                request.transport.abort()
            return web.Response()
        if isinstance(reply.body, str):
            return web.Response(status=reply.status, text=reply.body, content_type="text/html", headers=reply.headers)
        body = json.dumps(reply.body).encode()
        return web.Response(status=reply.status, body=body, content_type="application/json", headers=reply.headers)
