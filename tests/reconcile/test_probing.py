"""An act that nobody answered is settled by evidence, over a real socket: the update alone is sent again as a probe."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from leadgate.leadbyte import LeadByteClient
from leadgate.model import Answer, LeadRequest, State
from leadgate.sandbox import LeadState
from tests.delivery.world import NOON
from tests.reconcile.world import GRACE, LATER, Reconciling


class Dying(LeadByteClient):
    """A client whose process ends when its request has been sent."""

    async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:
        """Send, and hear nothing."""
        await super().put(requests, before=before)
        raise ZeroDivisionError


IDS = ["1", "2", "3"]
LOST_AFTER = ["drop-after", "5xx-after", "not-json-after", "missing-after"]
LOST_BEFORE = ["drop-before", "5xx-before", "not-json-before", "missing-before"]


def outcomes(world: Reconciling, lead_id: str) -> list[tuple[str, str]]:
    """A lead's requests, and how each ended."""
    return [(attempt["kind"], attempt["outcome"]) for attempt in world.history(lead_id).attempts]


@pytest.mark.parametrize("fault", LOST_AFTER)
@pytest.mark.parametrize(("verdict", "state"), [("process", "processed"), ("reject", "rejected")])
async def test_an_act_that_was_applied_is_inferred(world: Reconciling, fault: str, verdict: str, state: str) -> None:
    """LeadByte no longer has the lead, so it is settled as intended, and marked; it is not acted on again."""
    world.arrive(*IDS)
    world.sandbox.faults.change({fault: "always"})
    await world.run(verdict=verdict)
    world.sandbox.faults.change({fault: None})
    assert set(world.states(IDS).values()) == {State.UNKNOWN}
    world.clock.advance(**LATER)
    ran = await world.run(verdict=verdict)
    assert (ran.reconciled.probed, sorted(ran.reconciled.inferred)) == (3, IDS)
    for lead_id in IDS:
        entry = world.entry(lead_id)
        assert (entry["state"], entry["inferred"], entry["refusals"]) == (state, True, 0)
        assert (
            entry["note"] == f"inferred: LeadByte no longer has it in quarantine, and our {verdict} may have been taken"
        )
        assert outcomes(world, lead_id) == [("update_and_act", "in_doubt"), ("probe", "gone")]
    assert {lead_id: len(acts) for lead_id, acts in world.sandbox.quarantine.acts.items()} == dict.fromkeys(IDS, 1)
    assert ran.tally.went == Counter({State(state): 3})


async def test_each_lead_is_inferred_by_its_own_act(world: Reconciling) -> None:
    """Though leads with other acts are probed along with it."""
    await world.lose("1", "2")
    await world.lose("3", verdict="reject")
    world.clock.advance(**LATER)
    await world.run()
    assert world.states(IDS) == {"1": State.PROCESSED, "2": State.PROCESSED, "3": State.REJECTED}


@pytest.mark.parametrize("fault", LOST_BEFORE)
async def test_an_act_that_was_not_applied_is_sent_again(world: Reconciling, fault: str) -> None:
    """It is still in quarantine, and one that was acted on before is not: it is decided anew and acted on once."""
    await world.have_control()
    world.arrive(*IDS)
    world.sandbox.faults.change({fault: "always"})
    await world.run()
    world.sandbox.faults.change({fault: None})
    await world.run_later(1)  # which tells the time by LeadByte's clock
    assert set(world.states(IDS).values()) == {State.UNKNOWN}
    ran = await world.run_later(1)
    assert (ran.reconciled.probed, ran.reconciled.inferred) == (3, [])
    assert set(world.states(IDS).values()) == {State.PROCESSED}
    probed = 2 * [("probe", "taken")]
    assert outcomes(world, "1") == [("update_and_act", "in_doubt"), *probed, ("update_and_act", "taken")]
    assert [world.entry(lead_id)["acted_again"] for lead_id in IDS] == [True, True, True]
    assert {len(acts) for acts in world.sandbox.quarantine.acts.values()} == {1}
    assert (world.entry("1")["inferred"], world.entry("1")["refusals"]) == (False, 0)


async def test_a_probe_writes_the_update_and_nothing_else(world: Reconciling) -> None:
    """Literally the documented body, without an action."""
    await world.lose("17")
    world.clock.advance(**LATER)
    await world.run()
    assert world.asked()[-1] == ("PUT", {"leads": [{"quarantineId": "17", "update": {"postcode": "TN25 6QD"}}]})


