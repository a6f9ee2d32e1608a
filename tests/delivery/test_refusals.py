"""Refusals of whole requests: the pace, the key, a dead address, a poison lead. None of them costs a lead."""

import math
import socket
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from leadgate.errors import KeyRefused, LeadByteUnavailable
from leadgate.model import State
from tests.delivery.world import NOON, Clock, World

FIFTY = [str(n) for n in range(1, 51)]
MOST_REQUESTS = 1 + 2 * math.ceil(math.log2(50))


def untouched(world: World, *ids: str) -> bool:
    """Whether these leads are ready for whoever claims them next, with all their attempts."""
    entries = [world.entry(lead_id) for lead_id in ids]
    return all((e["state"], e["refusals"], e["lease_owner"]) == ("ready", 0, None) for e in entries)


PACE = [("429", "combined"), ("429", "update_first"), ("503", "update_first")]
"""A 429 comes before anything is applied; a 503 may come after an act, not after one of an update that goes first."""


@pytest.mark.parametrize(("fault", "mode"), PACE)
async def test_a_short_pause_delays_one_batch(world: World, fault: str, mode: str) -> None:
    """Its leads come again soon; the batches after it go out when the pause is over."""
    settings = {"batch_size": 1, "concurrency": 1}
    world.sandbox.faults.change({fault: 1, "retry-after": 1})
    client = world.client(clock=Clock(step=timedelta(seconds=1)))
    await world.deliver(world.wave("1", "2", "3"), client=client, leadbyte=settings, delivery={"mode": mode})
    (refused,) = [lead_id for lead_id, state in world.states(["1", "2", "3"]).items() if state is State.READY]
    assert untouched(world, refused)
    assert world.entry(refused)["due_at"] == NOON + timedelta(seconds=5)
    world.clock.advance(minutes=1)
    await world.deliver(world.claim(), delivery={"mode": mode})
    assert set(world.states(["1", "2", "3"]).values()) == {State.PROCESSED}


@pytest.mark.parametrize(("fault", "mode"), PACE)
async def test_a_busy_leadbyte_is_not_asked_about_halves(world: World, fault: str, mode: str) -> None:
    """That a batch came at a bad time says nothing about any of its leads."""
    world.sandbox.faults.change({fault: 1})
    tally = await world.deliver(world.wave(*FIFTY), delivery={"mode": mode})
    assert len(world.asked()) == 1
    assert untouched(world, *FIFTY)
    assert tally.went == {State.READY: 50}


async def test_a_long_pause_ends_the_run(world: World) -> None:
    """After one request nothing is sent; no lead loses an attempt, and none comes back before the time is over."""
    ids = [str(n) for n in range(1, 31)]
    world.sandbox.faults.change({"429": "always", "retry-after": 600})
    with pytest.raises(LeadByteUnavailable, match="is not accepting requests right now"):
        await world.deliver(
            world.wave(*ids), client=world.client(concurrency=1), leadbyte={"batch_size": 1, "concurrency": 1}
        )
    assert len(world.asked()) == 1
    assert untouched(world, *ids)
    due = Counter(world.entry(lead_id)["due_at"] for lead_id in ids)
    assert set(due) == {NOON, NOON + timedelta(minutes=10)}
    # Four in a row break it off; as many as two others may have been begun by then.
    assert 4 <= due[NOON + timedelta(minutes=10)] <= 4 + 2


async def test_a_burst_of_429_does_not_end_the_run(world: World) -> None:
    """As many requests as are under way at once may meet the same limit."""
    ids = [str(n) for n in range(1, 21)]
    world.sandbox.faults.change({"429": 4, "retry-after": 1})
    client = world.client(clock=Clock(step=timedelta(milliseconds=300)))
    tally = await world.deliver(world.wave(*ids), client=client, leadbyte={"batch_size": 1})
    assert tally.went == {State.PROCESSED: 16, State.READY: 4}


@pytest.mark.parametrize("fault", [{"401": "always"}, {"permission": "read-only"}], ids=["401", "403"])
@pytest.mark.parametrize("mode", ["update_first", "combined", "separate"])
async def test_a_refused_key_stops_at_once(world: World, fault: dict[str, str], mode: str) -> None:
    """Every lead stays ready and loses no attempt; what was in flight with the first is all that was sent."""
    ids = [str(n) for n in range(1, 101)]
    world.sandbox.faults.change(fault)
    with pytest.raises(KeyRefused):
        await world.deliver(world.wave(*ids), delivery={"mode": mode}, leadbyte={"batch_size": 5})
    assert len(world.asked()) <= 4
    assert untouched(world, *ids)
    assert world.sandbox.quarantine.acts == {}


