"""That LeadByte updates a lead in doubt proves nothing by itself: beside it goes a control, a lead that it queued."""

from datetime import timedelta
from typing import Any

import pytest

from leadgate.attention import attention
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger.doubts import read_doubts
from leadgate.model import State
from leadgate.sandbox import LeadState
from tests.delivery.world import NOON, config_with
from tests.reconcile.leadbytes import LosesActs, RefusesTogether, Slow, UpdatesAll, lose_act
from tests.reconcile.world import Reconciling

IDS = ["1", "2", "3", "4"]
PATIENCE = {"patience": "3h"}


async def be_hours(world: Reconciling, hours: float = 4, **run: Any) -> None:  # noqa: ANN401 - what `run` takes
    """Run every ten minutes, for hours."""
    for _ in range(int(hours * 6)):
        world.clock.advance(minutes=10)
        await world.run(**{"delivery": PATIENCE} | run)


def told_of_controls(world: Reconciling, **delivery: str) -> list[str]:
    """What people are told of what a control has shown."""
    config = config_with(delivery=delivery).delivery
    return [each for each in attention(read_doubts(world.ledger), config, world.clock()) if " was queued at " in each]


def controls(world: Reconciling) -> list[list[str]]:
    """The requests that a control was in."""
    asked = [[item["quarantineId"] for item in body["leads"]] for method, body in world.asked() if method == "PUT"]
    # Its own update and act came first.
    return [ids for ids in asked if not set(ids).isdisjoint(world.controls)][1:]


@pytest.mark.parametrize("sandbox", [LosesActs], indirect=True)
async def test_a_control_travels_with_the_probes(world: Reconciling) -> None:
    """In the same request, by its own update alone; what it showed is kept with its lead, unchanged."""
    control = await world.have_control()
    before = world.entry(control)
    await lose_act(world, *IDS, applied=False)
    await world.run_later()
    assert controls(world) == [[control, *IDS]] * 2
    assert set(world.states(IDS).values()) == {State.PROCESSED}
    assert world.entry(control) == before
    asked = world.history(control).attempts[-1]
    assert (asked["kind"], asked["outcome"], asked["action"]) == ("control", "gone", None)


