"""What the rules have decided in the past, for trying other rules on it. Nothing here changes a row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, not_, select

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import DECISION, ENTRY, OVERRIDE, decisions, same_lead
from leadgate.model import Arrivals, Resolution, State

_PAGE = 1000
_OF_DECISION = ("decided_at", "policy_version", "verdict", "rule", "late", "facts", "capped")
_OF_ENTRY = (
    *("lead_id", "quarantined_at", "registered_at", "arrived_at", "data_hash"),
    *("state", "absent_since", "arrivals"),
)
_ACTS = (Resolution.PROCESS.value, Resolution.REJECT.value)
_UNDO = Resolution.UNDO.value


@dataclass(frozen=True, slots=True)
class PastLead:
    """A lead, and the last that the rules have decided of it."""

    lead_id: str
    quarantined_at: datetime
    arrived_at: datetime | None
    data_hash: str | None
    decided_at: datetime
    policy_version: str
    verdict: str
    rule: str | None
    late: bool
    facts: Mapping[str, Any]
    capped: bool = False
    """One act too many for the budgets: a person was asked about a reject, and what was to be processed waited."""
    override: str | None = None
    """The act that a person has decided on since; None where nobody has."""
    registered_at: datetime | None = None
    state: str = State.PROCESSED
    absent_since: datetime | None = None
    arrivals: Arrivals | None = None
    """When its data came; None: that was not kept."""


def read_decided(ledger: Ledger, since: datetime) -> Iterator[list[PastLead]]:
    """The leads the rules have decided since an instant, in pages by id, each with what a person then made of it.

    A decision that follows a person's word, or a pause, is not the rules': the last one before it counts.
    """
    after = ""
    by_rules = (DECISION.decided_at >= since, DECISION.decided_by.is_(None), not_(DECISION.paused))
    override = (
        select(func.nullif(OVERRIDE.verdict, _UNDO))
        .where(same_lead(OVERRIDE, DECISION), OVERRIDE.token > DECISION.token, OVERRIDE.verdict.in_((*_ACTS, _UNDO)))
        .order_by(OVERRIDE.token.desc())
        .limit(1)
        .correlate(decisions)
        .scalar_subquery()
    )
    while True:
        newest = (
            select(DECISION.lead_id, func.max(DECISION.token).label("token"))
            .where(DECISION.pipeline == ledger.pipeline, *by_rules, DECISION.lead_id > after)
            .group_by(DECISION.lead_id)
            .order_by(DECISION.lead_id)
            .limit(_PAGE)
            .subquery()
        )
        query = (
            select(*(ENTRY[name] for name in _OF_ENTRY))
            .add_columns(*(DECISION[name] for name in _OF_DECISION), override.label("override"))
            .join(decisions, same_lead(DECISION, ENTRY))
            .join(newest, and_(newest.c.lead_id == DECISION.lead_id, newest.c.token == DECISION.token))
            .where(ledger.mine)
            .order_by(ENTRY.lead_id)
        )
        page = [PastLead(**row._asdict()) for row in ledger.fetch_rows(query)]
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1].lead_id
