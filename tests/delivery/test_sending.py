"""A wave goes out over a real socket, as documented, and what became of each lead is in a real ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest

from leadgate.model import State
from leadgate.sandbox import LeadState
from tests.delivery.world import NOON, POSTCODE, World

ITEM = {"quarantineId": "17", "update": POSTCODE}
PUT_BOTH = ("PUT", {"leads": [ITEM | {"action": "process"}]})
PUT_UPDATE = ("PUT", {"leads": [ITEM]})
POST_ACT = ("POST", {"quarantineId": 17, "action": "process"})


async def test_combined_is_one_request_with_update_and_act(world: World) -> None:
    """Literally the body LeadByte documents."""
    tally = await world.deliver(world.wave("17"))
    assert world.asked() == [PUT_BOTH]
    assert world.states(["17"]) == {"17": State.PROCESSED}
    assert tally.went == {State.PROCESSED: 1}


async def test_separate_is_the_update_and_then_the_act(world: World) -> None:
    """Two requests, two attempts, one decision."""
    tally = await world.deliver(world.wave("17"), delivery={"mode": "separate"})
    assert world.asked() == [PUT_UPDATE, POST_ACT]
    history = world.history("17")
    assert sorted(attempt["kind"] for attempt in history.attempts) == ["act", "update"]
    assert [decision["verdict"] for decision in history.decisions] == ["process"]
    assert history.entry["updated_hash"] is not None
    assert tally.went == {State.PROCESSED: 1}


async def test_with_nothing_to_write_the_act_goes_alone(world: World) -> None:
    """As for a lead that is late and was never enriched."""
    await world.deliver(world.wave("17", update={}))
    assert world.asked() == [POST_ACT]
    assert world.states(["17"]) == {"17": State.PROCESSED}


async def test_a_reject_is_a_reject(world: World) -> None:
    """In the body, at LeadByte and in the ledger."""
    await world.deliver(world.wave("17", verdict="reject"))
    assert world.asked() == [("PUT", {"leads": [ITEM | {"action": "reject"}]})]
    assert world.entry("17")["state"] == "rejected"
    assert world.entry("17")["settled_at"] == NOON


@pytest.mark.parametrize(
    ("verdict", "state", "due_at"),
    [("hold", State.WAITING, NOON + timedelta(hours=1)), ("review", State.REVIEW, None)],
)
async def test_hold_and_review_write_and_do_not_act(world: World, verdict: str, state: State, due_at: object) -> None:
    """The update goes alone; with nothing to write nothing goes."""
    world.seed(["17"])
    tally = await world.deliver(world.claim(verdict))
    world.seed(["18"])
    silent = await world.deliver(world.claim(verdict, update={}))
    assert world.asked() == [PUT_UPDATE]
    for lead_id in ("17", "18"):
        entry = world.entry(lead_id)
        assert (entry["state"], entry["due_at"], entry["note"]) == (state, due_at, "Because.")
        assert [decision["verdict"] for decision in world.history(lead_id).decisions] == [verdict]
    assert tally.went == silent.went == {state: 1}


async def test_what_leadbyte_took_before_is_not_written_again(world: World) -> None:
    """A lead that is decided again with the same values is acted on by POST."""
    await world.deliver(world.wave("17", verdict="hold"))
    world.seed(["17"])
    await world.deliver(world.claim("process"))
    assert world.asked() == [PUT_UPDATE, POST_ACT]


@pytest.mark.parametrize("mode", ["combined", "separate"])
async def test_every_lead_gets_exactly_one_act(world: World, mode: str) -> None:
    """In several batches at once, whatever the mode."""
    ids = [str(n) for n in range(1, 124)]
    tally = await world.deliver(world.wave(*ids), delivery={"mode": mode}, leadbyte={"batch_size": 50})
    assert {lead_id: len(acts) for lead_id, acts in world.sandbox.quarantine.acts.items()} == dict.fromkeys(ids, 1)
    assert set(world.states(ids).values()) == {State.PROCESSED}
    puts = [body["leads"] for method, body in world.asked() if method == "PUT"]
    assert sorted(map(len, puts)) == [23, 50, 50]
    assert tally.went == {State.PROCESSED: 123}


@pytest.mark.parametrize("mode", ["combined", "separate"])
async def test_a_second_delivery_of_a_wave_sends_nothing(world: World, mode: str) -> None:
    """Whatever became of its leads the first time."""
    world.sandbox.faults.change({"missing-after": ["1"], "not-success": ["2"], "moved": ["3"]})
    wave = world.wave("1", "2", "3", "4")
    await world.deliver(wave, delivery={"mode": mode})
    before = len(world.asked())
    states = world.states(["1", "2", "3", "4"])
    await world.deliver(wave, delivery={"mode": mode})
    assert len(world.asked()) == before
    assert world.states(["1", "2", "3", "4"]) == states


async def test_a_lead_whose_update_was_refused_comes_again(world: World) -> None:
    """After a rest, having used an attempt; the others of its batch are settled."""
    world.sandbox.faults.change({"not-success": {"leads": ["2"], "count": 1}})
    await world.deliver(world.wave("1", "2", "3"))
    assert world.states(["1", "2", "3"]) == {"1": State.PROCESSED, "2": State.READY, "3": State.PROCESSED}
    entry = world.entry("2")
    assert (entry["refusals"], entry["due_at"]) == (1, NOON + timedelta(minutes=1))
    assert "A field has a value that is not valid" in entry["note"]
    assert world.claim() == []
    world.clock.advance(minutes=1)
    await world.deliver(world.claim())
    assert world.states(["2"]) == {"2": State.PROCESSED}


async def test_a_release_that_was_refused_is_tried_again_alone(world: World) -> None:
    """The update was taken and is not written again; LeadByte said plainly that the act was not."""
    world.sandbox.faults.change({"release-refused": 1})
    await world.deliver(world.wave("17"))
    world.clock.advance(minutes=1)
    await world.deliver(world.claim())
    assert world.asked() == [PUT_BOTH, POST_ACT]
    assert world.states(["17"]) == {"17": State.PROCESSED}


async def test_refused_often_enough_a_lead_is_parked(world: World) -> None:
    """With LeadByte's reason, and it is not claimed any more."""
    world.sandbox.faults.change({"release-refused": "always"})
    world.seed(["17"])
    for refusals in range(1, 4):
        await world.deliver(world.claim(), delivery={"attempts": 3})
        assert world.entry("17")["refusals"] == refusals
        world.clock.advance(hours=1)
    entry = world.entry("17")
    assert entry["state"] == "failed"
    assert "could not be queued for processing" in entry["note"].lower()
    assert world.claim() == []


