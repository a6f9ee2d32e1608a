"""What killed runs leave behind is taken over, as soon as their lease is over and not before."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pytest

from leadgate.errors import LedgerUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger, sending
from leadgate.ledger.pipelines import note_restored
from leadgate.model import Answer, LeadRequest, Outcome, State
from tests.delivery.world import NOON
from tests.reconcile.world import GRACE, LATER, Reconciling

T = TypeVar("T")


class Killed(BaseException):
    """The process is no more: nothing of it handles this."""


class DeadAfterProbing(LeadByteClient):
    """A client whose process is killed when its probe has been sent."""

    async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:
        """Send, and be killed."""
        await super().put(requests, before=before)
        if not any(request.action for request in requests):
            raise Killed
        return []


class DeadBeforeRecording(Ledger):
    """A ledger whose process is killed when there is something to record."""

    def write(self, step: "partial[T]") -> T:
        """Write all but that."""
        if step.func.__name__ == "record":
            raise Killed
        return super().write(step)


class DeadAfterIntent(Ledger):
    """A ledger whose process is killed when its intents are committed."""

    def write(self, step: "partial[T]") -> T:
        """Write, and be killed after that."""
        written = super().write(step)
        if step.func.__name__ == "intend":
            raise Killed
        return written


async def be_killed(world: Reconciling, kind: type[Ledger], **run: object) -> None:
    """Let a run be killed at the step that this kind of ledger names."""
    with pytest.raises(Killed):
        await world.run(ledger=world.next_ledger(kind), dies_of=Killed, **run)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [DeadAfterIntent, DeadBeforeRecording])
async def test_an_act_that_a_killed_run_may_have_sent_is_unknown(world: Reconciling, kind: type[Ledger]) -> None:
    """Whether it was sent or not: only evidence can tell, and then the lead is acted on once."""
    await world.have_control()
    world.arrive("1")
    await be_killed(world, kind)
    assert world.states(["1"]) == {"1": State.SENDING}
    world.clock.advance(**LATER)
    await world.run()
    entry = world.entry("1")
    assert (entry["state"], entry["note"]) == ("unknown", "the run that sent it ended before the answer was recorded")
    assert [(a["outcome"], a["message"]) for a in world.history("1").attempts] == [
        ("in_doubt", "the run ended before the answer")
    ]
    await world.run_later()
    assert world.states(["1"]) == {"1": State.PROCESSED}
    assert world.entry("1")["inferred"] is (kind is DeadBeforeRecording)
    assert len(world.sandbox.quarantine.acts["1"]) == 1


@pytest.mark.parametrize("kind", [DeadAfterIntent, DeadBeforeRecording])
async def test_an_update_that_a_killed_run_may_have_sent_is_sent_again(world: Reconciling, kind: type[Ledger]) -> None:
    """It does no harm: the lead is ready, and no probe is needed."""
    world.arrive("1")
    await be_killed(world, kind, delivery={"mode": "separate"})
    world.clock.advance(**LATER)
    ran = await world.run(delivery={"mode": "separate"})
    assert ran.reconciled.probed == 0
    assert world.states(["1"]) == {"1": State.PROCESSED}
    assert world.entry("1")["inferred"] is False


@pytest.mark.parametrize("kind", [DeadAfterIntent, DeadBeforeRecording])
async def test_nothing_is_taken_over_while_the_lease_lasts(world: Reconciling, kind: type[Ledger]) -> None:
    """To the second: a lease that ends now has not ended."""
    world.arrive("1")
    await be_killed(world, kind)
    world.clock.now = NOON + GRACE
    await world.run()
    assert world.states(["1"]) == {"1": State.SENDING}
    world.clock.advance(seconds=1)
    await world.run()
    assert world.states(["1"]) == {"1": State.UNKNOWN}


@pytest.mark.parametrize("applied", [True, False])
async def test_a_killed_probe_is_closed_and_the_lead_probed_again(world: Reconciling, applied: bool) -> None:
    """The open probe counts as one in vain; the next one tells."""
    await world.have_control()
    await world.lose("1", applied=applied)
    world.clock.advance(**LATER)
    with pytest.raises(Killed):
        await world.run(client=world.client(kind=DeadAfterProbing), dies_of=Killed)
    assert [a["outcome"] for a in world.history("1").attempts] == ["in_doubt", None]
    world.clock.advance(minutes=4)
    assert (await world.run()).reconciled.probed == 0
    world.clock.advance(**LATER)
    assert (await world.run()).reconciled.probed == 1
    await world.run_later()
    entry = world.entry("1")
    assert (entry["state"], entry["inferred"]) == ("processed", applied)
    assert [a["outcome"] for a in world.history("1").attempts][:3] == [
        "in_doubt",
        "in_doubt",
        "gone" if applied else "taken",
    ]


async def test_a_probe_that_cannot_be_recorded_is_sent_again(world: Reconciling) -> None:
    """The ledger's database was away when the answer came."""

    class Away(Ledger):
        def write(self, step: "partial[T]") -> T:
            if step.func.__name__ == "record":
                raise LedgerUnavailable("ledger: cannot be used right now. Run again.")
            return super().write(step)

    await world.lose("1")
    world.clock.advance(**LATER)
    with pytest.raises(LedgerUnavailable):
        await world.run(ledger=world.next_ledger(Away))
    for _ in range(2):
        world.clock.advance(**LATER)
        await world.run()
    assert world.states(["1"]) == {"1": State.PROCESSED}
    assert len(world.probes()) == 2


