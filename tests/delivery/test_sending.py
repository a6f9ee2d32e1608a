"""A wave goes out over a real socket, as documented, and what became of each lead is in a real ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest

from leadgate.config import DeliveryConfig
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


async def test_update_first_is_the_update_and_then_both(world: World) -> None:
    """Unless said otherwise. The act carries the update once more: nothing is released without what was written."""
    assert DeliveryConfig().mode == "update_first"
    tally = await world.deliver(world.wave("17"), delivery={"mode": "update_first"})
    assert world.asked() == [PUT_UPDATE, PUT_BOTH]
    history = world.history("17")
    assert sorted(attempt["kind"] for attempt in history.attempts) == ["update", "update_and_act"]
    assert [decision["verdict"] for decision in history.decisions] == ["process"]
    assert tally.went == {State.PROCESSED: 1}


@pytest.mark.parametrize("mode", ["update_first", "separate"])
async def test_no_act_follows_an_update_that_was_not_taken(world: World, mode: str) -> None:
    """Refused or in doubt: the lead begins with the update again."""
    world.sandbox.faults.change({"not-success": ["2"], "missing-after": ["3"]})
    await world.deliver(world.wave("1", "2", "3"), delivery={"mode": mode})
    assert world.states(["1", "2", "3"]) == {"1": State.PROCESSED, "2": State.READY, "3": State.READY}
    assert set(world.sandbox.quarantine.acts) == {"1"}
    assert [world.entry(lead_id)["doubt_since"] for lead_id in "123"] == [None] * 3


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


@pytest.mark.parametrize(
    ("mode", "requests"),
    [
        ("update_first", [PUT_UPDATE, PUT_BOTH]),
        ("combined", [PUT_BOTH]),
        ("separate", [PUT_UPDATE, POST_ACT]),
    ],
)
async def test_what_leadbyte_took_before_is_written_again_with_an_act_alone(
    world: World, mode: str, requests: list[object]
) -> None:
    """Held again with the same values, nothing is sent; an act never goes without what belongs to it."""
    for _ in range(2):
        world.seed(["17"])
        await world.deliver(world.claim("hold"))
        assert world.asked() == [PUT_UPDATE]
    world.seed(["17"])
    await world.deliver(world.claim("process"), delivery={"mode": mode})
    assert world.asked() == [PUT_UPDATE, *requests]


@pytest.mark.parametrize("mode", ["update_first", "combined", "separate"])
async def test_every_lead_gets_exactly_one_act(world: World, mode: str) -> None:
    """In several batches at once, whatever the mode."""
    ids = [str(n) for n in range(1, 124)]
    tally = await world.deliver(world.wave(*ids), delivery={"mode": mode}, leadbyte={"batch_size": 50})
    assert {lead_id: len(acts) for lead_id, acts in world.sandbox.quarantine.acts.items()} == dict.fromkeys(ids, 1)
    assert set(world.states(ids).values()) == {State.PROCESSED}
    puts = [body["leads"] for method, body in world.asked() if method == "PUT"]
    assert sorted(map(len, puts)) == sorted([23, 50, 50] * (2 if mode == "update_first" else 1))
    assert tally.went == {State.PROCESSED: 123}


@pytest.mark.parametrize("mode", ["update_first", "combined", "separate"])
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


@pytest.mark.parametrize("mode", ["update_first", "combined", "separate"])
async def test_a_lead_whose_update_was_refused_comes_again(world: World, mode: str) -> None:
    """After a rest, having used an attempt; the others are settled. With no word of the act, it was not taken."""
    world.sandbox.faults.change(
        {"not-success": {"leads": ["2"], "count": 1}, "release-unsaid": {"leads": ["2"], "count": 1}}
    )
    await world.deliver(world.wave("1", "2", "3"), delivery={"mode": mode})
    assert world.states(["1", "2", "3"]) == {"1": State.PROCESSED, "2": State.READY, "3": State.PROCESSED}
    entry = world.entry("2")
    assert (entry["refusals"], entry["due_at"], entry["doubt_since"]) == (1, NOON + timedelta(minutes=1), None)
    assert "A field has a value that is not valid" in entry["note"]
    assert world.claim() == []
    world.sandbox.faults.change({"release-unsaid": None})
    world.clock.advance(minutes=1)
    await world.deliver(world.claim(), delivery={"mode": mode})
    assert world.states(["2"]) == {"2": State.PROCESSED}


@pytest.mark.parametrize(("update", "sent"), [(POSTCODE, PUT_BOTH), ({}, POST_ACT)], ids=["put", "post"])
async def test_a_release_that_seems_to_be_refused_is_in_doubt(
    world: World, update: dict[str, str], sent: object
) -> None:
    """LeadByte documents no such sentence: it is not believed, and kept by its shape so that it can be taught."""
    world.sandbox.faults.change({"release-refused": 1})
    await world.deliver(world.wave("17", update=update))
    for _ in range(3):
        world.clock.advance(hours=1)
        assert world.claim() == []
    assert world.asked() == [sent]
    assert world.states(["17"]) == {"17": State.UNKNOWN}
    (attempt,) = world.history("17").attempts
    start = "quarantine id {id} " if update else ""
    assert (attempt["outcome"], attempt["shape"]) == ("in_doubt", f"{start}could not be queued for processing")


async def test_refused_often_enough_a_lead_is_parked(world: World) -> None:
    """With LeadByte's reason, and it is not claimed any more."""
    world.sandbox.faults.change({"not-success": "always"})
    world.seed(["17"])
    for refusals in range(1, 4):
        await world.deliver(world.claim(), delivery={"attempts": 3, "mode": "update_first"})
        assert world.entry("17")["refusals"] == refusals
        world.clock.advance(hours=1)
    entry = world.entry("17")
    assert entry["state"] == "failed"
    assert "A field has a value that is not valid" in entry["note"]
    assert world.sandbox.quarantine.acts == {}
    assert world.claim() == []


@pytest.mark.parametrize("mode", ["update_first", "combined", "separate"])
async def test_a_lead_that_someone_else_moved_is_gone(world: World, mode: str) -> None:
    """Which is a normal outcome and final; nothing is asked about it any more."""
    world.sandbox.quarantine.move(["17"], LeadState.MOVED)
    await world.deliver(world.wave("17", "18"), delivery={"mode": mode})
    assert world.states(["17", "18"]) == {"17": State.GONE, "18": State.PROCESSED}
    assert [a["outcome"] for a in world.history("17").attempts] == ["gone"]


@pytest.mark.parametrize("mode", ["update_first", "separate"])
async def test_a_lead_that_is_moved_between_update_and_act_is_gone(world: World, mode: str) -> None:
    """In two steps someone else may come in between."""
    world.sandbox.faults.change({"moved-after": ["17"]})
    await world.deliver(world.wave("17"), delivery={"mode": mode})
    assert world.states(["17"]) == {"17": State.GONE}
    assert len(world.asked()) == 2


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
