"""The process dies, the ledger is gone, another run comes in: at every step no act is lost from sight or doubled."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pytest

from leadgate.delivery import Delivery, Exchange
from leadgate.errors import LeadByteUnavailable, LedgerUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger, claims
from leadgate.model import Answer, Decided, LeadRequest, State
from tests.delivery.world import NOON, POSTCODE, Clock, World, config_with, decision_of

T = TypeVar("T")

MINUTES = timedelta(minutes=5)
GONE = "ledger: cannot be used right now. Run again."


class Forgetful(Ledger):
    """A ledger whose database goes away as soon as there is something to record."""

    goes_at = "record"

    def write(self, step: "partial[T]") -> T:
        """Write all but that."""
        if step.func.__name__ == self.goes_at:
            raise LedgerUnavailable(GONE)
        return super().write(step)


class Closed(Forgetful):
    """A ledger whose database takes no intents."""

    goes_at = "intend"


class Broken(Ledger):
    """A ledger that fails in a way nobody foresaw, for one lead."""

    def write(self, step: "partial[T]") -> T:
        """Record all but what is about lead 1."""
        if step.func.__name__ == "record" and any(outcome.attempt.claim.lead_id == "1" for outcome in step.args[1]):
            raise ZeroDivisionError("nobody foresaw this")
        return super().write(step)


class Sleepy(Ledger):
    """A ledger after whose intents the machine sleeps for an hour."""

    clock: Clock

    def write(self, step: "partial[T]") -> T:
        """Write; after the intents, sleep."""
        written = super().write(step)
        if step.func.__name__ == "intend":
            self.clock.advance(hours=1)
        return written


class Dying(LeadByteClient):
    """A client whose process ends before the request has left."""

    async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:  # noqa: ARG002
        """Send nothing."""
        raise ZeroDivisionError("the process is no more")


async def test_an_answer_that_cannot_be_recorded_is_not_asked_for_again(world: World) -> None:
    """The lead stays `sending` and is rescued as `unknown` when its lease is over; the same run cannot resend it."""
    ledger = world.open_failing(Forgetful)
    wave = world.wave("1", "2")
    for _ in range(2):
        try:
            await world.deliver(wave, ledger=ledger)
        except LedgerUnavailable:
            continue
    assert len(world.asked()) == 1
    assert set(world.states(["1", "2"]).values()) == {State.SENDING}
    assert world.claim() == []
    world.clock.advance(minutes=6)
    assert claims.rescue(world.ledger, unknown_after=MINUTES, now=world.clock()) == 2
    assert set(world.states(["1", "2"]).values()) == {State.UNKNOWN}
    assert world.claim() == []
    ledger.close()


async def test_without_an_intent_nothing_is_sent(world: World) -> None:
    """A ledger that is down keeps every lead back."""
    ledger = world.open_failing(Closed)
    with pytest.raises(LedgerUnavailable):
        await world.deliver(world.wave("1", "2"), ledger=ledger, leadbyte={"batch_size": 1})
    assert world.asked() == []
    assert set(world.states(["1", "2"]).values()) == {State.READY}
    ledger.close()


async def test_a_batch_that_fails_does_not_lose_the_answers_of_the_others(world: World) -> None:
    """What is on the wire is recorded; nothing more is sent; the error nobody foresaw is raised."""
    ids = [str(n) for n in range(1, 401)]
    ledger = world.open_failing(Broken)
    with pytest.raises(ZeroDivisionError):
        await world.deliver(world.wave(*ids), ledger=ledger, leadbyte={"batch_size": 1})
    states = world.states(ids)
    sent = {body["leads"][0]["quarantineId"] for _, body in world.asked()}
    assert states.pop("1") is State.SENDING
    assert {lead_id for lead_id, state in states.items() if state is State.PROCESSED} == sent - {"1"}
    assert {state for lead_id, state in states.items() if lead_id not in sent} == {State.READY}
    assert 1 < len(sent) < 400
    ledger.close()


async def test_what_nobody_foresaw_is_not_hidden_by_an_outage(world: World) -> None:
    """Both happen at once; the outage would say that all is well with the ledger."""
    world.sandbox.faults.change({"5xx-before": "always"})
    ledger = world.open_failing(Broken)
    with pytest.raises(ZeroDivisionError):
        await world.deliver(world.wave(*map(str, range(1, 8))), ledger=ledger, leadbyte={"batch_size": 1})
    ledger.close()


async def test_a_run_that_dies_between_intent_and_request_leaves_unknown(world: World) -> None:
    """Nobody can tell that it was never sent, so it counts as sent."""
    with pytest.raises(ZeroDivisionError):
        await world.deliver(world.wave("1"), client=world.client(kind=Dying))
    assert world.asked() == []
    assert world.states(["1"]) == {"1": State.SENDING}
    world.clock.advance(minutes=6)
    claims.rescue(world.ledger, unknown_after=MINUTES, now=world.clock())
    assert world.states(["1"]) == {"1": State.UNKNOWN}


async def test_a_run_that_dies_between_update_and_act_leaves_ready(world: World) -> None:
    """The next run begins with the update, which does no harm; the act, never intended, goes out once."""
    async with world.client() as client:
        config = config_with(delivery={"mode": "separate"})
        delivery = Delivery(config, Exchange(config=config, ledger=world.ledger, client=client))
        await delivery.update(world.wave("1"))
    assert world.states(["1"]) == {"1": State.SENDING}
    world.clock.advance(minutes=6)
    successor = world.open_ledger("run-2")
    claims.rescue(successor, unknown_after=MINUTES, now=world.clock())
    await world.deliver(world.claim(ledger=successor), ledger=successor, delivery={"mode": "separate"})
    assert [method for method, _ in world.asked()] == ["PUT", "PUT", "POST"]
    assert len(world.sandbox.quarantine.acts["1"]) == 1
    assert world.states(["1"]) == {"1": State.PROCESSED}
    successor.close()


@pytest.mark.parametrize("mode", ["update_first", "combined", "separate"])
async def test_a_run_that_was_overtaken_sends_nothing(world: World, mode: str) -> None:
    """Its lease ended before its intent, and another run has claimed and delivered."""
    wave = world.wave("1", "2")
    world.clock.advance(minutes=6)
    successor = world.open_ledger("run-2")
    await world.deliver(world.claim(ledger=successor), ledger=successor, delivery={"mode": mode})
    before = world.asked()
    slow = await world.deliver(wave, delivery={"mode": mode})
    assert world.asked() == before
    assert slow.went == {}
    successor.close()


@pytest.mark.parametrize("mode", ["update_first", "separate"])
async def test_a_run_overtaken_between_update_and_act_does_not_act(world: World, mode: str) -> None:
    """The other run acts, this one is fenced off."""
    successor = world.open_ledger("run-2")
    async with world.client() as client:
        config = config_with(delivery={"mode": mode})
        delivery = Delivery(config, Exchange(config=config, ledger=world.ledger, client=client))
        to_act = await delivery.update(world.wave("1"))
        world.clock.advance(minutes=6)
        claims.rescue(successor, unknown_after=MINUTES, now=world.clock())
        await world.deliver(world.claim(ledger=successor), ledger=successor, delivery={"mode": mode})
        await delivery.act(to_act)
    assert len(world.sandbox.quarantine.acts["1"]) == 1
    assert world.states(["1"]) == {"1": State.PROCESSED}
    successor.close()


@pytest.mark.parametrize("update", [{"postcode": "TN25 6QD"}, {}], ids=["put", "post"])
async def test_an_act_whose_lease_has_ended_is_not_sent(world: World, update: dict[str, str]) -> None:
    """The machine slept between intent and request; by then the lead may be another run's, and acted on."""
    wave = world.wave("1", update=update)
    ledger = world.open_failing(Sleepy)
    await world.deliver(wave, ledger=ledger)
    assert world.asked() == []
    entry = world.entry("1")
    assert (entry["state"], entry["refusals"]) == ("ready", 0)
    assert "its turn came only after" in entry["note"]
    ledger.close()