@pytest.mark.parametrize("sandbox", [LosesActs], indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_without_a_control_a_lead_that_is_still_there_waits_for_a_person(
    world: Reconciling, applied: bool
) -> None:
    """Until patience is over; one that LeadByte no longer has is inferred without any."""
    await lose_act(world, "1", applied=applied)
    await be_hours(world, 3)
    assert world.states(["1"]) == {"1": State.PROCESSED if applied else State.UNKNOWN}
    await be_hours(world, 1.5)
    assert world.states(["1"]) == {"1": State.PROCESSED if applied else State.REVIEW}
    assert world.acts_sent("1") == ["process"]
    if not applied:
        note = "LeadByte updates it, which does not prove that the process was not taken"
        assert (world.entry("1")["note"], world.entry("1")["doubt_action"]) == (note, "process")


@pytest.mark.parametrize("sandbox", [LosesActs], indirect=True)
async def test_a_lead_with_the_other_act_is_no_control(world: Reconciling) -> None:
    """LeadByte may say something else of one that it rejected, and its queues may differ."""
    await world.have_control(verdict="reject")
    await lose_act(world, "1", applied=False)
    await be_hours(world)
    assert world.states(["1"]) == {"1": State.REVIEW}
    assert controls(world) == []


@pytest.mark.parametrize("sandbox", [LosesActs], indirect=True)
async def test_a_lead_that_was_settled_by_inference_is_no_control(world: Reconciling) -> None:
    """That LeadByte queued it was said by nobody."""
    await lose_act(world, "9001", applied=True)
    world.clock.advance(minutes=6)
    await world.run()
    assert world.entry("9001")["inferred"]
    await lose_act(world, "1", applied=False)
    await be_hours(world)
    assert world.states(["1"]) == {"1": State.REVIEW}


@pytest.mark.parametrize("sandbox", [LosesActs], indirect=True)
async def test_a_lead_with_nothing_to_write_is_no_control(world: Reconciling) -> None:
    """It cannot be asked about; the next best is, though it was acted on long before."""
    world.arrive("9001")
    await world.run()
    world.clock.advance(hours=5)
    world.seed(["9002"])
    await world.run(update={})
    assert set(world.states(["9001", "9002"]).values()) == {State.PROCESSED}
    await lose_act(world, "1", applied=False)
    await world.run_later()
    assert world.states(["1"]) == {"1": State.PROCESSED}
    kinds = {lead_id: [a["kind"] for a in world.history(lead_id).attempts] for lead_id in ("9001", "9002")}
    assert kinds == {"9001": ["update_and_act", "control", "control"], "9002": ["act"]}


@pytest.mark.parametrize("sandbox", [LosesActs], indirect=True)
async def test_the_first_lead_that_was_taken_after_the_act_is_the_control(world: Reconciling) -> None:
    """Then the last one before it, for as long as there is none after."""
    for minute, lead_id in enumerate(["8001", "8002"]):
        world.clock.now = NOON + timedelta(minutes=minute)
        world.arrive(lead_id)
        await world.run()
    world.clock.now = NOON + timedelta(minutes=2)
    await lose_act(world, "1", applied=False)
    world.clock.advance(minutes=5)
    await world.run(delivery={"queue_time": "1h"})
    assert [a["kind"] for a in world.history("8002").attempts] == ["update_and_act", "control"]
    for lead_id in ("9001", "9002"):
        world.clock.advance(minutes=1)
        world.arrive(lead_id)
        await world.run(delivery={"queue_time": "1h"})
    world.clock.advance(hours=2)
    await world.run(delivery={"queue_time": "1h"})
    assert world.states(["1"]) == {"1": State.PROCESSED}
    asked = {
        lead_id: sum(a["kind"] == "control" for a in world.history(lead_id).attempts)
        for lead_id in ("8001", "8002", "9001", "9002")
    }
    assert asked == {"8001": 0, "8002": 1, "9001": 1, "9002": 0}


@pytest.mark.parametrize("sandbox", [UpdatesAll], indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_a_leadbyte_that_updates_leads_that_have_left_frees_none(world: Reconciling, applied: bool) -> None:
    """The control shows it: people are told so, and asked about each lead in the end; nothing false is recorded."""
    control = await world.have_control()
    await lose_act(world, *IDS, applied=applied)
    await be_hours(world)
    (told,) = told_of_controls(world, queue_time="0s")
    assert told.startswith(f"Lead {control} was queued at 2026-03-01 12:00:00Z, and LeadByte still updated it at ")
    assert set(world.states(IDS).values()) == {State.REVIEW}
    assert {len(world.acts_sent(lead_id)) for lead_id in IDS} == {1}
    assert world.entry("1")["note"] == "LeadByte updates it, which does not prove that the process was not taken"


@pytest.mark.parametrize("sandbox", [Slow], indirect=True)
async def test_a_control_that_may_be_in_the_queue_is_no_alarm(world: Reconciling) -> None:
    """Only when it should have left for long."""
    queue: dict[str, Any] = {"delivery": {"queue_time": "20m"}}
    await world.have_control(**queue)
    await lose_act(world, "1", applied=False, **queue)
    world.clock.advance(minutes=6)
    await world.run(**queue)
    assert told_of_controls(world, **queue["delivery"]) == []
    asked = world.history(world.controls[0]).attempts[-1]
    assert (asked["kind"], asked["outcome"]) == ("control", "taken")


@pytest.mark.parametrize("sandbox", [RefusesTogether], indirect=True)
async def test_a_leadbyte_that_refuses_all_for_one_is_asked_about_each(world: Reconciling) -> None:
    """The control alone, and the probes in halves: those that left are inferred, the others acted on again, once."""
    control = await world.have_control()
    await lose_act(world, *IDS, applied=False)
    world.sandbox.quarantine.move(["1", "4"], LeadState.RELEASED)
    await world.run_later(1)
    assert controls(world) == [[control, *IDS], [control]]
    await world.run_later(1)
    assert controls(world)[2:] == [[control, "2", "3"], [control]]
    assert set(world.states(IDS).values()) == {State.PROCESSED}
    assert {lead_id: world.entry(lead_id)["inferred"] for lead_id in IDS} == {
        "1": True,
        "2": False,
        "3": False,
        "4": True,
    }
    assert {lead_id: len(world.acts_sent(lead_id)) for lead_id in IDS} == {"1": 1, "2": 2, "3": 2, "4": 1}


@pytest.mark.parametrize("sandbox", [RefusesTogether], indirect=True)
async def test_a_lead_that_is_probed_alone_beside_its_control_is_not_blamed(world: Reconciling) -> None:
    """The refusal was about the control: the lead is asked about by itself, before anything is concluded."""
    await world.have_control()
    await lose_act(world, "1", applied=False)
    await world.run_later()
    assert world.states(["1"]) == {"1": State.PROCESSED}
    probed = [each["outcome"] for each in world.history("1").attempts if each["kind"] == "probe"]
    assert sorted(probed) == ["refused", "refused", "taken", "taken"]
    assert len(world.sandbox.quarantine.acts["1"]) == 1


@pytest.mark.parametrize("sandbox", [LosesActs], indirect=True)
async def test_a_control_that_is_not_answered_frees_nobody(world: Reconciling) -> None:
    """LeadByte answers the probe and says nothing of the control."""
    control = await world.have_control()
    await lose_act(world, "1", applied=False)
    world.sandbox.faults.change({"missing-before": [control]})
    world.clock.advance(hours=1)
    await world.run()
    assert world.states(["1"]) == {"1": State.UNKNOWN}
    world.sandbox.faults.change({"missing-before": None})
    world.clock.advance(hours=1)
    await world.run()
    assert world.states(["1"]) == {"1": State.PROCESSED}


class Unprobed(LeadByteClient):
    """A client that must not be used."""

    async def put(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - never
        """Fail."""
        raise AssertionError


async def test_without_leads_in_doubt_no_control_is_asked_about(world: Reconciling) -> None:
    """Waiting is free."""
    await world.have_control()
    world.clock.advance(days=1)
    assert (await world.run(client=world.client(kind=Unprobed))).reconciled.probed == 0
