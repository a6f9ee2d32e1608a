"""Sends requests to one LeadByte account and hands back what each proved. I/O only: `answers` judges.

No request is ever repeated here: whether it may be is a question of what became of each lead, which the ledger knows.
"""

import asyncio
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr

from leadgate import telemetry
from leadgate.clock import Clock
from leadgate.config import LONGEST_CONNECT, longest_exchange
from leadgate.errors import ConfigError, KeyRefused, LeadByteUnavailable
from leadgate.leadbyte.answers import judge_act, judge_put, refuse_unsent
from leadgate.leadbyte.pacing import Pace, TakeTurn, read_date, read_retry_after
from leadgate.leadbyte.refusals import Reply, judge_refusal
from leadgate.leadbyte.wire import act_item, body_bytes, lead_item, read_body
from leadgate.leadbyte.wording import Sentences
from leadgate.model import Answer, LeadRequest

_API = "/restapi/v1.3"
# Servers drop idle connections, Apache after 5 s: a request sent just then would be lost, and its lead in doubt.
_KEEP_ALIVE_SECONDS = 4
# LeadByte names none with a 429, as far as is known.
_PAUSE_UNTOLD = timedelta(seconds=5)

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Failures before the first byte of a request; any other may have come after the last."""


class LeadByteClient:
    """Typed calls to one LeadByte account, at a bounded concurrency; use it as an async context manager.

    A request waits for `take_turn`, which keeps the account's rate; without one there is no limit.
    KeyRefused, once raised, is raised by every later call without a request. Calls that are in flight at that
    moment still return their own answers.
    """

    def __init__(  # noqa: PLR0913 - one argument a setting
        self,
        *,
        base_url: str,
        api_key: SecretStr,
        timeout: timedelta,
        concurrency: int,
        clock: Clock,
        take_turn: TakeTurn | None = None,
        sentences: Sentences | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = _checked_address(base_url)
        self._key = _checked_key(api_key)
        self._clock = clock
        self._pace = Pace(clock=clock, take_turn=take_turn)
        self._slots = asyncio.Semaphore(concurrency)
        self.sentences = sentences or Sentences()
        self._their_clock: tuple[datetime, float, Callable[[], float]] | None = None
        self._key_refusal: str | None = None
        connect = min(LONGEST_CONNECT, timeout).total_seconds()
        read = timeout.total_seconds()
        # A read time-out begins anew with every byte: only the sum bounds a server that drips.
        self._longest_exchange = longest_exchange(timeout).total_seconds()
        self._http = httpx.AsyncClient(
            base_url=self._base_url + _API,
            auth=_KeyHeader(self._key),
            headers={"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "leadgate"},
            # The semaphore keeps as many requests as connections: nobody waits for the pool unless one is stuck.
            timeout=httpx.Timeout(connect=connect, read=read, write=read, pool=connect),
            limits=httpx.Limits(
                max_connections=concurrency,
                max_keepalive_connections=concurrency,
                keepalive_expiry=_KEEP_ALIVE_SECONDS,
            ),
            follow_redirects=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    @property
    def paused_until(self) -> datetime | None:
        """Until when LeadByte asked us (429, or Retry-After) to send nothing; None when there is no pause."""
        return self._pace.paused_until

    def their_now(self) -> datetime | None:
        """The present instant by LeadByte's clock, as its last answer had it; None before the first."""
        if self._their_clock is None:
            return None
        then, at, elapsed = self._their_clock
        return then + timedelta(seconds=elapsed() - at)

    async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:
        """Write fields onto leads, and act where a request says so: one PUT /leads, one answer a request, in order.

        A request whose turn comes at `before` or later is not sent: that is a transient refusal.
        Raises KeyRefused; ValueError for an id given twice, or a request that asks nothing. All else is an answer.
        """
        if len({request.lead_id for request in requests}) < len(requests):
            msg = "an id stands twice in one call: its two answers could not be told apart"
            raise ValueError(msg)
        answers: dict[str, Answer] = {}
        sendable: list[LeadRequest] = []
        items: list[dict[str, Any]] = []
        for request in requests:
            _refuse_empty(request)
            try:
                items.append(lead_item(request))
                sendable.append(request)
            except ValueError as error:
                answers[request.lead_id] = refuse_unsent(request, str(error))
        if sendable:
            acts = any(request.action for request in sendable)
            reply = await self._send("PUT", "/leads", {"leads": items}, acts=acts, before=before)
            answers |= {answer.lead_id: answer for answer in judge_put(sendable, reply, self.sentences)}
        return [answers[request.lead_id] for request in requests]

    async def act(self, request: LeadRequest, *, before: datetime | None = None) -> Answer:
        """Process or reject one lead, writing nothing onto it: POST /quarantine/process.

        `before` is as for `put`. Raises KeyRefused; ValueError for a request without an action, or with an update,
        which this call cannot carry. An id that is no plain whole number is refused without a request.
        """
        if not request.action or request.update:
            msg = f"lead {request.lead_id}: POST /quarantine/process carries an action and no update; use put()"
            raise ValueError(msg)
        try:
            body = act_item(request)
        except ValueError as error:
            return refuse_unsent(request, str(error))
        reply = await self._send("POST", "/quarantine/process", body, acts=True, before=before)
        return judge_act(request, reply, self.sentences)

    async def check(self) -> None:
        """Reach the address and show the key, changing nothing: PUT /leads with no leads.

        Raises KeyRefused or LeadByteUnavailable. How a live account answers an empty list is not proven: any
        JSON object that is no complaint about the key or the address counts as reached. Whether the key may
        process and reject cannot be seen without doing so.
        """
        reply = await self._send("PUT", "/leads", {"leads": []})
        refusal = judge_refusal(reply)
        if refusal and refusal.transient:
            why = refusal.message
        elif reply.status is None:
            why = reply.problem
        elif reply.body is None or reply.status >= 500 or reply.status in {404, 405}:  # noqa: PLR2004
            why = f"HTTP {reply.status}, which is not how LeadByte's API answers"
        else:
            return
        advice = "Check leadbyte.base_url and the network, then try again."
        if "base_url" in why:
            advice = "Then try again."
        elif reply.retry_at:
            advice = f"Try again after {reply.retry_at.isoformat(timespec='seconds')}."
        msg = f"LeadByte at {self._base_url}: {why.removesuffix('.')}. {advice}"
        raise LeadByteUnavailable(msg)

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any], *, acts: bool = False, before: datetime | None = None
    ) -> Reply:
        """Send one request when its turn has come; raise KeyRefused if its key is, or has been, refused."""
        async with self._slots:
            self._stop_if_refused()
            come_back_at = await self._pace.wait_for_turn()
            self._stop_if_refused()
            if come_back_at:
                problem = f"LeadByte asked us to send nothing before {come_back_at.isoformat(timespec='seconds')}"
                return Reply(sent=False, retry_at=come_back_at, problem=problem)
            if before and self._clock() >= before:
                problem = "not sent: its turn came only after this run's hold on it had ended"
                return Reply(sent=False, problem=problem, is_late=True)
            reply = await self._request(method, path, body_bytes(body))
            if reply.retry_at:
                self._pace.pause(reply.retry_at)
            if (refusal := judge_refusal(reply, acts=acts)) and refusal.wrong_key:
                self._key_refusal = (
                    f"LeadByte at {self._base_url} refused the API key (HTTP {reply.status}). It needs the permissions"
                    " Leads > Update and Quarantine > Process (in newer accounts one, Leads > Update & Quarantine"
                    " Process), and the account may allow listed IP addresses only."
                    " Correct leadbyte.api_key or its permissions, then run `leadgate check`."
                )
                self._stop_if_refused()
        return reply

    def _stop_if_refused(self) -> None:
        if self._key_refusal:
            raise KeyRefused(self._key_refusal)

    async def _request(self, method: str, path: str, content: bytes) -> Reply:
        try:
            async with asyncio.timeout(self._longest_exchange):
                with telemetry.request(method, path) as sent:
                    response = await self._http.request(method, path, content=content)
                    sent.status = response.status_code
        except _NOT_SENT as error:
            return Reply(sent=False, problem=f"LeadByte cannot be reached ({type(error).__name__}: {error})")
        except (httpx.TimeoutException, TimeoutError):
            return Reply(problem="the request was sent, but no answer came in time")
        except (httpx.HTTPError, OSError) as error:
            # Not its text: a protocol error may quote what was sent or received.
            return Reply(problem=f"the request was sent, but its answer was lost ({type(error).__name__})")
        now = self._clock()
        retry_at = None
        if not response.is_success:
            retry_at = read_retry_after(response.headers.get("Retry-After"), now)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS and not retry_at:
            retry_at = now + _PAUSE_UNTOLD
        their_time = read_date(response.headers.get("Date"))
        if their_time:
            # Not by the wall clock, which may be set meanwhile.
            elapsed = asyncio.get_running_loop().time
            self._their_clock = their_time, elapsed(), elapsed
        body = read_body(self._without_key(response.text))
        return Reply(response.status_code, body, retry_at, their_time=their_time)

    def _without_key(self, text: str) -> str:
        # An answer may quote the key it refuses; messages are stored and logged.
        return text.replace(self._key.get_secret_value(), "[hidden]")


class _KeyHeader(httpx.Auth):
    """Sets X_KEY on each request as it leaves, so that no client or header list of ours holds the key."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["X_KEY"] = self._key.get_secret_value()
        yield request


def _checked_address(base_url: str) -> str:
    address = httpx.URL(base_url)
    if address.scheme not in {"http", "https"} or not address.host or address.userinfo or address.query:
        msg = (
            "leadbyte.base_url: write https://YOUR-ACCOUNT.leadbyte.com (or .co.uk), without a user, password or query"
        )
        raise ConfigError(msg)
    return base_url.rstrip("/").removesuffix(_API)


def _checked_key(api_key: SecretStr) -> SecretStr:
    # A line break would end up, with the key, in a protocol error's text.
    stripped = SecretStr(api_key.get_secret_value().strip())
    if not re.fullmatch(r"[!-~]+", stripped.get_secret_value()):
        msg = "leadbyte.api_key: is empty, or holds characters that no key has: copy it again from LeadByte"
        raise ConfigError(msg)
    return stripped


def _refuse_empty(request: LeadRequest) -> None:
    if not request.action and all(value is None for value in request.update.values()):
        msg = f"lead {request.lead_id}: there is nothing to write and nothing to do, so there is nothing to send"
        raise ValueError(msg)
