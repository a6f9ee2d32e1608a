"""When requests go out: their turns, the concurrency, and the pauses LeadByte asks for. Time is virtual."""

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta

import httpx
import pytest

from leadgate.errors import KeyRefused, LeadByteUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.pacing import Pace, TakeTurn, read_date, read_retry_after
from leadgate.model import Certainty, LeadRequest
from tests.leadbyte.conftest import MakeClient
from tests.leadbyte.exchanges import LEAD, POSTED, UPDATE, UPDATED_ANSWER
from tests.leadbyte.virtual_time import START, now, run

TWO_LEADS = [LeadRequest("1", {"c1": "a"}), LeadRequest("2", {"c1": "b"})]


class TimedLeadByte:
    """Answers after `takes` seconds with the given replies in turn, the last for ever; notes when it was asked."""

    def __init__(self, *replies: httpx.Response, takes: float = 0) -> None:
        self.asked_at: list[float] = []
        self.most_at_once = 0
        self._replies = list(replies)
        self._takes = takes
        self._at_once = 0
        self.transport = httpx.MockTransport(self._answer)

    async def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.asked_at.append(round(asyncio.get_running_loop().time(), 3))
        given = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(self._takes)
        self._at_once -= 1
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)


def updated() -> httpx.Response:
    """The documented answer."""
    return httpx.Response(200, text=UPDATED_ANSWER)


def busy(retry_after: str | None, status: int = 429) -> httpx.Response:
    """An answer that asks to come back later."""
    return httpx.Response(status, headers={} if retry_after is None else {"Retry-After": retry_after})


def pause_of(sender: LeadByteClient | Pace) -> datetime | None:
    """What a client or its pace says of its pause; mypy would take the property for unchanging."""
    return sender.paused_until


def every(seconds: float) -> TakeTurn:
    """Turns that are so far apart, the first of them at once."""
    line, next_at = asyncio.Lock(), 0.0

    async def take_turn() -> None:
        nonlocal next_at
        async with line:
            time = asyncio.get_running_loop().time
            await asyncio.sleep(next_at - time())
            next_at = time() + seconds

    return take_turn


async def at_once(calls: Iterable[Awaitable[object]]) -> list[object]:
    """Await all calls together."""
    return list(await asyncio.gather(*calls))


def test_requests_wait_for_their_turn(make_client: MakeClient) -> None:
    """Each of them, however many may be in flight."""
    server = TimedLeadByte(updated())

    async def story() -> None:
        async with make_client(transport=server.transport, take_turn=every(0.2), clock=now) as client:
            await at_once(client.put([UPDATE]) for _ in range(6))

    run(story())
    assert server.asked_at == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0], abs=0.01)


def test_without_a_rate_only_the_concurrency_bounds(make_client: MakeClient) -> None:
    """A client that is given no turns sends at once."""
    server = TimedLeadByte(updated(), takes=1)

    async def story() -> None:
        async with make_client(transport=server.transport, concurrency=3, clock=now) as client:
            await at_once(client.put([UPDATE]) for _ in range(7))

    run(story())
    assert server.most_at_once == 3
    assert server.asked_at == pytest.approx([0, 0, 0, 1, 1, 1, 2], abs=0.01)


@pytest.mark.parametrize("reply", [busy("60"), busy("60", 503)])
def test_a_long_pause_is_handed_to_the_caller(make_client: MakeClient, reply: httpx.Response) -> None:
    """Until it is over every call returns at once, without a request, and says when to come back."""
    server = TimedLeadByte(reply, updated())

    async def story() -> None:
        async with make_client(transport=server.transport, clock=now) as client:
            assert pause_of(client) is None
            first = await client.put(TWO_LEADS)
            until = first[0].retry_at
            assert until
            assert pause_of(client) == until
            assert until - START == pytest.approx(timedelta(seconds=60), abs=timedelta(seconds=0.01))
            second = [*await client.put(TWO_LEADS), await client.act(POSTED)]
            for answer in [*first, *second]:
                assert (answer.certainty, answer.transient, answer.retry_at) == (Certainty.REFUSED, True, until)
                assert answer.whole_request
            assert [answer.http_status for answer in second] == [None] * 3
            with pytest.raises(LeadByteUnavailable, match="2026-03-01T12:01:00"):
                await client.check()
            assert len(server.asked_at) == 1
            await asyncio.sleep(60)
            assert pause_of(client) is None
            (answer,) = await client.put([UPDATE])
            assert answer.updated
            assert answer.retry_at is None

    run(story())
    assert server.asked_at == pytest.approx([0, 60], abs=0.01)


