"""An act in doubt, on LeadBytes that are possible and odd: it is never executed twice, and no record is false."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.refusals import Reply
from leadgate.leadbyte.wording import Sentences
from leadgate.ledger.doubts import read_doubts
from leadgate.ledger.reviews import LookedFor, read_looked_for
from leadgate.model import Answer, LeadRequest, State
from leadgate.sandbox import Sandbox
from tests.delivery.world import renew_account
from tests.reconcile.leadbytes import LosesActs, OtherClock, OtherWords, Slow, lose_act
from tests.reconcile.world import GRACE, Reconciling

QUEUE: dict[str, Any] = {"queue_time": Slow.QUEUE, "patience": "3h"}
PROVEN = GRACE + Slow.QUEUE


def executed(sandbox: Sandbox, lead_id: str = "1") -> list[str]:
    """What LeadByte did with a lead."""
    return [act.action.value for act in sandbox.quarantine.acts.get(lead_id, [])]


async def be_minutes(world: Reconciling, minutes: float, **run: Any) -> None:  # noqa: ANN401 - what `run` takes
    """Run every minute, for so long."""
    for _ in range(int(minutes)):
        world.clock.advance(minutes=1)
        await world.run(**run)


@pytest.mark.parametrize("sandbox", [Slow], indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_a_queue_that_is_longer_than_the_grace_is_waited_for(world: Reconciling, applied: bool) -> None:
    """A probe finds the lead still there, and a control gone: nothing is concluded before `queue_time` is over."""
    await world.have_control(delivery=QUEUE)
    world.clock.advance(minutes=30)
    await lose_act(world, "1", applied=applied, delivery=QUEUE)
    lost_at = world.clock.now
    await be_minutes(world, 9, delivery=QUEUE)
    assert world.states(["1"]) == {"1": State.UNKNOWN}
    assert [(a["kind"], a["outcome"]) for a in world.history("1").attempts][2:] == [("probe", "taken")]
    assert world.history(world.controls[0]).attempts[-1]["outcome"] == "gone"
    await be_minutes(world, 20, delivery=QUEUE)
    assert world.states(["1"]) == {"1": State.PROCESSED}
    assert executed(world.sandbox) == ["process"]
    assert (world.entry("1")["inferred"], world.entry("1")["acted_again"]) == (applied, not applied)
    sent_at = [a["sent_at"] for a in world.history("1").attempts if a["action"]]
    assert [at for at in sent_at[1:] if at - lost_at <= PROVEN] == []
    assert len(sent_at) == (1 if applied else 2)


@pytest.mark.parametrize("sandbox", [Slow], indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_an_act_whose_answers_are_always_lost_is_sent_twice_at_most(world: Reconciling, applied: bool) -> None:
    """Hours of runs against a LeadByte that answers updates alone: once, and once more by evidence."""
    await world.have_control(delivery=QUEUE)
    await lose_act(world, "1", applied=False, delivery=QUEUE)
    assert isinstance(world.sandbox, LosesActs)
    world.sandbox.loses, world.sandbox.applies = frozenset({"1"}), applied
    for _ in range(4 * 12):
        world.clock.advance(minutes=5)
        await world.run(delivery=QUEUE)
    assert world.acts_sent("1") == ["process", "process"]
    assert executed(world.sandbox) == (["process"] if applied else [])
    assert world.states(["1"]) == {"1": State.PROCESSED if applied else State.REVIEW}
    assert world.entry("1")["acted_again"]


@pytest.mark.parametrize("sandbox", [Slow], indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_a_person_who_opts_out_meanwhile_is_never_both(world: Reconciling, applied: bool) -> None:
    """The rules say reject by now: it waits until it is certain that the process was not taken."""
    await world.have_control(delivery=QUEUE)
    await lose_act(world, "1", applied=applied, delivery=QUEUE)
    await be_minutes(world, PROVEN / timedelta(minutes=1), verdict="reject", delivery=QUEUE)
    assert executed(world.sandbox) == ["process"] * applied
    await be_minutes(world, 20, verdict="reject", delivery=QUEUE)
    assert executed(world.sandbox) == ["process" if applied else "reject"]
    assert world.states(["1"]) == {"1": State.PROCESSED if applied else State.REJECTED}
    assert world.entry("1")["inferred"] is applied


@pytest.mark.parametrize("sandbox", [OtherClock], indirect=True)
async def test_when_our_clock_jumps_ahead_nothing_is_concluded(world: Reconciling) -> None:
    """By it the act is ten hours old; by LeadByte's it may be in the queue, which it is."""
    assert isinstance(world.sandbox, OtherClock)
    sections: dict[str, Any] = {"delivery": {"queue_time": Slow.QUEUE}}
    await world.have_control(**sections)
    world.clock.advance(minutes=30)
    await lose_act(world, "1", applied=True, **sections)
    world.clock.advance(minutes=6)
    await world.run(**sections)
    world.clock.advance(hours=10, minutes=1)
    world.sandbox.behind = timedelta(hours=10)
    await world.run(**sections)
    assert world.states(["1"]) == {"1": State.UNKNOWN}
    assert [world.history(lead_id).attempts[-1]["outcome"] for lead_id in ("1", "9001")] == ["taken", "gone"]
    world.clock.advance(hours=1)
    await world.run(**sections)
    assert executed(world.sandbox) == ["process"]
    assert (world.entry("1")["state"], world.entry("1")["inferred"]) == ("processed", True)


