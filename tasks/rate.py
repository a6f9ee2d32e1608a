"""One LeadByte account's request rate, held across all workers by a rate limit on the Prefect server.

The limit is a global concurrency limit with slot decay, which `deployments.apply` creates. Prefect counts in whole
slots and drops the fraction of a slot at each change, so a request takes a hundred of them.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import NamedTuple, TypeVar

import httpx
from prefect import get_client, get_run_logger
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from leadgate.config import LeadByteConfig
from leadgate.leadbyte.pacing import TakeTurn

SLOTS_A_REQUEST = 100
_SAVED_SECONDS = 0.05
"""How much of the rate an account that was idle may make up for: about what asking the Prefect server takes."""
_PATIENCE_SECONDS = 60
"""How long a run waits for a Prefect server that is slow or restarts, before it keeps to its own bound alone."""
_MOST_JITTER = 1.25

Log = logging.Logger | logging.LoggerAdapter[logging.Logger]
T = TypeVar("T")


class AccountLimit(NamedTuple):
    """The rate limit of an account, as Prefect has it: in any one second `decay + limit` slots at most are given."""

    name: str
    limit: int
    decay: float
    """Slots a second."""


def account_limit(leadbyte: LeadByteConfig) -> AccountLimit:
    """Give the limit of the account that a pipeline file names; its name is the account's host, and port if any."""
    address = httpx.URL(leadbyte.base_url)
    host = address.host if address.port is None else f"{address.host}-{address.port}"
    name = "leadbyte-" + "".join(letter if letter.isalnum() else "-" for letter in host.lower())
    rate = leadbyte.requests_per_second
    return AccountLimit(name, round(SLOTS_A_REQUEST * (1 + _SAVED_SECONDS * rate)), SLOTS_A_REQUEST * rate)


@asynccontextmanager
async def share_rate(leadbyte: LeadByteConfig) -> AsyncIterator[TakeTurn | None]:
    """Give the way to take a turn among all workers; None where this run's server has no limit for the account.

    The server is asked once, when the run starts, and the log says what was found.
    """
    name, log = account_limit(leadbyte).name, get_run_logger()
    if not leadbyte.requests_per_second:
        yield None
        return
    async with get_client() as client:
        rate = SharedRate(client, name, log)
        if await rate.is_there():
            log.info("event=rate scope=account limit=%s", name)
            yield rate.take_turn
        else:
            log.info(
                "event=rate scope=run limit=%s found=False requests_per_second=%g", name, leadbyte.requests_per_second
            )
            yield None


class SharedRate:
    """Turns of one limit, asked for by one conversation at a time for all requests of the run that wait.

    Where the limit vanishes, or the server stays away, turns are free from then on: the run's own bound remains.
    """

    def __init__(self, client: PrefectClient, name: str, log: Log) -> None:
        self._client = client
        self._name = name
        self._log = log
        self._asking = asyncio.Lock()
        self._waiting = 0
        self._turns = 0
        self._is_lost = False

    async def is_there(self) -> bool:
        """Ask whether the server has the limit, in the shape that this version gives it."""
        return await self._attempt(self._read_room) is not None

    async def take_turn(self) -> None:
        """Wait until one more request may be sent to the account."""
        self._waiting += 1
        try:
            async with self._asking:
                while not (self._turns or self._is_lost):
                    await self._ask()
                self._turns = max(0, self._turns - 1)
        finally:
            self._waiting -= 1

    async def _ask(self) -> None:
        """Take as many turns as wait and are free now; sleep where none is.

        A refusal would hold the decay up for everyone, since the server then counts from that moment on without having
        taken off what had decayed. So it is asked what is free first, and everyone sleeps a little differently.
        """
        room = await self._attempt(self._read_room)
        if room is None:
            self._lose()
        elif room.turns < 1:
            await asyncio.sleep(room.seconds * random.uniform(1, _MOST_JITTER))  # noqa: S311 - keeps workers apart
        else:
            turns = min(self._waiting, room.turns)
            if await self._attempt(lambda: self._acquire(turns)):
                self._turns = turns

    async def _read_room(self) -> "Room | None":
        found = await self._client.read_global_concurrency_limit_by_name(self._name)
        if not found.active or found.limit < SLOTS_A_REQUEST or not found.slot_decay_per_second:
            return None
        free = found.limit - found.active_slots
        return Room(free // SLOTS_A_REQUEST, (SLOTS_A_REQUEST - free) / found.slot_decay_per_second)

    async def _acquire(self, turns: int) -> bool:
        try:
            slots = SLOTS_A_REQUEST * turns
            answer = await self._client.increment_concurrency_slots([self._name], slots, mode="rate_limit")
        except httpx.HTTPStatusError as error:
            if error.response.status_code == HTTPStatus.LOCKED:  # another worker was faster
                return False
            raise
        return bool(answer.json())

    async def _attempt(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Ask until there is an answer, for a minute at most; None where the server has no such limit, or is away.

        A server on SQLite that is busy answers 503 at once, upon which Prefect's client would wait for seconds: what
        takes long is broken off and asked again, with growing patience. A turn that is lost so is never used.
        """
        patiently = AsyncRetrying(
            retry=retry_if_exception(_passes),
            wait=wait_random_exponential(multiplier=0.02, max=5),
            stop=stop_after_delay(_PATIENCE_SECONDS),
            reraise=True,
        )
        try:
            async for attempt in patiently:
                with attempt:
                    async with asyncio.timeout(0.075 * 2**attempt.retry_state.attempt_number):
                        return await ask()
        except ObjectNotFound:
            pass
        except (httpx.HTTPError, TimeoutError) as error:
            self._log.warning("event=rate_trouble limit=%s error=%s", self._name, type(error).__name__)
        return None

    def _lose(self) -> None:
        self._is_lost = True
        self._log.warning("event=rate scope=run limit=%s found=False", self._name)


class Room(NamedTuple):
    """How many turns are free now, and in how many seconds the next one is."""

    turns: int
    seconds: float


def _passes(error: BaseException) -> bool:
    """Whether the server may answer soon: it is busy, starts anew, or dropped a connection."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error or error.response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(error, httpx.TransportError | TimeoutError)
