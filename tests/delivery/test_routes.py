"""Five routes: which requests a decided lead needs."""

from typing import Any, Literal

import pytest

from leadgate.delivery.routes import Route, act_batches, route_of, update_batches
from leadgate.model import Action, Claim, Decided, LeadRequest, RequestKind, Verdict
from tests.delivery.world import NOON, POSTCODE, decision_of


def decided(verdict: Verdict | str, update: dict[str, Any], lead_id: str = "17") -> Decided:
    """A claimed lead with this verdict and these fields to write."""
    return Decided(
        Claim(lead_id, 1, NOON, late=False, refusals=0, updated_hash=None), decision_of(verdict), update, None
    )


@pytest.mark.parametrize(
    ("verdict", "update", "combined", "separate"),
    [
        ("process", POSTCODE, Route.UPDATE_AND_ACT, Route.UPDATE_THEN_ACT),
        ("reject", POSTCODE, Route.UPDATE_AND_ACT, Route.UPDATE_THEN_ACT),
        ("process", {}, Route.ACT, Route.ACT),
        ("reject", {}, Route.ACT, Route.ACT),
        ("hold", POSTCODE, Route.UPDATE, Route.UPDATE),
        ("review", POSTCODE, Route.UPDATE, Route.UPDATE),
        ("hold", {}, Route.NOTHING, Route.NOTHING),
        ("review", {}, Route.NOTHING, Route.NOTHING),
    ],
)
def test_a_route_follows_from_verdict_update_and_mode(
    verdict: str, update: dict[str, str], combined: Route, separate: Route
) -> None:
    """The mode matters only where there is both something to write and an act."""
    modes: dict[Literal["combined", "separate"], Route] = {"combined": combined, "separate": separate}
    assert {mode: route_of(decided(verdict, update), mode) for mode in modes} == modes


def test_updates_go_in_batches() -> None:
    """In order, none left out, the last one shorter."""
    leads = [decided("process", POSTCODE, str(n)) for n in range(1, 8)]
    batches = update_batches(leads, 3, with_act=True)
    assert [[part.request.lead_id for part in batch] for batch in batches] == [["1", "2", "3"], ["4", "5", "6"], ["7"]]
    assert {part.kind for batch in batches for part in batch} == {RequestKind.UPDATE_AND_ACT}
    assert update_batches([], 3, with_act=True) == []


@pytest.mark.parametrize("verdict", Verdict)
def test_an_update_without_its_act_carries_none(verdict: Verdict) -> None:
    """Whatever the verdict is."""
    ((part,),) = update_batches([decided(verdict, POSTCODE)], 50, with_act=False)
    assert part.request == LeadRequest("17", POSTCODE)


def test_acts_alone_go_one_by_one() -> None:
    """One id a call is all that LeadByte documents."""
    batches = act_batches([decided("process", {}, "1"), decided("reject", {}, "2")])
    assert [[part.request for part in batch] for batch in batches] == [
        [LeadRequest("1", action=Action.PROCESS)],
        [LeadRequest("2", action=Action.REJECT)],
    ]
