"""LeadByte is down: few requests are wasted on it, no lead pays for it, and everything goes on when it is back."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from leadgate.attention import attention
from leadgate.delivery.outage import Breaker, wait_for_leadbyte
from leadgate.errors import KeyRefused, LeadByteUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger.doubts import read_doubts
from leadgate.model import Answer, Certainty, LeadRequest, State
from leadgate.stopping import Stop
from tests.delivery.world import config_with, renew_account
from tests.leadbyte.virtual_time import START, now, run
from tests.reconcile.world import LATER, Reconciling

FIRST: dict[str, Any] = {"mode": "update_first"}
COMBINED: dict[str, Any] = {"mode": "combined"}
BUSY = [Answer("1", Certainty.REFUSED, transient=True, message="HTTP 429")]
LOST = [Answer("1", Certainty.IN_DOUBT, http_status=None, transient=True, message="no answer")]
BROKEN = [Answer("1", Certainty.IN_DOUBT, http_status=500, message="HTTP 500")]
ANSWERED = [Answer("1", Certainty.ANSWERED, updated=True, acted=True, http_status=200)]
UNREADABLE = [Answer("1", Certainty.IN_DOUBT, http_status=200, message="not JSON")]
REFUSED = [Answer("1", Certainty.REFUSED, http_status=400, message="no")]
IDS = [str(n) for n in range(1, 41)]
DOWN = ["429", "503", "refuse", "5xx-before", "5xx-after", "drop-before", "drop-after"]


@pytest.mark.parametrize("concurrency", [1, 4, 64])
@pytest.mark.parametrize("answers", [BUSY, LOST, BROKEN])
def test_the_run_breaks_off_after_three_more_failures_than_can_be_in_flight(
    concurrency: int, answers: Sequence[Answer]
) -> None:
    """As many as are under way at once may fail of one cause, such as a single 429."""
    breaker = Breaker("https://acme.leadbyte.com", concurrency)
    for _ in range(concurrency + 2):
        breaker.note(answers)
        breaker.check()
    breaker.note(answers)
    with pytest.raises(LeadByteUnavailable, match=r"https://acme\.leadbyte\.com is not accepting requests right now"):
        breaker.check()


@pytest.mark.parametrize("answers", [ANSWERED, UNREADABLE, REFUSED])
def test_whatever_is_an_answer_counts_anew(answers: Sequence[Answer]) -> None:
    """A LeadByte that refuses, or talks nonsense, is not down."""
    breaker = Breaker("https://acme.leadbyte.com", 1)
    for _ in range(10):
        for _ in range(3):
            breaker.note(LOST)
        breaker.note(answers)
    breaker.check()
    assert breaker.outage is None


def test_a_run_that_never_heard_anything_says_so() -> None:
    """Even if too little was sent to break off; one answer is enough to take it back."""
    breaker = Breaker("https://acme.leadbyte.com", 4)
    assert breaker.outage is None
    breaker.note(LOST)
    assert "is not accepting requests right now" in str(breaker.outage)
    breaker.note(ANSWERED)
    breaker.note(LOST)
    assert breaker.outage is None


class Down:
    """A LeadByte that answers nothing until some seconds have passed; notes when it was asked, and what."""

    def __init__(self, seconds: float, reply: Callable[[], httpx.Response]) -> None:
        self.asked_at: list[float] = []
        self.bodies: list[object] = []
        self._seconds, self._reply = seconds, reply

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Fail, or take it."""
        time = asyncio.get_running_loop().time()
        self.asked_at.append(round(time))
        self.bodies.append(json.loads(request.content))
        return self._reply() if time < self._seconds else httpx.Response(200, json={"status": "Success", "leads": []})

    def waited_for(self, patience: timedelta, stop_after: float | None = None) -> bool:
        """Wait until it answers, for so long; in virtual time."""

        async def story() -> bool:
            stop = Stop()
            client = LeadByteClient(
                base_url="https://acme.leadbyte.com",
                api_key=SecretStr("practice-key"),
                timeout=timedelta(seconds=30),
                concurrency=4,
                clock=now,
                transport=httpx.MockTransport(self.answer),
            )
            async with client:
                if stop_after is not None:
                    asyncio.get_running_loop().call_later(stop_after, stop.request, "SIGTERM")
                return await wait_for_leadbyte(client, until=START + patience, clock=now, stop=stop)

        return run(story())


