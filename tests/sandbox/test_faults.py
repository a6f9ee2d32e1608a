"""Every switch on a real socket: what the caller sees, and what was applied."""

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import httpx
import pytest

from leadgate.sandbox import FaultName, LeadState, sandbox_thread
from tests.sandbox.calling import Clock, Start
from tests.support.waiting import wait_until

UPDATED = {"1": ["updated", "queued for processing"]}


@pytest.mark.parametrize(
    ("switches", "status", "content_type", "applied"),
    [
        ({"401": 1}, 401, "application/json", {}),
        ({"429": 1}, 429, "application/json", {}),
        ({"503": 1}, 503, "application/json", {}),
        ({"5xx-before": 1}, 502, "text/html", {}),
        ({"5xx-after": 1}, 502, "text/html", UPDATED),
        ({"5xx-after": 1, "5xx-status": 500}, 500, "text/html", UPDATED),
        ({"not-json-before": 1}, 200, "text/html", {}),
        ({"not-json-after": 1}, 200, "text/html", UPDATED),
        ({"status-error": 1}, 200, "application/json", {}),
        ({"poison": ["1"]}, 400, "application/json", {}),
        ({"permission": "read-only"}, 403, "application/json", {}),
        ({"permission": "update-only"}, 403, "application/json", {}),
    ],
)
async def test_a_switch_answers_and_applies_what_it_says(
    start: Start, switches: dict[str, object], status: int, content_type: str, applied: dict[str, Any]
) -> None:
    """The status, the kind of body, what was applied and which fault struck are as the table in the docs says."""
    caller = await start(faults=switches)
    answer = await caller.update("1", action="process")
    (exchange,) = caller.sandbox.requests
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, content_type)
    assert (exchange.status, exchange.applied, bool(caller.sandbox.quarantine.acts)) == (status, applied, bool(applied))
    assert exchange.faults == [name for name in switches if name in list(FaultName)]


@pytest.mark.parametrize(("switch", "applied"), [("drop-before", {}), ("drop-after", UPDATED)])
async def test_a_connection_can_be_dropped(start: Start, switch: str, applied: dict[str, Any]) -> None:
    """The caller sees a connection lost without an answer; the next request is served."""
    caller = await start(faults={switch: 1})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await caller.update("1", action="process")
    assert caller.sandbox.requests[0].status is None
    assert caller.sandbox.requests[0].applied == applied
    assert caller.sandbox.state()["answers"] == {"dropped": 1}
    assert (await caller.update("2")).status_code == 200


@pytest.mark.parametrize("status", ["429", "503"])
async def test_retry_after_comes_as_seconds_a_date_or_not_at_all(start: Start, clock: Clock, status: str) -> None:
    """Retry-After is whole seconds, or a date that is never too early."""
    caller = await start(faults={status: True, "retry-after": 2.5}, clock=clock)
    assert (await caller.act(1)).headers["Retry-After"] == "3"
    caller.sandbox.faults.change({"retry-after-as": "date"})
    moment = parsedate_to_datetime((await caller.act(1)).headers["Retry-After"])
    assert timedelta(seconds=3) <= moment - clock.now < timedelta(seconds=4)
    caller.sandbox.faults.change({"retry-after-as": "none"})
    assert "Retry-After" not in (await caller.act(1)).headers


async def test_a_status_error_holds_texts_and_objects(start: Start) -> None:
    """Both kinds of errors that have been seen are in the body."""
    caller = await start(faults={"status-error": 1})
    body = (await caller.update("1")).json()
    assert body["status"] == "Error"
    assert {type(error) for error in body["errors"]} == {str, dict}


async def test_a_poison_lead_spoils_its_batch_and_no_other(start: Start) -> None:
    """The batch with the lead is refused whole, without naming it; without the lead it goes through."""
    caller = await start(faults={"poison": ["2"]})
    refused = await caller.update("1", "2", "3")
    assert (refused.status_code, "2" in refused.text) == (400, False)
    assert (await caller.update("1", "3")).status_code == 200
    assert (await caller.update("2")).status_code == 400


async def test_a_poison_lead_by_chance_stays_one(start: Start) -> None:
    """With a probability the same leads are poison every time, or a batch could not be bisected."""
    caller = await start(faults={"poison": 0.3})
    rounds = [[(await caller.update(str(i))).status_code for i in range(30)] for _ in range(2)]
    assert rounds[0] == rounds[1]
    assert set(rounds[0]) == {200, 400}


@pytest.mark.parametrize(("switch", "applied"), [("missing-before", {}), ("missing-after", UPDATED)])
async def test_a_lead_can_be_missing_from_the_answer(start: Start, switch: str, applied: dict[str, Any]) -> None:
    """The lead is in neither list of the answer, and the other lead is in both."""
    caller = await start(faults={switch: ["1"]})
    body = (await caller.update("1", "2", action="process")).json()
    assert [line["quarantineId"] for line in body["leads"]] == ["2"]
    assert body["quaratineReleaseResults"] == ["Quarantine ID '2' queued for processing"]
    assert caller.sandbox.requests[0].applied == {"2": ["updated", "queued for processing"], **applied}
    assert (await caller.act(1)).json()["details"] == {}


