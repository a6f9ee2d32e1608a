"""Asked to stop, a run begins nothing new, gives what is in flight a bounded time, and leaves a ledger that is true."""

import asyncio
import os
import signal
import threading
from datetime import timedelta

import pytest

from leadgate.model import State
from leadgate.stopping import Stop, stop_on_signals
from tests.reconcile.world import LATER, Reconciling

IDS = [str(n) for n in range(1, 11)]
ONE_BY_ONE = {"batch_size": 1, "concurrency": 1}
MOMENT = timedelta(milliseconds=50)
LONG = timedelta(minutes=1)


class Stalling:
    """A LeadByte that has applied a request and answers only when it is let go on."""

    def __init__(self, world: Reconciling) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

        async def stall(_: float) -> None:
            self.reached.set()
            await self.go_on.wait()

        world.sandbox.sleep = stall
        world.sandbox.faults.change({"slow-after": "always"})


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """How long what is in flight may go on."""
    monkeypatch.setattr("leadgate.stopping.GRACE", request.param)


@pytest.mark.parametrize("patience", [MOMENT], indirect=True)
async def test_what_is_not_answered_in_time_is_unknown_and_the_rest_is_ready(
    world: Reconciling, patience: None
) -> None:
    """What was on the wire may have arrived; an intent that still waited for it was not sent, and is told so."""
    await world.have_control()
    world.arrive(*IDS)
    leadbyte, stop = Stalling(world), Stop()
    client = world.client(concurrency=1)
    run = asyncio.create_task(world.run(stop=stop, client=client, leadbyte=ONE_BY_ONE))
    await leadbyte.reached.wait()
    stop.request("SIGTERM")
    ran = await run
    leadbyte.go_on.set()
    states = world.states(IDS)
    unknown = [lead_id for lead_id, state in states.items() if state is State.UNKNOWN]
    assert len(unknown) == 1
    assert {state for lead_id, state in states.items() if lead_id not in unknown} == {State.READY}
    assert {world.entry(lead_id)["lease_owner"] for lead_id in IDS} == {None}
    assert {world.entry(lead_id)["note"] for lead_id in unknown} == {"the run was asked to stop before the answer came"}
    assert ran.tally.went[State.UNKNOWN] == len(unknown)
    world.sandbox.faults.change({"slow-after": None})
    for _ in range(3):
        world.clock.advance(**LATER)
        await world.run()
    assert set(world.states(IDS).values()) == {State.PROCESSED}
    assert {len(acts) for acts in world.sandbox.quarantine.acts.values()} == {1}


@pytest.mark.parametrize("patience", [LONG], indirect=True)
async def test_what_is_answered_in_time_is_recorded(world: Reconciling, patience: None) -> None:
    """Nothing is in doubt, and nothing new was begun."""
    world.arrive(*IDS)
    leadbyte, stop = Stalling(world), Stop()
    run = asyncio.create_task(world.run(stop=stop, client=world.client(concurrency=1), leadbyte=ONE_BY_ONE))
    await leadbyte.reached.wait()
    stop.request("SIGTERM")
    leadbyte.go_on.set()
    await run
    states = world.states(IDS)
    processed = [lead_id for lead_id, state in states.items() if state is State.PROCESSED]
    assert 1 <= len(processed) <= 3
    assert {state for lead_id, state in states.items() if lead_id not in processed} == {State.READY}
    assert {world.entry(lead_id)["lease_owner"] for lead_id in IDS} == {None}


@pytest.mark.parametrize("patience", [MOMENT], indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_a_probe_that_is_cut_off_is_sent_again(world: Reconciling, patience: None, applied: bool) -> None:
    """By the next run, after a longer grace; it counts as one in vain."""
    await world.have_control()
    await world.lose("1", applied=applied)
    leadbyte, stop = Stalling(world), Stop()
    world.clock.advance(**LATER)
    run = asyncio.create_task(world.run(stop=stop))
    await leadbyte.reached.wait()
    stop.request("SIGTERM")
    await run
    leadbyte.go_on.set()
    world.sandbox.faults.change({"slow-after": None})
    assert world.states(["1"]) == {"1": State.UNKNOWN}
    await world.run_later(3)
    assert (world.entry("1")["state"], world.entry("1")["inferred"]) == ("processed", applied)


async def test_a_run_that_was_asked_to_stop_begins_nothing(world: Reconciling) -> None:
    """Neither probes nor acts."""
    await world.lose("1")
    world.arrive("2")
    asked = len(world.asked())
    stop = Stop()
    stop.request("SIGTERM")
    world.clock.advance(**LATER)
    await world.run(stop=stop)
    assert len(world.asked()) == asked
    assert world.states(["1", "2"]) == {"1": State.UNKNOWN, "2": State.READY}
    assert {world.entry(lead_id)["lease_owner"] for lead_id in ("1", "2")} == {None}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_asks_and_the_second_ends(number: signal.Signals) -> None:
    """After the first one the signal does again what it did before."""
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop
        assert signal.getsignal(number) != before
        os.kill(os.getpid(), number)
        await stop.requested.wait()
        assert (bool(stop), stop.signal_name) == (True, number.name)
        assert signal.getsignal(number) == before
    assert signal.getsignal(number) == before


async def test_a_pause_ends_when_the_run_is_to_stop() -> None:
    """Nobody waits an hour for a run that sleeps."""
    stop = Stop()
    pause = asyncio.create_task(stop.sleep(timedelta(hours=1)))
    await asyncio.sleep(0)
    stop.request("SIGTERM")
    await pause
    await stop.sleep(timedelta(hours=1))
