"""Which requests a decided lead needs: five routes, chosen by what there is to write and whether to act."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Literal

from leadgate.delivery.exchange import Batch, Part
from leadgate.model import Decided, LeadRequest


class Route(Enum):
    """A lead's way to LeadByte."""

    NOTHING = auto()
    """hold or review, and nothing to write: the decision is recorded, no request is sent."""
    UPDATE = auto()
    """hold or review: the update alone."""
    UPDATE_AND_ACT = auto()
    """process or reject, combined: both in one PUT."""
    UPDATE_THEN_ACT = auto()
    """process or reject, separate: the update by PUT, then the act by POST."""
    ACT = auto()
    """process or reject, and nothing to write: by POST."""


def route_of(lead: Decided, mode: Literal["combined", "separate"]) -> Route:
    """Choose a lead's route from its verdict, what there is to write, and `delivery.mode`."""
    if not lead.decision.verdict.action:
        return Route.UPDATE if lead.update else Route.NOTHING
    if not lead.update:
        return Route.ACT
    return Route.UPDATE_AND_ACT if mode == "combined" else Route.UPDATE_THEN_ACT


def update_batches(leads: Sequence[Decided], size: int, *, with_act: bool) -> list[Batch]:
    """Gather leads into PUTs of up to `size`, with the act of each or without."""
    return [
        [_part(lead, _put(lead, with_act=with_act)) for lead in leads[start : start + size]]
        for start in range(0, len(leads), size)
    ]


def act_batches(leads: Sequence[Decided]) -> list[Batch]:
    """Give each lead a POST of its own: one id a call is all that LeadByte documents."""
    return [[_part(lead, LeadRequest(lead.claim.lead_id, action=lead.decision.verdict.action))] for lead in leads]


def _put(lead: Decided, *, with_act: bool) -> LeadRequest:
    return LeadRequest(lead.claim.lead_id, lead.update, lead.decision.verdict.action if with_act else None)


def _part(lead: Decided, request: LeadRequest) -> Part:
    return Part(lead.claim, request, request.kind, lead.payload_hash, lead.decision)