async def test_not_success_applies_nothing_to_its_lead(start: Start) -> None:
    """The lead says success false with an error; the others are done."""
    caller = await start(faults={"not-success": ["1"]})
    body = (await caller.update("1", "2", action="process")).json()
    assert [line["success"] for line in body["leads"]] == [False, True]
    assert body["leads"][0]["errors"]
    assert body["quaratineReleaseResults"][0] == "Quarantine ID '1' could not be queued for processing"
    assert caller.sandbox.requests[0].applied == {"2": ["updated", "queued for processing"]}


async def test_moved_takes_the_lead_away_before_the_request(start: Start) -> None:
    """Someone else was quicker: the answer says the lead is not there."""
    caller = await start(faults={"moved": ["1"]})
    assert (await caller.update("1")).json()["leads"][0]["message"] == "Quarantine lead not found"
    assert caller.sandbox.quarantine.lead("1").state is LeadState.MOVED


async def test_moved_after_takes_the_lead_away_between_update_and_act(start: Start) -> None:
    """The update is taken, the act that follows finds nothing."""
    caller = await start(faults={"moved-after": 1})
    assert (await caller.update("1")).json()["leads"][0]["success"] is True
    assert (await caller.act(1)).json()["details"] == {"1": "Not found in quarantine"}


async def test_release_refused_takes_the_update_alone(start: Start) -> None:
    """The update succeeds, the release result says the act was not taken, by PUT and by POST."""
    caller = await start(faults={"release-refused": 2})
    body = (await caller.update("1", action="process")).json()
    assert body["leads"][0]["success"] is True
    assert body["quaratineReleaseResults"] == ["Quarantine ID '1' could not be queued for processing"]
    assert (await caller.act(1)).json()["details"] == {"1": "Could not be queued for processing"}
    assert caller.sandbox.quarantine.acts == {}


async def test_release_anyway_acts_without_the_update(start: Start) -> None:
    """The update says success false, and the act is queued all the same."""
    caller = await start(faults={"release-anyway": 1})
    body = (await caller.update("1", action="process")).json()
    assert body["leads"][0]["success"] is False
    assert body["quaratineReleaseResults"] == ["Quarantine ID '1' queued for processing"]
    assert caller.sandbox.requests[0].applied == {"1": ["queued for processing"]}


async def test_release_unsaid_leaves_the_result_out(start: Start) -> None:
    """The act is queued, and nothing says so."""
    caller = await start(faults={"release-unsaid": 1})
    body = (await caller.update("1", action="process")).json()
    assert (body["leads"][0]["success"], body["quaratineReleaseResults"]) == (True, [])
    assert len(caller.sandbox.quarantine.acts["1"]) == 1


@pytest.mark.parametrize(("switch", "applied_meanwhile"), [("slow", False), ("slow-after", True)])
async def test_a_slow_request_goes_on_when_the_caller_gives_up(
    start: Start,
    switch: str,
    applied_meanwhile: bool,
) -> None:
    """Latency and the switch add up as told; a caller that hangs up does not stop the act."""
    slept: list[float] = []
    sleeping, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        sleeping.set()
        await go_on.wait()

    caller = await start(faults={switch: 1, "slow-for": "250ms"}, sleep=sleep)
    call = asyncio.create_task(caller.act(1))
    await sleeping.wait()
    assert slept == [0.25]
    assert bool(caller.sandbox.quarantine.acts) is applied_meanwhile
    call.cancel()
    go_on.set()
    await asyncio.to_thread(wait_until, lambda: bool(caller.sandbox.requests), what="the request is answered")
    assert len(caller.sandbox.quarantine.acts["1"]) == 1


async def test_latency_is_added_to_every_request(start: Start) -> None:
    """Latency and slow are one wait before anything is done."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    caller = await start(latency=timedelta(milliseconds=50), faults={"slow": 1, "slow-for": 1}, sleep=sleep)
    await caller.act(1)
    await caller.act(2)
    assert slept == [1.05, 0.05]


async def test_refuse_shuts_the_door_for_a_while(start: Start) -> None:
    """The request and an idle connection are cut, new ones are refused, and then the same address answers again."""
    go_on = asyncio.Event()

    async def sleep(_: float) -> None:
        await go_on.wait()

    caller = await start(faults={"refuse": 1}, sleep=sleep)
    async with httpx.AsyncClient(base_url=caller.sandbox.url) as idle:
        await idle.get("/sandbox/state")
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await caller.act(1)
        with pytest.raises(httpx.TransportError):
            await idle.get("/sandbox/state")
    with pytest.raises(httpx.ConnectError):
        await caller.act(1)
    assert caller.sandbox.quarantine.acts == {}
    go_on.set()

    await asyncio.to_thread(wait_until, partial(answers, caller.sandbox.url), what="the door is open again")
    assert (await caller.act(1)).status_code == 200
    assert len(caller.sandbox.quarantine.acts["1"]) == 1


def test_a_thread_can_shut_the_door() -> None:
    """From another thread the door is shut when the control call is answered, and opens again after the span."""
    with sandbox_thread() as sandbox:
        assert httpx.get(f"{sandbox.url}/sandbox/state").is_success
        assert httpx.post(f"{sandbox.url}/sandbox/outage", json={"seconds": 0.3}).is_success
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{sandbox.url}/sandbox/state")

        wait_until(partial(answers, sandbox.url), what="the door is open again")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{sandbox.url}/sandbox/state")


def answers(url: str) -> bool:
    """Whether a new connection is taken and answered."""
    try:
        return httpx.get(f"{url}/sandbox/state").is_success
    except httpx.ConnectError:
        return False
