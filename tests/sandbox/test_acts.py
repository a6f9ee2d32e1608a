"""How acts are counted and when they are carried out."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from leadgate.model import Action
from leadgate.sandbox import LeadState
from tests.sandbox.calling import Clock, Start

LAG = timedelta(seconds=5)


async def test_a_queued_lead_takes_updates_until_the_lag_is_over(start: Start, clock: Clock) -> None:
    """Until the lag is over an acted-on lead looks as if it were in quarantine; then it is not there."""
    caller = await start(lag=LAG, clock=clock)
    await caller.act("1", "process")
    clock.advance(seconds=4.999)
    assert caller.sandbox.quarantine.lead("1").state is LeadState.QUEUED
    assert (await caller.update("1")).json()["leads"][0]["success"] is True
    clock.advance(seconds=0.001)
    assert (await caller.update("1")).json()["leads"][0]["success"] is False
    assert caller.sandbox.quarantine.lead("1").state is LeadState.RELEASED


async def test_a_reject_ends_as_rejected(start: Start) -> None:
    """Without a lag a rejected lead has left when it is next looked at."""
    caller = await start()
    await caller.update("1", action="reject")
    assert caller.sandbox.quarantine.lead("1").state is LeadState.REJECTED


async def test_an_act_is_counted_once_with_its_request(start: Start, clock: Clock) -> None:
    """One accepted act is one act, and names the request it came in."""
    caller = await start(clock=clock)
    await caller.update("1")
    await caller.update("1", action="process")
    (act,) = caller.sandbox.quarantine.acts["1"]
    assert (act.action, act.accepted, act.request, act.at) == (Action.PROCESS, True, 2, clock.now)
    assert caller.sandbox.quarantine.acted_twice() == []


async def test_a_second_act_while_queued_is_accepted_and_counted(start: Start, clock: Clock) -> None:
    """What LeadByte leaves undefined goes the worst way; the first act is the one carried out."""
    caller = await start(lag=LAG, clock=clock)
    await caller.act("1", "process")
    assert (await caller.act("1", "reject")).json()["details"] == {"1": "Queued for rejection"}
    acts = caller.sandbox.quarantine.acts["1"]
    assert [(act.action.value, act.accepted) for act in acts] == [("process", True), ("reject", True)]
    clock.advance(seconds=5)
    assert caller.sandbox.quarantine.lead("1").state is LeadState.RELEASED


async def test_an_act_on_a_lead_already_gone_by_an_act_is_counted(start: Start) -> None:
    """A second act that finds nothing is still a second act."""
    caller = await start()
    await caller.act("1")
    await caller.act("1")
    assert [a.accepted for a in caller.sandbox.quarantine.acts["1"]] == [True, False]
    assert caller.sandbox.quarantine.acted_twice() == ["1"]


@pytest.mark.parametrize("second", ["401", "429", "503", "5xx-before", "not-json-before", "status-error", "poison"])
async def test_a_second_act_is_counted_even_if_it_is_refused(start: Start, second: str) -> None:
    """Sending an act again is the mistake, however the second one ends."""
    caller = await start()
    await caller.update("1", action="process")
    caller.sandbox.faults.change({second: 1})
    await caller.update("1", action="process")
    assert [a.accepted for a in caller.sandbox.quarantine.acts["1"]] == [True, False]


@pytest.mark.parametrize("lost", ["drop-after", "5xx-after", "not-json-after", "missing-after", "release-unsaid"])
async def test_an_act_is_counted_when_its_answer_is_lost(start: Start, lost: str) -> None:
    """An act that was applied counts, whatever its sender heard."""
    caller = await start(faults={lost: 1})
    try:
        await caller.update("1", action="process")
    except httpx.RemoteProtocolError:
        assert lost == "drop-after"
    assert [a.accepted for a in caller.sandbox.quarantine.acts["1"]] == [True]


async def test_a_refused_act_and_then_an_accepted_one_are_one_act(start: Start) -> None:
    """Trying again after a plain refusal is right, and counts once."""
    caller = await start(faults={"429": 1})
    await caller.act("1")
    await caller.act("1")
    assert [a.accepted for a in caller.sandbox.quarantine.acts["1"]] == [True]


async def test_an_act_on_a_lead_that_others_moved_is_no_act(start: Start) -> None:
    """Coming too late is normal."""
    caller = await start(faults={"moved": 1})
    await caller.act("1")
    assert caller.sandbox.quarantine.acts == {}


async def test_the_same_lead_twice_in_one_batch_is_two_acts(start: Start) -> None:
    """A batch does not hide a double."""
    caller = await start()
    await caller.update("1", "1", action="process")
    assert caller.sandbox.quarantine.acted_twice() == ["1"]


async def test_two_requests_at_once_are_two_acts(start: Start) -> None:
    """Acts that overlap in time are both counted."""
    caller = await start(lag=LAG)
    await asyncio.gather(caller.act("1"), caller.act("1"))
    assert len(caller.sandbox.quarantine.acts["1"]) == 2


async def test_others_can_move_a_lead_later(start: Start, clock: Clock) -> None:
    """A move with a delay happens when it is over; the earlier of two changes takes the lead away."""
    caller = await start(lag=LAG, clock=clock)
    caller.sandbox.quarantine.move(["1", "2"], LeadState.MOVED, after=timedelta(seconds=3))
    await caller.act("1")
    clock.advance(seconds=2)
    assert (await caller.update("2")).json()["leads"][0]["success"] is True
    clock.advance(seconds=1)
    assert (await caller.update("2")).json()["leads"][0]["success"] is False
    clock.advance(seconds=5)
    assert caller.sandbox.quarantine.counts()["moved"] == 2


async def test_a_lead_put_back_keeps_its_acts(start: Start) -> None:
    """Quarantining a lead again does not make a second act harmless."""
    caller = await start()
    await caller.act("1")
    caller.sandbox.quarantine.move(["1"], LeadState.QUARANTINED)
    await caller.act("1")
    assert caller.sandbox.quarantine.acted_twice() == ["1"]