async def test_no_probe_is_sent_before_the_grace_is_over(world: Reconciling) -> None:
    """LeadByte's own queue needs time: until then nothing at all is asked about the lead."""
    await world.lose("17", applied=False)
    for _ in range(5):
        world.clock.advance(seconds=59)
        assert (await world.run()).reconciled.probed == 0
    assert len(world.asked()) == 1
    world.clock.now = NOON + GRACE
    assert (await world.run()).reconciled.probed == 1


async def test_a_rescued_lead_has_its_whole_grace_from_then_on(world: Reconciling) -> None:
    """The request of a run that was killed may have left at the very end of its lease."""
    world.arrive("17")
    with pytest.raises(ZeroDivisionError):
        await world.run(client=world.client(kind=Dying), dies_of=ZeroDivisionError)
    world.clock.advance(**LATER)
    rescued_at = world.clock.now
    await world.run()
    assert (world.entry("17")["state"], world.entry("17")["due_at"]) == ("unknown", rescued_at + GRACE)


async def test_probes_go_in_batches(world: Reconciling) -> None:
    """As many leads in one request as in any other."""
    ids = [str(n) for n in range(1, 13)]
    await world.lose(*ids)
    world.clock.advance(**LATER)
    await world.run(leadbyte={"batch_size": 5})
    assert sorted(map(len, world.probes())) == [2, 5, 5]
    assert set(world.states(ids).values()) == {State.PROCESSED}


async def test_of_probes_that_are_refused_together_one_is_the_cause(world: Reconciling) -> None:
    """They are halved until it stands alone, which a person is told at once; the others are settled without it."""
    ids = [str(n) for n in range(1, 18)]
    await world.lose(*ids)
    world.sandbox.faults.change({"poison": ["7"]})
    await world.run_later(1, leadbyte={"batch_size": 16})
    assert sorted(map(len, world.probes())) == [1, 1, 1, 2, 2, 4, 4, 8, 8, 16]
    states = world.states(ids)
    assert states.pop("7") is State.REVIEW
    assert world.entry("7")["note"] == "LeadByte refused the request (HTTP 400 Bad Request); Invalid request"
    assert set(states.values()) == {State.PROCESSED}


async def test_after_a_vain_probe_the_batches_are_smaller(world: Reconciling) -> None:
    """One lead may be the cause for all: it ends up alone, and the others are settled without it."""
    ids = [str(n) for n in range(1, 18)]
    await world.lose(*ids)
    world.sandbox.faults.change({"5xx-before": ["7"], "5xx-status": 500})
    sizes = []
    for _ in range(4):
        world.clock.advance(hours=1, minutes=1)
        before = len(world.probes())
        await world.run(leadbyte={"batch_size": 16})
        sizes.append(sorted(map(len, world.probes()[before:])))
    assert sizes == [[1, 16], [4, 4, 4, 4], [1, 1, 1, 1], [1]]
    states = world.states(ids)
    assert states.pop("7") is State.UNKNOWN
    assert set(states.values()) == {State.PROCESSED}


async def test_probes_in_vain_go_ever_more_seldom_until_patience_is_over(world: Reconciling) -> None:
    """Then a person is asked, and nothing more is asked about the lead.

    Once more when there can be evidence: five minutes after LeadByte's clock was read first.
    """
    await world.lose("17")
    world.sandbox.faults.change({"5xx-before": "always", "5xx-status": 500})
    probed = []
    while world.states(["17"]) == {"17": State.UNKNOWN}:
        world.clock.advance(minutes=5)
        if (await world.run(delivery={"patience": "3h"})).reconciled.probed:
            probed.append(int((world.clock.now - NOON) / timedelta(minutes=1)))
    assert probed == [5, 10, 15, 35, 75, 135, 195]
    assert world.states(["17"]) == {"17": State.REVIEW}
    assert world.entry("17")["note"].startswith("nothing could be found out; last: LeadByte failed (HTTP 500")
    world.clock.advance(days=1)
    assert (await world.run()).reconciled.probed == 0


@pytest.mark.parametrize("fault", ["drop-before", "5xx-before", "429"])
async def test_patience_does_not_end_while_nobody_answers(world: Reconciling, fault: str) -> None:
    """An outage of days is no reason to ask people about every lead: that is found out when it is over."""
    await world.lose("17")
    world.sandbox.faults.change({fault: "always", "retry-after": 0})
    for _ in range(5):
        world.clock.advance(days=1)
        assert (await world.run()).reconciled.probed == 1
    assert world.states(["17"]) == {"17": State.UNKNOWN}
    world.sandbox.faults.change({fault: None})
    world.clock.advance(days=1)
    await world.run()
    assert world.states(["17"]) == {"17": State.PROCESSED}