def refuse() -> httpx.Response:
    """No connection."""
    raise httpx.ConnectError("refused")


def fail() -> httpx.Response:
    """An answer from what stands in front of LeadByte."""
    return httpx.Response(502, text="<html>")


@pytest.mark.parametrize("reply", [refuse, fail])
def test_an_outage_of_a_minute_costs_six_empty_requests(reply: Callable[[], httpx.Response]) -> None:
    """After pauses of 1, 2, 4, 8, 16 and 30 seconds; the sixth is answered. Nothing in them names a lead."""
    leadbyte = Down(60, reply)
    assert leadbyte.waited_for(timedelta(minutes=2))
    assert leadbyte.asked_at == [1, 3, 7, 15, 31, 61]
    assert leadbyte.bodies == 6 * [{"leads": []}]


def test_a_day_of_outage_is_asked_twice_a_minute() -> None:
    """The pauses grow no longer than 30 seconds, so that a watching run is back soon."""
    leadbyte = Down(86_400, refuse)
    assert leadbyte.waited_for(timedelta(days=2))
    assert leadbyte.asked_at[-1] - 86_400 <= 30
    assert len(leadbyte.asked_at) == 6 + (86_400 - 61) // 30 + 1


def test_patience_ends() -> None:
    """The last question is asked at its very end."""
    leadbyte = Down(86_400, refuse)
    assert not leadbyte.waited_for(timedelta(minutes=2))
    assert leadbyte.asked_at == [1, 3, 7, 15, 31, 61, 91, 120]


def test_a_pause_that_leadbyte_asks_for_is_kept() -> None:
    """Nothing is asked before it is over."""
    leadbyte = Down(60, lambda: httpx.Response(503, headers={"Retry-After": "45"}))
    assert leadbyte.waited_for(timedelta(minutes=5))
    assert leadbyte.asked_at == [1, 46, 91]


def test_asked_to_stop_nobody_waits_for_leadbyte() -> None:
    """The pause ends at once, and nothing more is asked."""
    leadbyte = Down(86_400, refuse)
    assert not leadbyte.waited_for(timedelta(days=1), stop_after=20)
    assert leadbyte.asked_at == [1, 3, 7, 15]


def test_a_key_that_is_refused_ends_the_waiting() -> None:
    """LeadByte is back, and says no."""
    leadbyte = Down(60, lambda: httpx.Response(401, json={"status": "Error", "message": "Invalid API key"}))
    with pytest.raises(KeyRefused):
        leadbyte.waited_for(timedelta(minutes=2))


@pytest.mark.parametrize("fault", DOWN)
async def test_an_outage_costs_few_requests_and_no_attempts(world: Reconciling, fault: str) -> None:
    """Of forty batches seven to ten are sent in vain: seven open the breaker, three may be on the wire by then.

    Those whose intent was committed meanwhile are told that nothing was sent. Afterwards every lead is processed, once.
    """
    world.arrive(*IDS)
    world.sandbox.faults.change({fault: "always", "retry-after": 0, "refuse-for": 3600})
    with pytest.raises(LeadByteUnavailable):
        await world.run(leadbyte={"batch_size": 1, "concurrency": 4})
    tried = [a for lead_id in IDS for a in world.history(lead_id).attempts]
    assert len(world.asked()) <= 10
    assert 7 <= len(tried) <= 10 + 8
    assert {world.entry(lead_id)["refusals"] for lead_id in IDS} == {0}
    assert set(world.states(IDS).values()) <= {State.READY, State.UNKNOWN}
    assert {world.entry(lead_id)["lease_owner"] for lead_id in IDS} == {None}
    world.sandbox.faults.change({fault: None})
    world.sandbox.door.shut_for(timedelta())
    await world.reached()
    for _ in range(2):
        world.clock.advance(**LATER)
        await world.run(leadbyte={"batch_size": 1, "concurrency": 4})
    assert set(world.states(IDS).values()) == {State.PROCESSED}
    assert {world.entry(lead_id)["refusals"] for lead_id in IDS} == {0}
    assert {len(acts) for acts in world.sandbox.quarantine.acts.values()} == {1}


