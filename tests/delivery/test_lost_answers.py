"""An act without an answer that can be trusted is a state of its own, and is not sent again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.wire import read_body
from leadgate.ledger import claims
from leadgate.model import Answer, Certainty, LeadRequest, State
from tests.delivery.world import NOON, World

LOST = ["5xx-after", "5xx-before", "drop-after", "drop-before", "not-json-after", "not-json-before"]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("update", [{"postcode": "TN25 6QD"}, {}], ids=["put", "post"])
async def test_an_act_without_an_answer_is_unknown(world: World, fault: str, update: dict[str, str]) -> None:
    """Whether it was applied or not: nobody here can tell."""
    world.sandbox.faults.change({fault: "always"})
    tally = await world.deliver(world.wave("17", update=update), delivery={"unknown_after": "7m"})
    entry = world.entry("17")
    assert (entry["state"], entry["due_at"]) == ("unknown", NOON + timedelta(minutes=7))
    assert (entry["refusals"], entry["lease_owner"]) == (0, None)
    assert entry["note"]
    assert [attempt["outcome"] for attempt in world.history("17").attempts] == ["in_doubt"]
    assert tally.went == {State.UNKNOWN: 1}


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("mode", ["update_first", "combined", "separate"])
async def test_no_later_run_sends_it_again(world: World, fault: str, mode: str) -> None:
    """However much time has passed, and though every lease has ended."""
    world.sandbox.faults.change({fault: "always"})
    await world.deliver(world.wave("17"), delivery={"mode": mode})
    acts = sum("process" in str(body) for _, body in world.asked())
    world.sandbox.faults.change({fault: None})
    state = world.entry("17")["state"]
    for _ in range(5):
        world.clock.advance(days=1)
        claims.rescue(world.ledger, unknown_after=timedelta(minutes=5), now=world.clock())
        wave = world.claim()
        await world.deliver(wave, delivery={"mode": mode})
    if mode == "combined":
        assert (state, world.entry("17")["state"]) == ("unknown", "unknown")
        assert sum("process" in str(body) for _, body in world.asked()) == acts
    else:
        # The update alone got no answer: it is sent again, and the act follows for the first time.
        assert (state, world.entry("17")["state"]) == ("ready", "processed")


async def test_with_unknown_review_a_person_decides(world: World) -> None:
    """And nothing probes it."""
    world.sandbox.faults.change({"drop-after": 1})
    await world.deliver(world.wave("17"), delivery={"unknown": "review"})
    entry = world.entry("17")
    assert (entry["state"], entry["due_at"]) == ("review", None)
    assert entry["note"].startswith("no answer that can be trusted")


@pytest.mark.parametrize("fault", ["missing-after", "missing-before", "release-unsaid"])
async def test_a_lead_the_answer_does_not_tell_of_is_unknown(world: World, fault: str) -> None:
    """The others of its batch are settled by the same answer."""
    world.sandbox.faults.change({fault: ["2"]})
    await world.deliver(world.wave("1", "2", "3"))
    assert world.states(["1", "2", "3"]) == {"1": State.PROCESSED, "2": State.UNKNOWN, "3": State.PROCESSED}


async def test_a_release_is_believed_without_its_update(world: World) -> None:
    """Success of one never implies the other; what was queued for processing is processed."""
    world.sandbox.faults.change({"release-anyway": ["17"]})
    await world.deliver(world.wave("17"))
    entry = world.entry("17")
    assert (entry["state"], entry["updated_hash"]) == ("processed", None)


@pytest.mark.parametrize("fault", LOST)
async def test_an_update_alone_is_sent_again(world: World, fault: str) -> None:
    """It is harmless; where nobody answered, or only a gateway, no attempt is used, since no lead is the cause."""
    world.sandbox.faults.change({fault: 1})
    await world.deliver(world.wave("17", verdict="review"))
    assert world.entry("17")["state"] == "ready"
    assert world.entry("17")["refusals"] == (1 if fault.startswith("not-json") else 0)
    world.clock.advance(minutes=1)
    await world.deliver(world.claim("review"))
    assert world.states(["17"]) == {"17": State.REVIEW}
    assert world.sandbox.quarantine.acts == {}


async def test_a_time_out_is_no_answer(world: World) -> None:
    """The request goes on at LeadByte after we have hung up."""
    world.sandbox.faults.change({"slow-after": 1, "slow-for": 0.5})
    await world.deliver(world.wave("17"), client=world.client(timeout=0.1))
    assert world.states(["17"]) == {"17": State.UNKNOWN}
    assert len(world.sandbox.quarantine.acts["17"]) == 1


async def test_a_message_with_a_nul_loses_no_answer(world: World) -> None:
    """PostgreSQL keeps none in text, and refuses the whole record for it."""
    said = read_body('{"leads": [{"quarantineId": "17", "success": false, "message": "no\\u0000good"}]}')
    assert said is not None
    answer = Answer("17", Certainty.REFUSED, updated=False, message=said.leads[0].message)

    class Told(LeadByteClient):
        async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:  # noqa: ARG002
            return [answer]

    await world.deliver(world.wave("17"), client=world.client(kind=Told))
    assert world.entry("17")["note"] == "no good"


async def test_an_update_without_an_answer_is_counted_until_it_is_taken(world: World) -> None:
    """It does no harm to send it again, and whoever watches the runs hears of it."""
    world.sandbox.faults.change({"drop-after": "always"})
    tally = await world.deliver(world.wave("17", "18", verdict="review"))
    assert (tally.unanswered, world.states(["17", "18"])) == (
        {"17", "18"},
        {"17": State.READY, "18": State.READY},
    )
    world.sandbox.faults.change({"drop-after": None})
    world.clock.advance(hours=1)
    tally = await world.deliver(world.claim("review"))
    assert (tally.unanswered, tally.went) == (set(), {State.REVIEW: 2})


async def test_one_lead_whose_answer_is_always_lost_holds_no_others_up(world: World) -> None:
    """The update is sent again in halves, until that one stands alone; what LeadByte took twice harms nobody."""
    ids = [str(number) for number in range(1, 21)]
    world.sandbox.faults.change({"drop-after": ["7"]})
    wave = world.wave(*ids, verdict="review")
    tally = await world.deliver(wave, leadbyte={"batch_size": 20})
    states = world.states(ids)
    assert {lead_id for lead_id, state in states.items() if state is State.READY} == {"7"}
    assert set(states.values()) == {State.READY, State.REVIEW}
    assert tally.unanswered == {"7"}
    assert len(world.asked()) < 12
    said = {each["outcome"]: each["message"] for each in world.history("1").attempts}
    assert said.keys() == {"in_doubt", "taken"}
    assert said["in_doubt"].endswith("(the whole request, with other leads in it)")