@pytest.mark.parametrize("mode", ["update_first", "separate"])
async def test_a_key_that_may_only_update_processes_nothing(world: World, mode: str) -> None:
    """The updates have gone, the acts are refused, and the leads stay ready for a better key, from the first step."""
    world.sandbox.faults.change({"permission": "update-only"})
    with pytest.raises(KeyRefused):
        await world.deliver(world.wave("1", "2"), delivery={"mode": mode})
    assert untouched(world, "1", "2")
    before = world.asked()
    assert ("process" in str(before[0]), "process" in str(before[1])) == (False, True)
    assert world.sandbox.quarantine.acts == {}
    world.sandbox.faults.change({"permission": "off"})
    world.clock.advance(minutes=1)
    await world.deliver(world.claim(), delivery={"mode": mode})
    assert world.asked()[len(before)] == before[0]
    assert set(world.states(["1", "2"]).values()) == {State.PROCESSED}


async def test_a_dead_address_takes_few_requests(world: World) -> None:
    """The run is broken off, every lead stays ready, and the error says what to expect."""
    ids = [str(n) for n in range(1, 101)]
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = world.client(base_url=f"http://127.0.0.1:{unused.getsockname()[1]}", concurrency=2)
        with pytest.raises(LeadByteUnavailable, match="Every lead that was not sent stays ready"):
            await world.deliver(world.wave(*ids), client=client, leadbyte={"batch_size": 1, "concurrency": 2})
    attempted = sum(bool(world.history(lead_id).attempts) for lead_id in ids)
    # Five in a row break it off; as many as three others may have been begun by then.
    assert 5 <= attempted <= 5 + 3
    assert untouched(world, *ids)


@pytest.mark.parametrize("fault", ["5xx-after", "drop-after", "5xx-before"])
async def test_an_outage_makes_few_leads_unknown(world: World, fault: str) -> None:
    """A LeadByte that fails at every request is not shown every lead."""
    ids = [str(n) for n in range(1, 101)]
    world.sandbox.faults.change({fault: "always"})
    with pytest.raises(LeadByteUnavailable):
        await world.deliver(
            world.wave(*ids), client=world.client(concurrency=2), leadbyte={"batch_size": 1, "concurrency": 2}
        )
    unknown = [lead_id for lead_id, state in world.states(ids).items() if state is State.UNKNOWN]
    assert 5 <= len(unknown) <= 5 + 3
    assert untouched(world, *set(ids).difference(unknown))


async def test_answers_of_single_leads_are_no_outage(world: World) -> None:
    """A hundred leads may be refused in a row, each for itself."""
    ids = [str(n) for n in range(1, 31)]
    world.sandbox.faults.change({"not-success": "always"})
    tally = await world.deliver(world.wave(*ids), leadbyte={"batch_size": 1}, delivery={"mode": "update_first"})
    assert tally.went == {State.READY: 30}


@pytest.mark.parametrize("poison", ["1", "24", "25", "26", "50"])
async def test_one_poison_lead_is_found_by_halving(world: World, poison: str) -> None:
    """Forty-nine go through, the one that is the cause has used an attempt, and thirteen updates are enough."""
    world.sandbox.faults.change({"poison": [poison]})
    tally = await world.deliver(world.wave(*FIFTY), delivery={"mode": "update_first"})
    assert tally.went == {State.PROCESSED: 49, State.READY: 1}
    assert tally.refused == 1
    assert {lead_id for lead_id, state in world.states(FIFTY).items() if state is State.READY} == {poison}
    assert {lead_id: world.entry(lead_id)["refusals"] for lead_id in FIFTY} == dict.fromkeys(FIFTY, 0) | {poison: 1}
    assert MOST_REQUESTS == 13
    acts = [body["leads"] for _, body in world.asked() if "process" in str(body)]
    assert len(world.asked()) - len(acts) <= MOST_REQUESTS
    # Those whose update was taken are acted on together.
    assert [len(batch) for batch in acts] == [49]


@pytest.mark.parametrize("update", [{"postcode": "TN25 6QD"}, {}], ids=["put", "post"])
async def test_an_act_that_is_refused_as_a_whole_is_in_doubt(world: World, update: dict[str, str]) -> None:
    """It may have been applied in part before, so that it is neither halved nor sent again."""
    world.sandbox.faults.change({"poison": "always"})
    ids = FIFTY if update else ["1"]
    tally = await world.deliver(world.wave(*ids, update=update))
    assert tally.went == {State.UNKNOWN: len(ids)}
    assert len(world.asked()) == 1
    assert {(world.entry(lead_id)["refusals"], world.entry(lead_id)["doubt_since"]) for lead_id in ids} == {(0, NOON)}
    world.clock.advance(hours=1)
    assert world.claim() == []


