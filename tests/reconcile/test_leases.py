"""A wave that takes longer than its lease stays with its run: leases are renewed while requests are answered."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import pytest

from leadgate.errors import LedgerUnavailable
from leadgate.ledger import Ledger, claims
from leadgate.model import State
from tests.delivery.world import config_with
from tests.reconcile.world import GRACE, LATER, Reconciling

T = TypeVar("T")

LEASE = timedelta(seconds=1)
"""Renewed every third of a second; by the clock of the test it lasts as long as ten requests take."""
IDS = [str(n) for n in range(1, 31)]


class Renewed(Ledger):
    """A ledger that notices when its leases are renewed."""

    renewals = 0

    def write(self, step: "partial[T]") -> T:
        """Write, and count."""
        written = super().write(step)
        self.renewals += step.func.__name__ == "renew"
        return written


def slow_leadbyte(world: Reconciling, ledger: Renewed) -> None:
    """Let each request take a tenth of the lease; after five, all wait until the leases have been renewed."""
    answered = 0

    async def take_time(_: float) -> None:
        nonlocal answered
        answered += 1
        wanted = answered // 5
        while ledger.renewals < wanted:  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.01)
        world.clock.now += LEASE / 10

    world.sandbox.sleep = take_time
    world.sandbox.faults.change({"slow": "always"})


async def test_a_long_wave_is_nobody_elses(world: Reconciling) -> None:
    """It takes three leases; another run asks again and again, and gets nothing of it."""
    world.arrive(*IDS)
    ledger: Renewed = world.next_ledger(Renewed)
    slow_leadbyte(world, ledger)
    rival = world.next_ledger()
    taken: list[object] = []

    async def covet() -> None:
        while True:
            now = world.clock()
            taken.append(await asyncio.to_thread(claims.rescue, rival, unknown_after=GRACE, now=now))
            taken.extend(await asyncio.to_thread(claims.claim, rival, limit=100, lease=GRACE, now=now))
            await asyncio.sleep(0.02)

    wave = world.claim(ledger=ledger, lease=LEASE)
    begun_at = world.clock.now
    other = asyncio.create_task(covet())
    sections: dict[str, dict[str, Any]] = {"leadbyte": {"batch_size": 1, "timeout": "0s"}, "delivery": {"lease": LEASE}}
    await world.deliver(wave, ledger=ledger, client=None, stop=None, **sections)
    other.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other
    assert world.clock.now - begun_at >= 2.9 * LEASE
    assert len(taken) > 5
    assert set(taken) == {0}
    assert set(world.states(IDS).values()) == {State.PROCESSED}
    assert {len(acts) for acts in world.sandbox.quarantine.acts.values()} == {1}


async def test_a_lease_that_was_lost_is_not_renewed_back(world: Reconciling) -> None:
    """What another run has taken over is its own."""
    world.arrive("1")
    world.claim(lease=GRACE)
    world.clock.advance(**LATER)
    rival = world.next_ledger()
    assert len(world.claim(ledger=rival)) == 1
    held_until = world.entry("1")["lease_until"]
    claims.renew(world.ledger, lease=timedelta(days=1), now=world.clock())
    assert (world.entry("1")["lease_owner"], world.entry("1")["lease_until"]) == (rival.owner, held_until)


async def test_a_ledger_that_is_away_for_a_renewal_does_not_stop_the_wave(world: Reconciling) -> None:
    """A lease that ends is a lead that another run takes over, no more."""

    class Away(Renewed):
        def write(self, step: "partial[T]") -> T:
            if step.func.__name__ != "renew":
                return super().write(step)
            self.renewals += 1
            raise LedgerUnavailable("ledger: cannot be used right now. Run again.")

    world.arrive(*IDS[:5])
    ledger: Away = world.next_ledger(Away)
    slow_leadbyte(world, ledger)
    wave = world.claim(ledger=ledger, lease=LEASE)
    assert config_with().delivery.lease == GRACE
    sections: dict[str, dict[str, Any]] = {"leadbyte": {"batch_size": 1, "timeout": "0s"}, "delivery": {"lease": LEASE}}
    await world.deliver(wave, ledger=ledger, client=None, stop=None, **sections)
    assert ledger.renewals >= 1
    assert set(world.states(IDS[:5]).values()) == {State.PROCESSED}
