"""One brake for an account: after an act in doubt the next one goes alone, in whichever run."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from leadgate.errors import LeadByteUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import brakes, claims
from leadgate.ledger.schema import ENTRY, entries
from leadgate.model import (
    Answer,
    LeadRequest,
    State,
)
from leadgate.stopping import Stop
from tests.delivery.world import NOON, POSTCODE, World, release_brake, renew_account

LEASE = timedelta(minutes=5)
FIVES = {"batch_size": 5}
ONES = {"batch_size": 1, "concurrency": 1}
LOST = {"drop-after": "always"}
NO_DOUBT = {"doubt_since": None, "doubt_action": None, "doubt_theirs": None}
CLEARED = {"state": State.GONE, "settled_at": NOON, "due_at": None} | NO_DOUBT


def is_on(world: World) -> bool:
    """Whether the brake is on."""
    return brakes.read_brake(world.ledger).is_on


def act_sizes(world: World) -> list[int]:
    """How many acts each request carried that did, in order."""
    acting = [[each for each in exchange.asked if each.action] for exchange in world.sandbox.requests]
    return [len(acts) for acts in acting if acts]


async def lose(world: World, *ids: str, **delivery: object) -> None:
    """Put acts in doubt, all in one request."""
    world.sandbox.faults.change(LOST)
    await world.deliver(world.wave(*ids), delivery=delivery)
    world.sandbox.faults.change({"drop-after": None})
    assert set(world.states(ids).values()) == {State.UNKNOWN}


class Noting(Stop):
    """Notes that acts wait, and may let time pass meanwhile."""

    def __init__(self, world: World, **span: float) -> None:
        super().__init__()
        self._world, self._span = world, span
        self.has_waited = asyncio.Event()
        self.waits = 0

    async def sleep(self, span: timedelta) -> None:
        """Wait as a run does, or let the span pass by the clock."""
        self.has_waited.set()
        self.waits += 1
        self._world.clock.advance(**self._span)
        await super().sleep(span / 10)


@pytest.mark.parametrize(
    ("mode", "update", "sizes"),
    [
        ("update_first", POSTCODE, [1, 4, 5, 5]),
        ("combined", POSTCODE, [1, 4, 5, 5]),
        ("separate", POSTCODE, [1] * 15),
        ("combined", {}, [1] * 15),
    ],
)
async def test_the_first_act_of_an_account_goes_alone(
    world: World, mode: str, update: dict[str, str], sizes: list[int]
) -> None:
    """Nothing is known of a new LeadByte; what it answers to one act is worth full batches, or it is one lead in doubt.

    No other act is under way with it, though it takes its time.
    """
    renew_account(world.ledger)
    assert is_on(world)
    ids = [str(n) for n in range(1, 16)]
    wave = world.wave(*ids, update=update)
    under_way: list[int] = []

    def note(_: object) -> None:
        begun = world.sandbox.begun - len(world.sandbox.requests)
        under_way.extend([begun] if act_sizes(world) else [])

    world.sandbox.on_request = note
    world.sandbox.faults.change({"slow-after": "always", "slow-for": 0.1})
    tally = await world.deliver(wave, leadbyte=FIVES, delivery={"mode": mode})
    assert (act_sizes(world)[0], sorted(act_sizes(world))) == (1, sizes)
    assert under_way[0] == 0
    assert tally.went == {State.PROCESSED: 15}
    assert (tally.braked, tally.notes, is_on(world)) == (0, [], False)


async def test_an_update_waits_for_no_brake(world: World) -> None:
    """It may be sent again, whatever became of it; only acts are kept."""
    renew_account(world.ledger)
    await world.deliver(world.wave("1", "2", "3", verdict="review"))
    assert [len(body["leads"]) for _, body in world.asked()] == [3]
    assert is_on(world)


async def test_after_an_act_in_doubt_the_next_goes_alone(world: World) -> None:
    """Once it was taken, the others follow in full batches."""
    await lose(world, "1", "2", "3")
    assert is_on(world)
    ids = [str(n) for n in range(11, 21)]
    tally = await world.deliver(world.wave(*ids), leadbyte=FIVES)
    assert (act_sizes(world)[:2], sorted(act_sizes(world)[1:])) == ([3, 1], [1, 4, 5])
    assert (tally.went, is_on(world)) == ({State.PROCESSED: 10}, False)


async def test_an_act_that_was_provably_not_taken_does_not_brake(world: World) -> None:
    """Nor one of a lead that is gone: such answers are trustworthy."""
    world.sandbox.faults.change({"429": 1, "moved": ["5"]})
    for ids in ("12", "345"):
        await world.deliver(world.wave(*ids))
        world.clock.advance(seconds=2)
    assert world.states("12345")["1"] is State.READY
    assert world.states("12345")["5"] is State.GONE
    assert not is_on(world)


async def test_one_that_went_alone_and_proved_nothing_is_followed_by_another(world: World) -> None:
    """A lead that is gone says nothing of acts that are taken: the brake stays on, and the next one need not wait."""
    renew_account(world.ledger)
    world.sandbox.faults.change({"moved": ["1"]})
    await world.deliver(world.wave("1", "2", "3", "4", "5"))
    assert act_sizes(world) == [1, 1, 3]
    assert world.states(["1", "2"]) == {"1": State.GONE, "2": State.PROCESSED}


async def test_acts_wait_ever_longer_after_acts_that_went_alone_in_vain(world: World) -> None:
    """One lead in doubt each time; the others are ready when acts may go on, and the run says so."""
    await lose(world, "1")
    ids = [str(n) for n in range(11, 17)]
    world.seed(ids)
    world.sandbox.faults.change(LOST)
    for at, minutes in enumerate((1, 2, 4)):
        tally = await world.deliver(world.claim(), leadbyte=FIVES)
        left = ids[at + 1 :]
        until = world.clock() + timedelta(minutes=minutes)
        assert tally.went == {State.UNKNOWN: 1}
        assert tally.braked == len(left)
        acts_are = "act that went alone is" if at == 0 else f"{at + 1} acts that went alone are"
        assert tally.notes == [f"Acts wait until {until:%Y-%m-%d %H:%M:%S}Z: the last {acts_are} in doubt too."]
        assert set(world.states(left).values()) == {State.READY}
        rows = [world.entry(lead_id) for lead_id in left]
        assert {(row["due_at"], row["refusals"], row["doubt_since"]) for row in rows} == {(until, 0, None)}
        world.clock.advance(minutes=minutes, seconds=-1)
        assert world.claim() == []
        world.clock.advance(seconds=1)
    assert act_sizes(world) == [1, 1, 1, 1]
    world.sandbox.faults.change({"drop-after": None})
    tally = await world.deliver(world.claim())
    assert act_sizes(world)[4:] == [1, 2]
    assert (tally.went, tally.notes, is_on(world)) == ({State.PROCESSED: 3}, [], False)
    await lose(world, "21")
    assert brakes.read_brake(world.ledger).in_vain == 0


def test_no_wait_is_longer_than_an_hour(world: World) -> None:
    """However many acts went alone in vain; one that goes with others makes nobody wait."""
    waits = []
    with world.ledger.transaction() as connection:
        brakes.put_on(world.ledger, connection, now=NOON, lone_in_vain=False)
    assert brakes.read_brake(world.ledger).closed_until is None
    for _ in range(9):
        with world.ledger.transaction() as connection:
            brakes.put_on(world.ledger, connection, now=NOON, lone_in_vain=True)
        closed_until = brakes.read_brake(world.ledger).closed_until
        assert closed_until
        waits.append((closed_until - NOON) / timedelta(minutes=1))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_leads_in_doubt_that_answer_are_no_outage(world: World) -> None:
    """LeadByte answers, in words nobody knows: the run goes on with its updates, and one act is in doubt, not all."""
    world.sandbox.faults.change({"release-refused": "always"})
    renew_account(world.ledger)
    ids = [str(n) for n in range(1, 31)]
    tally = await world.deliver(world.wave(*ids), leadbyte=ONES, delivery={"mode": "update_first"})
    assert tally.went == {State.UNKNOWN: 1}
    assert tally.braked == 29
    assert len(world.asked()) == 31


async def test_beyond_so_many_in_doubt_no_act_leaves(world: World) -> None:
    """Updates go on, with acts to follow or without; the leads are ready in a quarter of an hour."""
    await lose(world, "1", "2", "3")
    with world.ledger.transaction() as connection:
        connection.execute(text("UPDATE leadgate_brakes SET is_on = false"))
    sent = len(world.asked())
    few = {"mode": "update_first", "in_doubt_at_most": 3}
    tally = await world.deliver(world.wave("11", "12"), delivery=few)
    review = await world.deliver(world.wave("21", verdict="review"), delivery=few)
    assert act_sizes(world) == [3]
    assert [len(body["leads"]) for _, body in world.asked()[sent:]] == [2, 1]
    until = NOON + timedelta(minutes=15)
    why = "3 leads are in doubt, which is delivery.in_doubt_at_most: no act is sent"
    assert tally.notes == [f"Acts wait until 2026-03-01 12:15:00Z: {why}."]
    assert (tally.braked, review.notes) == (2, [])
    assert world.states(["11", "12", "21"]) == {"11": State.READY, "12": State.READY, "21": State.REVIEW}
    assert {world.entry(lead_id)["due_at"] for lead_id in ("11", "12")} == {until}
    world.clock.advance(minutes=15)
    await world.deliver(world.claim(), delivery=few | {"in_doubt_at_most": 4})
    assert act_sizes(world) == [3, 1, 1], "there is room for one at a time"


async def test_acts_under_way_count_as_in_doubt(world: World) -> None:
    """All their answers may be lost: no more leave than may be in doubt, and the others go when they are answered."""
    ids = [str(number) for number in range(1, 31)]
    world.sandbox.faults.change({"drop-after": "always"})
    few = {"in_doubt_at_most": 10}
    with suppress(LeadByteUnavailable):
        await world.deliver(world.wave(*ids), delivery=few, leadbyte={"batch_size": 4, "concurrency": 8})
    assert list(world.states(ids).values()).count(State.UNKNOWN) <= 10
    world.sandbox.faults.change({"drop-after": None})
    renew_account(world.ledger)
    release_brake(world.ledger)
    more = [str(number) for number in range(101, 161)]
    tally = await world.deliver(world.wave(*more), delivery={"in_doubt_at_most": 20}, leadbyte={"batch_size": 4})
    assert tally.went[State.PROCESSED] >= len(more)


async def test_a_person_has_to_settle_what_counts_as_in_doubt(world: World) -> None:
    """A lead that is in review because of its act is in doubt still; one that is settled is not."""
    await lose(world, "1", unknown="probe")
    world.sandbox.faults.change({"drop-after": 1})
    await world.deliver(world.wave("2"), delivery={"unknown": "review"})
    assert brakes.read_brake(world.ledger).in_doubt == 2
    with world.ledger.transaction() as connection:
        connection.execute(entries.update().where(ENTRY.lead_id == "1").values(CLEARED))
    assert brakes.read_brake(world.ledger).in_doubt == 1


async def test_two_runs_share_the_brake(world: World) -> None:
    """While the act of one goes alone, the other sends none; then both send full batches."""
    renew_account(world.ledger)
    (first,) = world.wave("1")
    other = world.open_ledger("run-2")
    world.seed(["2", "3"])
    wave = world.claim(ledger=other)
    arrived, answered = asyncio.Event(), asyncio.Event()

    async def stall(_: float) -> None:
        arrived.set()
        await answered.wait()

    world.sandbox.sleep = stall
    world.sandbox.faults.change({"slow-after": 1})
    one = asyncio.create_task(world.deliver([first]))
    await arrived.wait()
    stop = Noting(world)
    two = asyncio.create_task(world.deliver(wave, ledger=other, stop=stop))
    await stop.has_waited.wait()
    assert world.sandbox.begun == 1
    answered.set()
    await asyncio.gather(one, two)
    assert act_sizes(world) == [1, 2]
    assert set(world.states(["1", "2", "3"]).values()) == {State.PROCESSED}
    other.close()


async def test_what_one_run_lost_brakes_the_next(world: World) -> None:
    """The brake is in the ledger, not in the run."""
    await lose(world, "1", "2")
    other = world.open_ledger("run-2")
    world.seed(["3", "4", "5"])
    await world.deliver(world.claim(ledger=other), ledger=other)
    assert act_sizes(world) == [2, 1, 2]
    other.close()


class Dying(LeadByteClient):
    """A client whose process ends before the request has left."""

    async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:  # noqa: ARG002
        """Send nothing."""
        raise ZeroDivisionError("the process is no more")


async def test_a_run_that_dies_with_the_act_that_goes_alone_holds_nobody_for_ever(world: World) -> None:
    """Until its lease is over the others wait for an answer; then one of them goes alone."""
    renew_account(world.ledger)
    with pytest.raises(ZeroDivisionError):
        await world.deliver(world.wave("1"), client=world.client(kind=Dying))
    other = world.open_ledger("run-2")
    world.seed(["2", "3", "4"])
    stop = Noting(world, minutes=1)
    await world.deliver(world.claim(ledger=other), ledger=other, stop=stop)
    assert world.clock() >= NOON + LEASE
    assert stop.waits >= 5
    assert act_sizes(world) == [1, 2]
    world.clock.advance(minutes=1)
    claims.rescue(other, unknown_after=LEASE, now=world.clock())
    assert (world.states(["1"]), is_on(world)) == ({"1": State.UNKNOWN}, True)
    other.close()


async def test_a_run_that_is_stopped_gives_back_the_acts_that_wait(world: World) -> None:
    """They have not been sent, and are ready for whoever comes."""
    renew_account(world.ledger)
    with pytest.raises(ZeroDivisionError):
        await world.deliver(world.wave("1"), client=world.client(kind=Dying))
    stop = Noting(world)
    waiting = asyncio.create_task(world.deliver(world.wave("2", "3"), stop=stop))
    await stop.has_waited.wait()
    stop.request("SIGTERM")
    await waiting
    assert world.asked() == []
    assert world.states(["2", "3"]) == {"2": State.READY, "3": State.READY}
    assert [world.entry(lead_id)["lease_owner"] for lead_id in "23"] == [None, None]