@pytest.mark.parametrize("sandbox", [Slow], indirect=True)
async def test_a_clock_that_is_set_back_while_a_probe_is_under_way_puts_nothing_off(world: Reconciling) -> None:
    """The next look is an hour away at most, by the clock that is right now."""

    class SetsBack(LeadByteClient):
        async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:
            world.clock.advance(hours=-24)
            return await super().put(requests, before=before)

    world.clock.advance(hours=24)
    await world.have_control(delivery=QUEUE)
    await lose_act(world, "1", applied=True, delivery=QUEUE)
    world.clock.advance(minutes=6)
    await world.run(delivery=QUEUE, client=world.client(kind=SetsBack), claiming=False)
    assert world.states(["1"]) == {"1": State.UNKNOWN}
    assert world.entry("1")["due_at"] <= world.clock() + timedelta(hours=1)
    world.clock.advance(hours=24)  # what it wrote before is past again


@pytest.mark.parametrize("sandbox", [OtherClock], indirect=True)
async def test_clocks_that_differ_from_the_start_do_no_harm(world: Reconciling) -> None:
    """LeadByte's is years behind, and goes on as ours does."""
    assert isinstance(world.sandbox, OtherClock)
    world.sandbox.behind = timedelta(days=800)
    await world.have_control(delivery=QUEUE)
    await lose_act(world, "1", applied=False, delivery=QUEUE)
    await be_minutes(world, 30, delivery=QUEUE)
    assert world.states(["1"]) == {"1": State.PROCESSED}
    assert executed(world.sandbox) == ["process"]


@pytest.mark.parametrize("sandbox", [OtherClock], indirect=True)
async def test_where_the_clocks_never_agree_a_person_is_asked(world: Reconciling) -> None:
    """Ours was put ahead after the act: it is too old by one clock only, however long one waits."""
    assert isinstance(world.sandbox, OtherClock)
    await world.have_control(delivery=QUEUE)
    await lose_act(world, "1", applied=False, delivery=QUEUE)
    await world.run_later(1, delivery=QUEUE)
    world.clock.advance(hours=1)
    world.sandbox.behind = timedelta(hours=1)
    for _ in range(5):
        world.clock.advance(hours=1)
        await world.run(delivery=QUEUE)
    assert world.states(["1"]) == {"1": State.REVIEW}
    assert executed(world.sandbox) == []


class Timeless(LeadByteClient):
    """A client of a LeadByte that sends no Date header."""

    async def _request(self, method: str, path: str, content: bytes) -> Reply:
        reply = await super()._request(method, path, content)
        self._their_clock = None
        return replace(reply, their_time=None)