async def test_after_their_updates_a_batch_of_acts_is_not_halved_either(world: World) -> None:
    """That the updates were taken does not make the refusal of the acts a proof."""

    def poison_acts(_: object) -> None:
        world.sandbox.faults.change({"poison": ["7"]})

    world.sandbox.on_request = poison_acts
    tally = await world.deliver(world.wave(*FIFTY), delivery={"mode": "update_first"})
    assert tally.went == {State.UNKNOWN: 50}
    assert [len(body["leads"]) for _, body in world.asked()] == [50, 50]


@pytest.mark.parametrize("retry_after", [1, 600])
async def test_an_act_is_in_doubt_though_leadbyte_says_when_to_come_back(world: World, retry_after: int) -> None:
    """A 503 may come from what stands before LeadByte, after the act was applied. Its Retry-After is obeyed."""
    world.sandbox.faults.change({"503": "always", "retry-after": retry_after})
    client = world.client()
    await world.deliver(world.wave("1"), client=client)
    entry = world.entry("1")
    assert (entry["state"], entry["due_at"]) == ("unknown", NOON + timedelta(minutes=5))
    assert client.paused_until == NOON + timedelta(seconds=retry_after)


async def test_two_poison_leads_are_found(world: World) -> None:
    """Wherever they are."""
    world.sandbox.faults.change({"poison": ["7", "44"]})
    tally = await world.deliver(world.wave(*FIFTY), delivery={"mode": "update_first"})
    assert tally.went == {State.PROCESSED: 48, State.READY: 2}


async def test_a_batch_of_updates_is_halved_too(world: World) -> None:
    """The acts of those whose update was taken follow."""
    world.sandbox.faults.change({"poison": ["3"]})
    tally = await world.deliver(world.wave("1", "2", "3", "4"), delivery={"mode": "separate"})
    assert tally.went == {State.PROCESSED: 3, State.READY: 1}
    assert set(world.sandbox.quarantine.acts) == {"1", "2", "4"}


async def test_an_error_that_calls_itself_success_is_halved_where_nothing_was_to_be_done(world: World) -> None:
    """HTTP 200 with status Error, said of the whole request: updates alone go again."""
    world.sandbox.faults.change({"status-error": 1})
    tally = await world.deliver(world.wave("1", "2", verdict="review"))
    assert tally.went == {State.REVIEW: 2}
    assert [len(body["leads"]) for _, body in world.asked()] == [2, 1, 1]


async def test_an_error_that_calls_itself_success_leaves_acts_in_doubt(world: World) -> None:
    """It is no proof that they were not taken, so they do not go again before a probe."""
    world.sandbox.faults.change({"status-error": 1})
    tally = await world.deliver(world.wave("1", "2"))
    assert tally.went == {State.UNKNOWN: 2}
    assert [len(body["leads"]) for _, body in world.asked()] == [2]


async def test_a_lead_that_was_not_sent_does_not_hide_a_poison_lead(world: World) -> None:
    """One value that cannot be written and one poison lead, in one batch: the others still go through."""
    world.sandbox.faults.change({"poison": ["2"]})
    wave = world.wave("1", "2", "3", "4", "5")
    spoilt = replace(wave[2], update={"postcode": float("nan")}, payload_hash="other")
    await world.deliver([*wave[:2], spoilt, *wave[3:]], delivery={"mode": "update_first"})
    states = world.states(["1", "2", "3", "4", "5"])
    assert {lead_id for lead_id, state in states.items() if state is State.PROCESSED} == {"1", "4", "5"}
    assert {lead_id: world.entry(lead_id)["refusals"] for lead_id in states} == {
        "1": 0,
        "2": 1,
        "3": 1,
        "4": 0,
        "5": 0,
    }


async def test_halving_stops_when_the_run_does(world: World) -> None:
    """A key refused among the halves stops them too; leads whose turn had not come are ready, all attempts left."""
    world.sandbox.faults.change({"poison": ["1"]})

    def withdraw_key(_: object) -> None:
        if len(world.sandbox.requests) == 2:
            world.sandbox.faults.change({"401": "always"})

    world.sandbox.on_request = withdraw_key
    with pytest.raises(KeyRefused):
        await world.deliver(world.wave(*FIFTY), delivery={"mode": "update_first"})
    assert len(world.asked()) == 3
    assert untouched(world, *FIFTY)
