"""The control API over the same socket, and what is recorded."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from leadgate.sandbox import LeadState
from tests.sandbox.calling import Clock, Start

PREFIX = "/restapi/v1.3"


async def test_the_state_counts_everything(start: Start) -> None:
    """Leads by state, acts by kind, answers by status, what was acted on twice, and what is left of the switches."""
    caller = await start(faults={"429": 2, "drop-after": ["9"]})
    for lead_id in ("1", "1"):
        await caller.act(lead_id)
    await caller.update("1", "2")
    await caller.update("3", action="reject")
    await caller.update("3", action="reject")
    with pytest.raises(httpx.RemoteProtocolError):
        await caller.act("9")
    caller.sandbox.quarantine.move(["4"], LeadState.MOVED)
    state = (await caller.client.get("/sandbox/state")).json()
    assert state["leads"] == {"quarantined": 2, "queued": 0, "released": 1, "rejected": 1, "moved": 1}
    assert state["acts"] == {"process": 1, "reject": 2}
    assert state["acted_twice"] == ["3"]
    assert (state["requests"], state["answers"]) == (6, {"429": 2, "200": 3, "dropped": 1})
    assert state["faults"]["429"] == {"probability": 1.0, "count": 0}
    assert state["faults"]["drop-after"] == {"probability": 1.0, "leads": ["9"]}


async def test_requests_are_recorded_whole(start: Start, clock: Clock) -> None:
    """When, what, with which key label, what was applied, which faults struck and what was answered."""
    caller = await start(faults={"missing-after": ["2"]}, clock=clock)
    answer = await caller.update("1", "2", action="process")
    (seen,) = (await caller.client.get("/sandbox/requests")).json()
    assert seen == {
        "number": 1,
        "at": clock.now.isoformat(),
        "method": "PUT",
        "path": f"{PREFIX}/leads",
        "key": "key-1",
        "body": {
            "leads": [{"quarantineId": i, "update": {"postcode": "TN25 6QD"}, "action": "process"} for i in ("1", "2")]
        },
        "applied": {i: ["updated", "queued for processing"] for i in ("1", "2")},
        "faults": ["missing-after"],
        "status": 200,
        "answer": answer.json(),
    }


async def test_requests_can_be_read_on_from_a_number(start: Start) -> None:
    """`after` leaves out what was read before."""
    caller = await start()
    for _ in range(3):
        await caller.update("1")
    seen = (await caller.client.get("/sandbox/requests", params={"after": 2})).json()
    assert [exchange["number"] for exchange in seen] == [3]


@pytest.mark.parametrize(("options", "numbers"), [({"keep": 2}, [2, 3]), ({"keep": 0}, [])])
async def test_the_record_is_bounded_and_can_be_left_out(
    start: Start, options: dict[str, int], numbers: list[int]
) -> None:
    """`keep` bounds the requests, 0 keeps none; counts and acts are whole either way."""
    caller = await start(**options)
    for lead_id in range(3):
        await caller.act(lead_id)
    assert [exchange.number for exchange in caller.sandbox.requests] == numbers
    assert caller.sandbox.state()["requests"] == 3
    assert sorted(caller.sandbox.quarantine.acts) == ["0", "1", "2"]


async def test_acts_and_leads_can_be_looked_at(start: Start, clock: Clock) -> None:
    """An act with its time and request; a lead with its fields and acts; 404 for one never seen."""
    caller = await start(clock=clock)
    await caller.update("1", action="process")
    act = {"at": clock.now.isoformat(), "action": "process", "accepted": True, "request": 1}
    assert (await caller.client.get("/sandbox/acts")).json() == {"1": [act]}
    lead = (await caller.client.get("/sandbox/leads/1")).json()
    assert lead == {"id": "1", "state": "released", "fields": {"postcode": "TN25 6QD"}, "acts": [act]}
    unseen = await caller.client.get("/sandbox/leads/2")
    assert (unseen.status_code, unseen.json()) == (404, {"error": "never seen"})


async def test_leads_can_be_added_and_moved(start: Start, clock: Clock) -> None:
    """Ids as text or numbers; with a state and a delay someone else moves them then."""
    caller = await start(strict=True, clock=clock)
    await caller.client.post("/sandbox/leads", json={"ids": ["1", 2]})
    await caller.client.post("/sandbox/leads", json={"ids": [2], "state": "rejected", "after": 30})
    assert [line["success"] for line in (await caller.update("1", "2")).json()["leads"]] == [True, True]
    clock.advance(seconds=30)
    assert [line["success"] for line in (await caller.update("1", "2")).json()["leads"]] == [True, False]


async def test_faults_can_be_changed_while_it_runs(start: Start) -> None:
    """A switch set over HTTP strikes the next request, and null takes it back."""
    caller = await start()
    shown = await caller.client.post("/sandbox/faults", json={"429": True, "retry-after": 7})
    assert shown.json()["429"] == {"probability": 1.0}
    assert (await caller.act(1)).headers["Retry-After"] == "7"
    await caller.client.post("/sandbox/faults", json={"429": None})
    assert (await caller.act(1)).status_code == 200


async def test_an_outage_answers_and_then_refuses(start: Start) -> None:
    """The answer to the call itself comes through; the next connection is refused."""

    async def sleep_for_ever(_: float) -> None:
        await asyncio.Event().wait()

    caller = await start(sleep=sleep_for_ever)
    answer = await caller.client.post("/sandbox/outage", json={"seconds": 10})
    assert answer.json() == {"refusing_for": 10}
    with pytest.raises(httpx.ConnectError):
        await caller.act(1)


async def test_a_reset_forgets_everything(start: Start) -> None:
    """Leads, acts, requests and counts are gone, switches are as at the start."""
    caller = await start(faults={"429": 1})
    before = caller.sandbox.state()
    await caller.act(1)
    await caller.act(1)
    await caller.client.post("/sandbox/faults", json={"503": 1})
    assert (await caller.client.post("/sandbox/reset")).json() == before
    assert caller.sandbox.requests == []


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/sandbox/faults", {"drop-aftr": 1}, "did you mean drop-after?"),
        ("/sandbox/faults", [], "must be a JSON object"),
        ("/sandbox/leads", {"ids": "1"}, "ids must be a list"),
        ("/sandbox/leads", {"ids": [], "moved": True}, "after, ids, state"),
        ("/sandbox/leads", {"ids": [], "state": "sold"}, "sold"),
        ("/sandbox/outage", {"seconds": "a while"}, "a while"),
        ("/sandbox/outage", {}, "None"),
    ],
)
async def test_a_wrong_control_call_is_a_400_that_says_why(start: Start, path: str, body: object, said: str) -> None:
    """Control calls are checked, and change nothing when they are wrong."""
    caller = await start()
    answer = await caller.client.post(path, json=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


async def test_times_are_utc(start: Start) -> None:
    """Without a clock handed in, requests carry the time in UTC."""
    caller = await start()
    before = datetime.now(UTC)
    await caller.act(1)
    assert before <= caller.sandbox.requests[0].at <= datetime.now(UTC)
    assert caller.sandbox.requests[0].at.tzinfo is UTC