@pytest.mark.parametrize("sandbox", [Slow], indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_without_a_date_header_our_clock_counts_alone(world: Reconciling, applied: bool) -> None:
    """Nothing is concluded earlier by it, and not later."""
    await world.have_control(delivery=QUEUE)
    await lose_act(world, "1", applied=applied, delivery=QUEUE, client=world.client(kind=Timeless))
    minutes = 0
    while world.states(["1"]) == {"1": State.UNKNOWN}:
        minutes += 1
        world.clock.advance(minutes=1)
        await world.run(delivery=QUEUE, client=world.client(kind=Timeless))
    # The second probe comes with the evidence, a minute after it; the third is not needed.
    assert minutes == (10 if applied else 16)
    assert executed(world.sandbox) == ["process"]
    assert world.entry("1")["doubt_theirs"] is None


class Taught(LeadByteClient):
    """A client that was taught what LeadByte says."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - of any client
        said = "Quarantine ID '{id}' was accepted for delivery"
        super().__init__(**settings, sentences=Sentences.taught(process=[said], reject=[], gone=[]))


@pytest.mark.parametrize("sandbox", [OtherWords], indirect=True)
async def test_a_leadbyte_in_words_of_its_own_puts_one_act_in_doubt(world: Reconciling) -> None:
    """The first goes alone and is not understood: the others wait. Its words are kept."""
    renew_account(world.ledger)
    world.arrive("1", "2", "3")
    ran = await world.run()
    assert world.states(["1", "2", "3"]) == {"1": State.UNKNOWN, "2": State.READY, "3": State.READY}
    assert ran.tally.braked == 2
    assert world.history("1").attempts[-1]["shape"] == "quarantine id {id} was accepted for delivery"
    assert executed(world.sandbox, "2") == []


@pytest.mark.parametrize("sandbox", [OtherWords], indirect=True)
async def test_taught_sentences_settle_acts(world: Reconciling) -> None:
    """As the documented ones do: nothing is in doubt, and nothing inferred."""
    renew_account(world.ledger)
    world.arrive("1", "2", "3")
    await world.run(client=world.client(kind=Taught))
    assert set(world.states(["1", "2", "3"]).values()) == {State.PROCESSED}
    assert {world.entry(lead_id)["inferred"] for lead_id in ("1", "2", "3")} == {False}


class TaughtTheOther(LeadByteClient):
    """A client that was taught that LeadByte says this of a reject."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - of any client
        said = "Quarantine ID '{id}' was accepted for delivery"
        super().__init__(**settings, sentences=Sentences.taught(process=[], reject=[said], gone=[]))


@pytest.mark.parametrize("sandbox", [OtherWords], indirect=True)
async def test_a_sentence_of_the_other_act_goes_to_a_person_at_once(world: Reconciling) -> None:
    """LeadByte says that it did what was not asked; until the person has looked, nothing more is sent."""
    world.arrive("1")
    await world.run(client=world.client(kind=TaughtTheOther))
    assert world.states(["1"]) == {"1": State.REVIEW}
    assert "the opposite of what was asked" in world.entry("1")["note"]
    assert world.entry("1")["doubt_action"] == "process"


@pytest.mark.parametrize("sandbox", [Slow], indirect=True)
async def test_a_doubt_began_when_its_act_was_sent(world: Reconciling) -> None:
    """However often runs look into it; `status` and `review list` say so."""
    await world.have_control(delivery=QUEUE)
    world.clock.advance(minutes=30)
    await lose_act(world, "1", applied=True, delivery=QUEUE)
    [lost] = [each["sent_at"] for each in world.history("1").attempts if each["action"]]
    for _ in range(4):
        await be_minutes(world, 2, delivery=QUEUE)
        doubts = read_doubts(world.ledger)
        assert (doubts.since, doubts.unknown_since) == (lost, lost)
        assert read_looked_for(world.ledger) == [LookedFor("1", "process", lost)]
    assert [each["kind"] for each in world.history("1").attempts][-1] == "probe"
    assert world.entry("1")["doubt_since"] > lost