@pytest.mark.parametrize("fault", ["429", "503", "refuse"])
async def test_a_probe_that_was_provably_not_taken_does_not_count(world: Reconciling, fault: str) -> None:
    """However often LeadByte is too busy to be asked, no person is bothered for that."""
    await world.lose("17")
    world.sandbox.faults.change({fault: "always", "retry-after": 0, "refuse-for": 3600})
    for _ in range(7):
        world.clock.advance(hours=1)
        await world.run()
    assert world.states(["17"]) == {"17": State.UNKNOWN}
    world.sandbox.faults.change({fault: None})
    world.sandbox.door.shut_for(timedelta())
    world.clock.advance(hours=1)
    await world.reached()
    await world.run()
    assert world.states(["17"]) == {"17": State.PROCESSED}


async def test_with_unknown_review_nothing_is_probed(world: Reconciling) -> None:
    """Also not what a killed run left, which nobody could send to a person at the time."""
    world.arrive("17")
    with pytest.raises(ZeroDivisionError):
        await world.run(client=world.client(kind=Dying), dies_of=ZeroDivisionError)
    for _ in range(2):
        world.clock.advance(**LATER)
        await world.run(delivery={"unknown": "review"})
    assert world.states(["17"]) == {"17": State.REVIEW}
    assert world.probes() == []


async def test_with_nothing_to_write_there_is_nothing_to_probe_with(world: Reconciling) -> None:
    """A late lead that was never enriched: a person is told why, and what would help next time."""
    world.seed(["17"])
    world.sandbox.faults.change({"drop-after": 1})
    await world.run(update={})
    world.clock.advance(**LATER)
    ran = await world.run()
    assert world.states(["17"]) == {"17": State.REVIEW}
    assert "`update: {data20: {text: leadgate}}`" in world.entry("17")["note"]
    assert world.probes() == []
    assert ran.tally.went == {State.REVIEW: 1}


@pytest.mark.parametrize(("fault", "inferred"), [("drop-after", True), ("drop-before", False)])
async def test_a_text_for_all_leads_is_something_to_probe_with(world: Reconciling, fault: str, inferred: bool) -> None:
    """Then a lead without enrichment is settled like any other."""
    await world.have_control()
    world.seed(["17"])
    world.sandbox.faults.change({fault: 1})
    await world.run(update={})
    await world.run_later(update={}, writes={"data13": {"text": "leadgate"}})
    probe = {"quarantineId": "17", "update": {"data13": "leadgate"}}
    assert probe in [item for _, body in world.asked() if "leads" in body for item in body["leads"]]
    assert (world.entry("17")["state"], world.entry("17")["inferred"]) == ("processed", inferred)


async def test_a_probe_empties_no_field(world: Reconciling) -> None:
    """Whatever `when_null: blank` says: the value may have left the source since the act."""
    await world.lose("17")
    world.clock.advance(seconds=1)
    world.enrich(["17"], postcode=None)
    world.clock.advance(**LATER)
    await world.run(writes={"postcode": {"from": "postcode", "when_null": "blank"}, "data13": {"text": "leadgate"}})
    assert [item["update"] for _, body in world.asked()[1:] for item in body["leads"]] == [{"data13": "leadgate"}]


async def test_gone_before_the_first_act_is_not_inferred(world: Reconciling) -> None:
    """LeadByte answered the act itself: someone else had moved the lead."""
    world.arrive("17")
    world.sandbox.quarantine.move(["17"], LeadState.MOVED)
    await world.run()
    entry = world.entry("17")
    assert (entry["state"], entry["inferred"]) == ("gone", False)
    assert outcomes(world, "17") == [("update_and_act", "gone")]


async def test_acted_on_in_vain_twice_a_lead_goes_to_a_person(world: Reconciling) -> None:
    """Each time evidence finds it still there; two such acts are no accident."""
    await world.have_control()
    world.arrive("17")
    for _ in range(2):
        assert world.states(["17"]) == {"17": State.READY}
        world.sandbox.faults.change({"missing-before": {"leads": ["17"]}})
        await world.run()
        world.sandbox.faults.change({"missing-before": None})
        await world.run_later(claiming=False)
    assert world.states(["17"]) == {"17": State.REVIEW}
    assert world.entry("17")["note"] == "the process was sent twice without an answer, and it is still in quarantine"
    assert (world.entry("17")["doubt_action"], world.entry("17")["acted_again"]) == ("process", True)