async def test_two_runs_with_the_same_wave_act_once(world: World) -> None:
    """Delivered twice at once, as no run does: the open intent keeps the second one out, or stops it."""
    wave = world.wave(*map(str, range(1, 31)))
    await asyncio.gather(*(world.deliver(wave, leadbyte={"batch_size": 5}) for _ in range(2)), return_exceptions=True)
    assert {len(acts) for acts in world.sandbox.quarantine.acts.values()} == {1}
    assert len(world.sandbox.quarantine.acts) == 30


async def test_two_runs_share_what_is_due(world: World) -> None:
    """Claiming and sending at once, each lead is one run's."""
    ids = [str(n) for n in range(1, 61)]
    world.seed(ids)
    runs = [world.open_ledger(f"run-{n}") for n in (1, 2)]

    async def run(ledger: Ledger) -> int:
        sent = 0
        while claimed := await asyncio.to_thread(claims.claim, ledger, limit=7, lease=MINUTES, now=NOON):
            wave = [Decided(claim, decision_of("process"), POSTCODE, "payload") for claim in claimed]
            await world.deliver(wave, ledger=ledger)
            sent += len(wave)
        return sent

    assert sum(await asyncio.gather(*map(run, runs))) == 60
    assert {len(acts) for acts in world.sandbox.quarantine.acts.values()} == {1}
    assert set(world.states(ids).values()) == {State.PROCESSED}
    for ledger in runs:
        ledger.close()


