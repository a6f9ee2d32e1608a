"""Sends requests to one LeadByte account and returns what each proved, by `answers`. No request is repeated here."""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

import httpx
from pydantic import SecretStr

from leadgate import telemetry
from leadgate.clock import Clock
from leadgate.config import LONGEST_CONNECT, longest_exchange
from leadgate.config.leadbyte import about_the_clear, check_base_url, checked_key, shown_address
from leadgate.errors import ConfigError, KeyRefused, LeadByteUnavailable
from leadgate.leadbyte.answers import judge_act, judge_put, refuse_unsent
from leadgate.leadbyte.environment import client_errors
from leadgate.leadbyte.hiding import Hiding
from leadgate.leadbyte.pacing import Pace, TakeTurn, read_clock, read_retry_after
from leadgate.leadbyte.refusals import Reply, joined, judge_refusal
from leadgate.leadbyte.wire import act_item, body_bytes, lead_item, prose, read_body, read_bytes
from leadgate.leadbyte.wording import Sentences
from leadgate.model import Answer, LeadRequest

_API = "/restapi/v1.3"
# Servers drop idle connections, Apache after 5 s: a request sent just then would be lost, and its lead in doubt.
_KEEP_ALIVE_SECONDS = 4
# As far as is known, LeadByte sends no Retry-After with a 429.
_DEFAULT_PAUSE = timedelta(seconds=5)
_NO_HOST = "leadbyte.base_url: names a host that cannot be: write https://YOUR-ACCOUNT.leadbyte.com (or .co.uk)"

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
        shapes_only: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = _checked_address(base_url)
        self._key = _checked_key(api_key)
        self._clock = clock
        self._pace = Pace(clock=clock, take_turn=take_turn)
        self._slots = asyncio.Semaphore(concurrency)
        self.sentences = sentences or Sentences()
        self._hiding = Hiding(self._key, shapes_only=shapes_only)
        self._their_clock: tuple[datetime, float, Callable[[], float]] | None = None
        self._key_refusal: str | None = None
        connect = min(LONGEST_CONNECT, timeout).total_seconds()
        read = timeout.total_seconds()
        # A read time-out begins anew with every byte: only the sum bounds a server that drips.
        self._longest_exchange = longest_exchange(timeout).total_seconds()
        with client_errors():
            self._http = httpx.AsyncClient(
                base_url=self._base_url + _API,
                auth=_KeyHeader(self._key),
                headers={
                    "Accept": "application/json",
                    # What is compressed may be of any size once it is unpacked.
                    "Accept-Encoding": "identity",
                    "Content-Type": "application/json",
                    "User-Agent": "leadgate",
                },
                # The semaphore keeps as many requests as connections: nobody waits for the pool unless one is stuck.
                timeout=httpx.Timeout(connect=connect, read=read, write=read, pool=connect),
                limits=httpx.Limits(
                    max_connections=concurrency,
                    max_keepalive_connections=concurrency,
                    keepalive_expiry=_KEEP_ALIVE_SECONDS,
                ),
                follow_redirects=False,
                # Reading all certificates takes 25 ms, and without TLS there is none to verify.
                verify=self._base_url.startswith("https:"),
                # What stays on this machine goes by no proxy, which would see the key.
                trust_env=self._base_url.startswith("https:") or about_the_clear(self._base_url) is not None,
                transport=transport,
            )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

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
            raise ValueError("an id stands twice in one call: its two answers could not be told apart")
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
            answers |= {answer.lead_id: answer for answer in judge_put(sendable, reply, self.sentences, self._hiding)}
        return [answers[request.lead_id] for request in requests]

    async def act(self, request: LeadRequest, *, before: datetime | None = None) -> Answer:
        """Process or reject one lead, writing nothing onto it: POST /quarantine/process.

        `before` is as for `put`. Raises KeyRefused; ValueError for a request without an action, or with an update,
        which this call cannot carry. An id that is no plain whole number is refused without a request.
        """
        if not request.action or request.update:
            raise ValueError(
                f"lead {request.lead_id}: POST /quarantine/process carries an action and no update; use put()"
            )
        try:
            body = act_item(request)
        except ValueError as error:
            return refuse_unsent(request, str(error))
        reply = await self._send("POST", "/quarantine/process", body, acts=True, before=before)
        return judge_act(request, reply, self.sentences, self._hiding)

    async def check(self) -> None:
        """Reach the address and show the key, changing nothing: PUT /leads with no leads.

        Raises KeyRefused or LeadByteUnavailable. How a live account answers an empty list is not proven: any
        JSON object that is no complaint about the key or the address counts as reached. Whether the key may
        process and reject cannot be seen without doing so.
        """
        reply = await self._send("PUT", "/leads", {"leads": []})
        refusal = judge_refusal(reply)
        if refusal and refusal.transient:
            why = joined(refusal.message, self._hiding.of([]).hide(refusal.words))
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
        raise LeadByteUnavailable(f"LeadByte at {shown_address(self._base_url)}: {why.removesuffix('.')}. {advice}")

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
                    f"LeadByte at {shown_address(self._base_url)} refused the API key (HTTP {reply.status}). "
                    "It needs the permissions Leads > Update and Quarantine > Process (in newer accounts one, Leads >"
                    " Update & Quarantine Process), and the account may allow listed IP addresses only."
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
                    async with self._http.stream(method, path, content=content) as response:
                        sent.status = response.status_code
                        reply = self._read(response, await read_bytes(response))
                    # Its stream knows the response: they would be kept until Python looks for rings among objects.
                    response.stream = httpx.ByteStream(b"")
                    return reply
        except _NOT_SENT as error:
            problem = f"LeadByte cannot be reached ({type(error).__name__})"
            return Reply(sent=False, problem=problem, detail=prose(str(error)))
        except (httpx.TimeoutException, TimeoutError):
            return Reply(problem="the request was sent, but no answer came in time")
        except Exception as error:  # noqa: BLE001 - whatever an answer provokes, the request may have been applied
            # Not its text: a protocol error may quote what was sent or received.
            return Reply(problem=f"the request was sent, but its answer was lost ({type(error).__name__})")

    def _read(self, response: httpx.Response, content: bytes) -> Reply:
        now = self._clock()
        retry_at = None
        if not response.is_success:
            retry_at = read_retry_after(response.headers.get("Retry-After"), now)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS and not retry_at:
            retry_at = now + _DEFAULT_PAUSE
        their_time = read_clock(response.headers.get("Date"))
        if their_time:
            # Not by the wall clock, which may be set meanwhile.
            elapsed = asyncio.get_running_loop().time
            self._their_clock = their_time, elapsed(), elapsed
        return Reply(response.status_code, read_body(content), retry_at, their_time=their_time)


class _KeyHeader(httpx.Auth):
    """Sets X_KEY on each request as it leaves, so that no client or header list of ours holds the key."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["X_KEY"] = self._key.get_secret_value()
        yield request


def _checked_address(base_url: str) -> str:
    try:
        # In the clear or not is for the pipeline file to say.
        check_base_url(base_url, insecure_http=True)
        _ = httpx.URL(base_url).host  # what it cannot read would be found after the acts were taken
    except (httpx.InvalidURL, UnicodeError):
        raise ConfigError(_NO_HOST) from None
    except ValueError as error:
        raise ConfigError(f"leadbyte.base_url: {error}") from None
    return base_url.rstrip("/").removesuffix(_API)


def _checked_key(api_key: SecretStr) -> SecretStr:
    # A line break would end up, with the key, in a protocol error's text.
    try:
        return SecretStr(checked_key(api_key.get_secret_value()))
    except ValueError as error:
        raise ConfigError(f"leadbyte.api_key: {error}") from None


def _refuse_empty(request: LeadRequest) -> None:
    if not request.action and all(value is None for value in request.update.values()):
        raise ValueError(
            f"lead {request.lead_id}: there is nothing to write and nothing to do, so there is nothing to send"
        )
