"""Which requests a decided lead needs: its route, chosen by what there is to write and whether to act."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Literal

from leadgate.delivery.exchange import Parcel
from leadgate.model import Attempt, Decided, LeadRequest

Mode = Literal["update_first", "combined", "separate"]


class Route(Enum):
    """A lead's way to LeadByte."""

    NOTHING = auto()
    """observed, waiting for a budget, hold or review with nothing to write: recorded, and no request is sent."""
    UPDATE = auto()
    """hold or review: the update alone."""
    UPDATE_AND_ACT = auto()
    """process or reject, combined: both in one PUT."""
    UPDATE_FIRST = auto()
    """process or reject: the update alone; where it was taken, both in one PUT."""
    UPDATE_THEN_ACT = auto()
    """process or reject, separate: the update by PUT, then the act by POST."""
    ACT = auto()
    """process or reject, and nothing to write: by POST."""
    EVIDENCE = auto()
    """process or reject, and an act may have been taken before: none is sent until there is evidence."""


_WITH_UPDATE = {
    "update_first": Route.UPDATE_FIRST,
    "combined": Route.UPDATE_AND_ACT,
    "separate": Route.UPDATE_THEN_ACT,
}


def route_of(lead: Decided, mode: Mode) -> Route:
    """Choose a lead's route from its verdict, what there is to write, and `delivery.mode`."""
    if lead.decision.observed or lead.again_at:
        return Route.NOTHING
    if not lead.decision.verdict.action:
        return Route.UPDATE if lead.update and not lead.is_written else Route.NOTHING
    if lead.claim.doubt_since:
        return Route.EVIDENCE
    return _WITH_UPDATE[mode] if lead.update else Route.ACT


def update_parcels(leads: Sequence[Decided], size: int, *, with_act: bool) -> list[Parcel]:
    """Gather leads into PUTs of up to `size`, with the act of each or without."""
    attempts = [_attempt(lead, lead.update, with_act=with_act) for lead in leads]
    return [Parcel(attempts[start : start + size]) for start in range(0, len(attempts), size)]


def act_parcels(leads: Sequence[Decided]) -> list[Parcel]:
    """Give each lead a POST of its own: one id a call is all that LeadByte documents."""
    return [Parcel([_attempt(lead, {}, with_act=True)]) for lead in leads]


def _attempt(lead: Decided, update: Mapping[str, Any], *, with_act: bool) -> Attempt:
    request = LeadRequest(lead.claim.lead_id, update, lead.decision.verdict.action if with_act else None)
    return Attempt(lead.claim, request, lead.decision, lead.payload_hash if update else None, see=lead.see)