@pytest.mark.parametrize("mode", ["combined", "separate"])
async def test_a_lead_that_someone_else_moved_is_gone(world: World, mode: str) -> None:
    """Which is a normal outcome and final; nothing is asked about it any more."""
    world.sandbox.quarantine.move(["17"], LeadState.MOVED)
    await world.deliver(world.wave("17", "18"), delivery={"mode": mode})
    assert world.states(["17", "18"]) == {"17": State.GONE, "18": State.PROCESSED}
    assert [a["outcome"] for a in world.history("17").attempts] == ["gone"]


async def test_a_lead_that_is_moved_between_update_and_act_is_gone(world: World) -> None:
    """In separate mode someone else may come in between."""
    world.sandbox.faults.change({"moved-after": ["17"]})
    await world.deliver(world.wave("17"), delivery={"mode": "separate"})
    assert world.states(["17"]) == {"17": State.GONE}


async def test_an_id_that_is_no_number_is_parked_without_a_request(world: World) -> None:
    """The documented POST takes a number, and 007 might be another lead than 7."""
    world.seed(["007", "8"])
    for _ in range(2):
        await world.deliver(world.claim(update={}), delivery={"attempts": 2})
        world.clock.advance(minutes=5)
    assert world.asked() == [("POST", {"quarantineId": 8, "action": "process"})]
    assert world.states(["007", "8"]) == {"007": State.FAILED, "8": State.PROCESSED}
    assert "'007' is not a plain whole number" in world.entry("007")["note"]


async def test_a_value_that_cannot_be_written_keeps_its_own_lead_back(world: World) -> None:
    """The others of its batch go; its message names the field and not the value."""
    world.seed(["1", "2"])
    first, second = world.claim()
    spoilt = replace(second, update={"postcode": float("nan")}, payload_hash="other")
    await world.deliver([first, spoilt])
    assert world.states(["1", "2"]) == {"1": State.PROCESSED, "2": State.READY}
    assert world.entry("2")["note"].startswith("the value of postcode is not a finite number")
    assert [[item["quarantineId"] for item in body["leads"]] for _, body in world.asked()] == [["1"]]