async def test_an_answer_that_comes_during_a_probe_still_settles_the_lead(world: Reconciling) -> None:
    """The run that acted was only slow; the probe it overtakes is closed, though nobody hears its answer any more."""
    late: list[Outcome] = []

    class Slow(DeadBeforeRecording):
        def write(self, step: "partial[T]") -> T:
            if step.func.__name__ == "record":
                late.extend(step.args[1])
            return super().write(step)

    world.arrive("1")
    await be_killed(world, Slow)
    world.clock.advance(**LATER)
    await world.run()
    world.clock.advance(**LATER)
    with pytest.raises(Killed):
        await world.run(client=world.client(kind=DeadAfterProbing), dies_of=Killed)
    sending.record(world.ledger, late, now=world.clock())
    entry = world.entry("1")
    assert (entry["state"], entry["inferred"]) == ("processed", False)
    assert [(a["kind"], a["outcome"]) for a in world.history("1").attempts] == [
        ("update_and_act", "taken"),
        ("probe", "in_doubt"),
    ]


async def test_a_copy_put_back_by_a_clock_that_was_ahead_is_doubted_from_now_on(world: Reconciling) -> None:
    """Not from an instant to come: its leads would be looked at a day later."""
    await world.have_control()
    world.arrive("1")
    note_restored(world.ledger, now=world.clock() + timedelta(days=1))
    await world.run()
    assert world.states(["1"]) == {"1": State.UNKNOWN}
    assert world.entry("1")["due_at"] <= world.clock() + GRACE
    await world.run_later(3)
    assert world.states(["1"]) == {"1": State.PROCESSED}
    assert world.acts_sent("1") == ["process"]


async def test_two_runs_at_once_probe_a_lead_once(world: Reconciling) -> None:
    """Unknown leads are claimed like any others."""
    ids = [str(n) for n in range(1, 21)]
    await world.lose(*ids)
    world.clock.advance(**LATER)
    both = await asyncio.gather(*(world.run(leadbyte={"batch_size": 3}) for _ in range(2)))
    assert sum(ran.reconciled.probed for ran in both) == 20
    assert sorted(lead_id for probe in world.probes() for lead_id in probe) == sorted(ids)
    assert set(world.states(ids).values()) == {State.PROCESSED}