def test_a_short_pause_is_waited_out_at_the_same_rate(make_client: MakeClient) -> None:
    """After it the requests are spread again."""
    server = TimedLeadByte(busy("3"), updated())

    async def story() -> None:
        async with make_client(transport=server.transport, take_turn=every(0.2), clock=now) as client:
            await client.put([UPDATE])
            await at_once(client.put([UPDATE]) for _ in range(3))

    run(story())
    assert server.asked_at == pytest.approx([0, 3, 3.2, 3.4], abs=0.01)


def test_a_pause_holds_those_that_wait_for_their_turn(make_client: MakeClient) -> None:
    """A request that was queued before LeadByte asked for the pause obeys it too."""
    server = TimedLeadByte(busy("4"), updated(), takes=0.5)

    async def story() -> None:
        async with make_client(transport=server.transport, take_turn=every(1), clock=now) as client:
            await at_once(client.put([UPDATE]) for _ in range(3))

    run(story())
    assert server.asked_at == pytest.approx([0, 4.5, 5.5], abs=0.01)


def test_too_many_requests_without_a_time_pauses_a_little(make_client: MakeClient) -> None:
    """LeadByte may not know Retry-After; five seconds are modest."""
    server = TimedLeadByte(busy(None), updated())

    async def story() -> None:
        async with make_client(transport=server.transport, clock=now) as client:
            (answer,) = await client.put([UPDATE])
            assert answer.retry_at is not None
            await client.put([UPDATE])

    run(story())
    assert server.asked_at == pytest.approx([0, 5], abs=0.01)


def test_a_busy_503_without_a_time_is_in_doubt_and_pauses_nothing(make_client: MakeClient) -> None:
    """A proxy says so too, after it has passed the request on."""
    server = TimedLeadByte(busy(None, 503), busy("soon", 503))

    async def story() -> None:
        async with make_client(transport=server.transport, clock=now) as client:
            for _ in range(2):
                (answer,) = await client.put([UPDATE])
                assert (answer.certainty, answer.retry_at) == (Certainty.IN_DOUBT, None)

    run(story())
    assert server.asked_at == pytest.approx([0, 0], abs=0.01)


def test_a_clock_that_stands_still_does_not_hold_a_request_for_ever(make_client: MakeClient) -> None:
    """A short pause is waited for once; a wall clock may be set back meanwhile."""
    server = TimedLeadByte(busy("2"), updated())

    async def story() -> None:
        async with make_client(transport=server.transport, clock=lambda: START) as client:
            await client.put([UPDATE])
            await client.put([UPDATE])

    run(story())
    assert server.asked_at == pytest.approx([0, 2], abs=0.01)


def test_a_server_that_never_ends_its_answer_is_left(make_client: MakeClient) -> None:
    """However it drips, an exchange ends after the time to connect and twice the time-out."""
    server = TimedLeadByte(updated(), takes=10_000)

    async def story() -> None:
        async with make_client(transport=server.transport, clock=now) as client:
            (answer,) = await client.put([UPDATE])
            assert answer.certainty is Certainty.IN_DOUBT
            assert asyncio.get_running_loop().time() == pytest.approx(70, abs=0.01)

    run(story())


def test_the_longer_of_two_pauses_stands(make_client: MakeClient) -> None:
    """Answers that were under way together may name different times."""
    server = TimedLeadByte(busy("60"), busy("30"))

    async def story() -> None:
        async with make_client(transport=server.transport, clock=now) as client:
            first, _ = await asyncio.gather(client.put([UPDATE]), client.put([UPDATE]))
            assert pause_of(client) == first[0].retry_at

    run(story())
    assert len(server.asked_at) == 2


def test_a_refused_key_does_not_touch_the_answers_under_way(make_client: MakeClient) -> None:
    """A lead whose answer is on its way is not made unknown by another's refusal."""

    async def answer(request: httpx.Request) -> httpx.Response:
        is_slow = b"slow" in request.content
        await asyncio.sleep(2 if is_slow else 1)
        return updated() if is_slow else httpx.Response(401)

    async def story() -> None:
        async with make_client(transport=httpx.MockTransport(answer), clock=now) as client:
            slow = LeadRequest(LEAD, {"c1": "slow"})
            good, refused = await asyncio.gather(client.put([slow]), client.put([UPDATE]), return_exceptions=True)
            assert isinstance(good, list)
            assert good[0].updated
            assert isinstance(refused, KeyRefused)

    run(story())


