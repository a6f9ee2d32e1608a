"""What controls teach: the words in which a LeadByte says that a lead has left, and how long its queue takes."""

from dataclasses import replace
from typing import Any

import pytest

from leadgate.delivery import Exchange, Reconciliation
from leadgate.delivery.controls import ControlRequest, heard_of
from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.wording import Sentences
from leadgate.ledger.learned import read_learned
from leadgate.model import Answer, Certainty, Control, LeadRequest, Result, State
from tests.delivery.world import NOON, config_with
from tests.reconcile.leadbytes import SaysGoneOtherwise, UpdatesNothing, lose_act
from tests.reconcile.world import Reconciling

SHAPE = SaysGoneOtherwise.SHAPE
CONTROLS = ("9001", "9002", "9003", "9004")


def learned(world: Reconciling) -> LeadByteClient:
    """A client as a run has it, that knows what was learned."""
    sentences = Sentences().learn_gone(read_learned(world.ledger).gone)

    class Learned(LeadByteClient):
        def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - of any client
            super().__init__(**settings, sentences=sentences)

    return world.client(kind=Learned)


async def be_doubtful(world: Reconciling, lead_id: str = "1") -> None:
    """Let a lead be in doubt, which was acted on."""
    await lose_act(world, lead_id, applied=True, client=learned(world))


async def run_hourly(world: Reconciling, runs: int, *arriving: str) -> None:
    """Let runs go over what is due, an hour apart, each with a lead that has just arrived."""
    for lead_id in arriving or [None] * runs:
        world.clock.advance(hours=1)
        if lead_id:
            world.arrive(lead_id)
        await world.run(client=learned(world), delivery={"mode": "update_first"})


@pytest.mark.parametrize("sandbox", [SaysGoneOtherwise], indirect=True)
async def test_the_words_for_gone_are_learned_from_three_controls_of_three_runs(world: Reconciling) -> None:
    """Each beside a lead that was never acted on and is updated; what is in doubt is settled by them after that."""
    for lead_id in CONTROLS:
        await world.have_control(lead_id)
    await be_doubtful(world)
    await run_hourly(world, 3, "5001", "5002", "5003")
    assert world.states(["1"]) == {"1": State.REVIEW}  # it was refused in words that nobody knew
    assert read_learned(world.ledger).gone == [SHAPE]
    await run_hourly(world, 1, "5004")
    by_kind = [
        [each["outcome"] for each in world.history(lead_id).attempts if each["kind"] == "control"]
        for lead_id in (*CONTROLS, "5001", "5002", "5003", "5004")
    ]
    assert sum(outcomes.count("refused") for outcomes in by_kind) == 3
    await be_doubtful(world, "2")
    await run_hourly(world, 1)
    assert (world.states(["2"]), world.entry("2")["inferred"]) == ({"2": State.PROCESSED}, True)
    assert world.acts_sent("2") == ["process"]
    assert set(world.states(["5001", "5002", "5003", "5004"]).values()) == {State.PROCESSED}


@pytest.mark.parametrize("sandbox", [SaysGoneOtherwise], indirect=True)
async def test_without_a_lead_that_is_updated_beside_them_nothing_is_learned(world: Reconciling) -> None:
    """In an account where nothing arrives, the words may be said of every lead."""
    for lead_id in CONTROLS:
        await world.have_control(lead_id)
    await be_doubtful(world)
    await run_hourly(world, 8)
    found = read_learned(world.ledger)
    assert (found.gone, found.wanted) == ([], SHAPE)


@pytest.mark.parametrize("sandbox", [UpdatesNothing], indirect=True)
async def test_words_that_are_said_of_every_lead_mean_nothing(world: Reconciling) -> None:
    """A LeadByte that updates nothing any more says of none that it has left."""
    for lead_id in CONTROLS:
        await world.have_control(lead_id)
    await be_doubtful(world)
    assert isinstance(world.sandbox, UpdatesNothing)
    world.sandbox.stuck = True
    await run_hourly(world, 5, *(str(number) for number in range(5001, 5006)))
    assert read_learned(world.ledger).gone == []


@pytest.mark.parametrize("sandbox", [SaysGoneOtherwise], indirect=True)
async def test_a_run_that_looks_into_no_doubts_sends_no_control(world: Reconciling) -> None:
    """Such as one that keeps to a plan: it sends the leads of the plan, and nothing else."""
    await world.have_control()
    world.clock.advance(hours=2)
    async with world.client() as client:
        exchange = Exchange(config=config_with(), ledger=world.ledger, client=client)
        reconciliation = Reconciliation(config_with(), world.source, exchange, wanted=SHAPE)
        assert reconciliation.controls.take_lesson() == []
        await reconciliation.reconcile_due()
        (lesson,) = reconciliation.controls.take_lesson()
    assert lesson.control.lead_id == world.controls[0]


ASKED = ControlRequest(Control("9", 1, NOON), LeadRequest("9", {"postcode": "N1"}))
OWN = Answer("9", Certainty.REFUSED, updated=False, http_status=200, message="This item is with the buyer")


@pytest.mark.parametrize(
    ("answer", "beside", "result", "shape"),
    [
        (OWN, True, Result.REFUSED, "this … is with the …"),
        (OWN, False, Result.IN_DOUBT, "this … is with the …"),
        (replace(OWN, gone=True), True, Result.GONE, ""),
        (replace(OWN, whole_request=True), True, Result.IN_DOUBT, ""),
        (replace(OWN, transient=True), True, Result.IN_DOUBT, ""),
        (replace(OWN, certainty=Certainty.IN_DOUBT), True, Result.IN_DOUBT, ""),
        (replace(OWN, certainty=Certainty.ANSWERED, updated=True), True, Result.TAKEN, ""),
    ],
)
def test_only_a_refusal_of_the_control_itself_teaches(answer: Answer, beside: bool, result: Result, shape: str) -> None:
    """Not one of the whole request, nor one for now."""
    heard = heard_of(ASKED, answer, beside_updated=beside)
    assert (heard.result, heard.shape) == (result, shape)


@pytest.mark.parametrize(("shape", "fits"), [("with the … now", True), ("… the …", False), ("moved on", True)])
def test_a_shape_that_fits_many_sentences_is_not_heard(shape: str, fits: bool) -> None:
    """As one that a person teaches would be refused."""
    sentences = Sentences().learn_gone([shape])
    assert sentences.says_gone(shape.replace("…", "Xyzzy"), of_one_lead=True) is fits
