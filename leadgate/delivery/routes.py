"""Which requests a decided lead needs: five routes, chosen by what there is to write and whether to act."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Literal

from leadgate.delivery.exchange import Batch
from leadgate.model import Attempt, Decided, LeadRequest


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
    attempts = [_attempt(lead, lead.update, with_act=with_act) for lead in leads]
    return [attempts[start : start + size] for start in range(0, len(attempts), size)]


def act_batches(leads: Sequence[Decided]) -> list[Batch]:
    """Give each lead a POST of its own: one id a call is all that LeadByte documents."""
    return [[_attempt(lead, {}, with_act=True)] for lead in leads]


def _attempt(lead: Decided, update: Mapping[str, Any], *, with_act: bool) -> Attempt:
    request = LeadRequest(lead.claim.lead_id, update, lead.decision.verdict.action if with_act else None)
    return Attempt(lead.claim, request, lead.decision, lead.payload_hash if update else None)