def test_a_refused_key_stops_those_that_wait_for_their_turn(make_client: MakeClient) -> None:
    """They were called before anybody knew, and send nothing all the same."""
    server = TimedLeadByte(httpx.Response(401), takes=0.5)

    async def story() -> None:
        async with make_client(transport=server.transport, take_turn=every(1), clock=now) as client:
            calls = [client.put([UPDATE]) for _ in range(6)]
            said = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(each) for each in said] == [KeyRefused] * 6

    run(story())
    assert server.asked_at == [0]


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", timedelta(seconds=0)),
        ("120", timedelta(seconds=120)),
        (" 1.5 ", timedelta(seconds=1.5)),
        ("Sun, 01 Mar 2026 12:02:00 GMT", timedelta(seconds=120)),
        ("Sun, 01 Mar 2026 12:02:00 -0000", timedelta(seconds=120)),
        ("Sunday, 01-Mar-26 12:02:00 GMT", timedelta(seconds=120)),
        ("Sun, 01 Mar 2026 11:00:00 GMT", timedelta(seconds=0)),
        ("99999999999999999999", timedelta(days=1)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=1)),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e3", None),
        ("Sun, 99 Mar 2026 12:02:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(header: str | None, wait: timedelta | None) -> None:
    """Seconds, with a fraction too, or a date; what has passed means now, and nothing parks us for more than a day."""
    assert read_retry_after(header, START) == (None if wait is None else START + wait)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("Sun, 01 Mar 2026 12:02:00 GMT", START + timedelta(minutes=2)),
        ("Sun, 01 Mar 2026 12:02:00 -0000", START + timedelta(minutes=2)),
        ("Sun, 01 Mar 2026 13:02:00 +0100", START + timedelta(minutes=2)),
        (None, None),
        ("", None),
        ("120", None),
        ("yesterday", None),
        ("Sun, 99 Mar 2026 12:02:00 GMT", None),
    ],
)
def test_a_date_is_read_or_counts_as_none(header: str | None, named: datetime | None) -> None:
    """It is always aware: HTTP dates are GMT."""
    assert read_date(header) == named


def test_the_clock_of_leadbyte_goes_on_between_its_answers(make_client: MakeClient) -> None:
    """As its last answer had it, however far it is off; an answer without a date changes nothing."""
    theirs = {"Date": "Sun, 01 Mar 2026 15:00:00 GMT"}
    dates: list[dict[str, str]] = [{}, theirs, {}, {"Date": "never"}, {"Date": "Sun, 01 Mar 2026 11:00:00 GMT"}]
    replies = [httpx.Response(200, headers=headers, text=UPDATED_ANSWER) for headers in dates]
    server = TimedLeadByte(*replies)
    three = START + timedelta(hours=3)

    async def story() -> None:
        async with make_client(clock=now, transport=server.transport) as client:
            said: list[tuple[datetime | None, timedelta | None]] = []
            for _ in replies:
                (answer,) = await client.put([UPDATE])
                await asyncio.sleep(60)
                their_now = client.their_now()
                said.append((answer.their_time, round_to_seconds(their_now - START) if their_now else None))
        assert said == [
            (None, None),
            (three, timedelta(hours=3, minutes=1)),
            (None, timedelta(hours=3, minutes=2)),
            (None, timedelta(hours=3, minutes=3)),
            (START - timedelta(hours=1), timedelta(hours=-1, minutes=1)),
        ]

    run(story())


def round_to_seconds(span: timedelta) -> timedelta:
    """Without the ticks of virtual time."""
    return timedelta(seconds=round(span.total_seconds()))


def test_a_pause_is_as_long_as_it_was_when_the_clock_is_set_back() -> None:
    """A minute that LeadByte asked for is not a day when a clock that was a day ahead is put right."""
    told = START + timedelta(days=1)
    pace = Pace(clock=lambda: told, take_turn=None)
    pace.pause(told + timedelta(minutes=1))
    told = START
    assert pause_of(pace) == START + timedelta(minutes=1)
    assert run(pace.wait_for_turn()) == START + timedelta(minutes=1)
    told = START + timedelta(minutes=1)
    assert pause_of(pace) is None
    assert run(pace.wait_for_turn()) is None


def test_of_two_pauses_the_one_that_lasts_longer_stands() -> None:
    """By the time that is left of each, whatever a clock has done between them."""
    told = START + timedelta(days=1)
    pace = Pace(clock=lambda: told, take_turn=None)
    pace.pause(told + timedelta(minutes=1))
    told = START
    pace.pause(told + timedelta(minutes=2))
    assert pause_of(pace) == START + timedelta(minutes=2)
    pace.pause(told + timedelta(minutes=1))
    assert pause_of(pace) == START + timedelta(minutes=2)