async def test_an_outage_in_the_midst_of_probing_loses_nothing(world: Reconciling) -> None:
    """What was not probed is unknown still, and held by nobody."""
    await world.lose(*IDS)
    world.clock.advance(**LATER)
    world.sandbox.faults.change({"503": "always", "retry-after": 0})
    with pytest.raises(LeadByteUnavailable):
        await world.run(leadbyte={"batch_size": 1})
    assert set(world.states(IDS).values()) == {State.UNKNOWN}
    assert {world.entry(lead_id)["lease_owner"] for lead_id in IDS} == {None}
    world.sandbox.faults.change({"503": None})
    world.clock.advance(**LATER)
    await world.run()
    assert set(world.states(IDS).values()) == {State.PROCESSED}


async def test_an_hour_of_503_puts_a_handful_of_leads_in_doubt(world: Reconciling) -> None:
    """Whatever the number of runs: the updates meet it, and no act leaves. When it is over, all go."""
    leads = [str(number) for number in range(1, 201)]
    world.arrive("first")
    await world.run(delivery=FIRST)
    world.arrive(*leads)
    world.sandbox.faults.change({"5xx-before": "always", "5xx-status": 503})
    before = len(world.asked())
    for _ in range(12):
        with suppress(LeadByteUnavailable):
            await world.run(delivery=FIRST, leadbyte={"batch_size": 10})
        world.clock.advance(minutes=5)
    assert len(world.asked()) - before <= 12 * 10, "each run breaks off soon"
    assert set(world.states(leads).values()) == {State.READY}
    world.sandbox.faults.change({"5xx-before": None})
    await world.run(delivery=FIRST, leadbyte={"batch_size": 10})
    assert set(world.states(leads).values()) == {State.PROCESSED}


@pytest.mark.parametrize("fault", ["release-unsaid", "missing-after", "5xx-after"])
async def test_a_key_that_may_not_process_puts_one_lead_in_doubt(world: Reconciling, fault: str) -> None:
    """LeadByte answers the update, and nothing, or nothing of use, about the act: no run sends a second one soon."""
    leads = [str(number) for number in range(1, 61)]
    renew_account(world.ledger)
    world.arrive(*leads)
    world.sandbox.faults.change({fault: "always"} if fault == "release-unsaid" else {})
    if fault != "release-unsaid":
        world.sandbox.faults.change({fault: leads})
    ran = await world.run(delivery=COMBINED)
    again = await world.run(delivery=COMBINED)
    in_doubt = [lead_id for lead_id, state in world.states(leads).items() if state is State.UNKNOWN]
    assert len(in_doubt) == 1
    assert any("the last act that went alone is in doubt" in note for note in ran.tally.notes)
    assert again.tally.went.keys() <= {State.UNKNOWN}
    told = attention(read_doubts(world.ledger), config_with().delivery, world.clock())
    assert any("look whether its key may process (Quarantine > Process)" in sentence for sentence in told)


async def test_a_run_that_was_held_up_does_not_blame_leadbyte(world: Reconciling) -> None:
    """It wakes when its leases are over: nothing is sent, nothing is lost, and it says what it was."""
    world.arrive("1")

    class HeldUp(LeadByteClient):
        async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:
            world.clock.advance(minutes=6)
            return await super().put(requests, before=before)

    ran = await world.run(client=world.client(kind=HeldUp), delivery=COMBINED)
    assert world.asked() == []
    assert [note for note in ran.tally.notes if "LeadByte" in note] == []
    assert any("This run was held up for longer than its hold on leads lasts" in note for note in ran.tally.notes)
    assert world.states(["1"]) == {"1": State.READY}