async def test_a_late_answer_settles_what_was_rescued(world: World) -> None:
    """The answer came after the lease had ended: it is the evidence that was missing."""

    class Slow(Ledger):
        def write(self, step: "partial[T]") -> T:
            if step.func.__name__ == "record":
                claims.rescue(world.ledger, unknown_after=MINUTES, now=self.now() + timedelta(hours=1))
            return super().write(step)

    ledger = world.open_failing(Slow)
    await world.deliver(world.wave("1"), ledger=ledger)
    assert world.states(["1"]) == {"1": State.PROCESSED}
    ledger.close()


async def test_after_an_outage_the_next_run_goes_on(world: World) -> None:
    """Nothing was lost and nothing is sent twice: it was the updates that were refused."""
    ids = [str(n) for n in range(1, 41)]
    world.sandbox.faults.change({"503": "always", "retry-after": 60})
    with pytest.raises(LeadByteUnavailable):
        await world.deliver(world.wave(*ids), leadbyte={"batch_size": 1}, delivery={"mode": "update_first"})
    assert set(world.states(ids).values()) == {State.READY}
    world.sandbox.faults.change({"503": None})
    world.clock.advance(minutes=2)
    await world.deliver(world.claim(), delivery={"mode": "update_first"})
    assert set(world.states(ids).values()) == {State.PROCESSED}


async def test_a_run_that_is_cancelled_leaves_what_is_on_the_wire_alone(world: World) -> None:
    """Its answer is lost: the lead stays `sending`, until its lease is over and it is `unknown`."""
    wave = world.wave("1", "2")
    arrived = asyncio.Event()

    async def stall(_: float) -> None:
        arrived.set()
        await asyncio.Event().wait()

    world.sandbox.sleep = stall
    world.sandbox.faults.change({"slow-after": 1})
    run = asyncio.create_task(world.deliver(wave))
    await arrived.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert set(world.states(["1", "2"]).values()) == {State.SENDING}
    world.clock.advance(minutes=6)
    claims.rescue(world.ledger, unknown_after=MINUTES, now=world.clock())
    assert set(world.states(["1", "2"]).values()) == {State.UNKNOWN}
