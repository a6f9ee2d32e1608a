"""Seven routes: which requests a decided lead needs."""

from dataclasses import replace
from typing import Any

import pytest

from leadgate.delivery.routes import Mode, Route, act_parcels, route_of, update_parcels
from leadgate.model import Action, Claim, Decided, LeadRequest, RequestKind, Verdict
from tests.delivery.world import NOON, POSTCODE, decision_of

MODES: tuple[Mode, ...] = ("update_first", "combined", "separate")


def decided(
    verdict: Verdict | str, update: dict[str, Any], lead_id: str = "17", *, is_written: bool = False
) -> Decided:
    """A claimed lead with this verdict and these fields to write."""
    claim = Claim(lead_id, 1, NOON, late=False, refusals=0, updated_hash=None)
    return Decided(claim, decision_of(verdict), update, "payload" if update else None, is_written=is_written)


ACT_ROUTES = [Route.UPDATE_FIRST, Route.UPDATE_AND_ACT, Route.UPDATE_THEN_ACT]


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize(
    ("verdict", "update", "routes"),
    [
        ("process", POSTCODE, ACT_ROUTES),
        ("reject", POSTCODE, ACT_ROUTES),
        ("process", {}, [Route.ACT] * 3),
        ("reject", {}, [Route.ACT] * 3),
        ("hold", {}, [Route.NOTHING] * 3),
        ("review", {}, [Route.NOTHING] * 3),
    ],
)
def test_a_route_follows_from_verdict_update_and_mode(
    verdict: str, update: dict[str, str], routes: list[Route], is_written: bool
) -> None:
    """The mode matters only where there is both something to write and an act; what was written goes with it again."""
    assert [route_of(decided(verdict, update, is_written=is_written), mode) for mode in MODES] == routes


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("verdict", ["hold", "review"])
def test_without_an_act_only_what_is_new_is_written(verdict: str, mode: Mode) -> None:
    """What LeadByte has taken before is not sent for nothing."""
    assert route_of(decided(verdict, POSTCODE), mode) is Route.UPDATE
    assert route_of(decided(verdict, POSTCODE, is_written=True), mode) is Route.NOTHING


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("update", [POSTCODE, {}])
def test_a_lead_that_may_have_been_acted_on_waits_for_evidence(update: dict[str, str], mode: Mode) -> None:
    """Whatever there is to write; it is written on as long as nothing is to be done."""

    def doubtful(verdict: str) -> Route:
        lead = decided(verdict, update)
        return route_of(replace(lead, claim=replace(lead.claim, doubt_since=NOON)), mode)

    assert {doubtful(verdict) for verdict in ("process", "reject")} == {Route.EVIDENCE}
    assert {doubtful(verdict) for verdict in ("hold", "review")} == {Route.UPDATE if update else Route.NOTHING}


def test_updates_go_in_batches() -> None:
    """In order, none left out, the last one shorter, and no control beside them."""
    leads = [decided("process", POSTCODE, str(n)) for n in range(1, 8)]
    parcels = update_parcels(leads, 3, with_act=True)
    assert [[part.request.lead_id for part in parcel.attempts] for parcel in parcels] == [
        ["1", "2", "3"],
        ["4", "5", "6"],
        ["7"],
    ]
    assert {part.kind for parcel in parcels for part in parcel.attempts} == {RequestKind.UPDATE_AND_ACT}
    assert [parcel.controls for parcel in parcels] == [()] * 3
    assert update_parcels([], 3, with_act=True) == []


@pytest.mark.parametrize("verdict", Verdict)
def test_an_update_without_its_act_carries_none(verdict: Verdict) -> None:
    """Whatever the verdict is."""
    (parcel,) = update_parcels([decided(verdict, POSTCODE)], 50, with_act=False)
    (part,) = parcel.attempts
    assert (part.request, part.payload_hash) == (LeadRequest("17", POSTCODE), "payload")


def test_acts_alone_go_one_by_one() -> None:
    """One id a call is all that LeadByte documents; what was to be written is not written by it."""
    parcels = act_parcels([decided("process", {}, "1"), decided("reject", POSTCODE, "2")])
    assert [[(part.request, part.payload_hash) for part in parcel.attempts] for parcel in parcels] == [
        [(LeadRequest("1", action=Action.PROCESS), None)],
        [(LeadRequest("2", action=Action.REJECT), None)],
    ]
