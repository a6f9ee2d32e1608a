"""Whether leads still become complete: that none does any more is how a fault of the enrichment looks from here."""

from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from sqlalchemy import exists, select

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import DECISION, ENTRY, in_state
from leadgate.model import State

_NEWEST = 100
"""Decisions; one lead may have several of them."""


@dataclass(frozen=True, slots=True)
class Drought:
    """The leads that were late by the newest decisions of rules, and when the last complete one was decided."""

    late: frozenset[str]
    complete_at: datetime | None
    """None: never."""


def read_drought(ledger: Ledger, *, now: datetime) -> Drought:
    """Read which leads were late since the last complete one, of the last hundred decisions; none if one is due now."""
    by_rules = (DECISION.pipeline == ledger.pipeline, DECISION.decided_by.is_(None))
    newest = select(DECISION.lead_id, DECISION.late).where(*by_rules).order_by(DECISION.decided_at.desc())
    is_due = exists().where(ledger.mine, in_state(State.READY), ENTRY.due_at <= now, ~ENTRY.late)
    complete = select(DECISION.decided_at).where(*by_rules, ~DECISION.late).order_by(DECISION.decided_at.desc())
    with ledger.reading() as connection:
        if connection.scalar(select(is_due)):
            return Drought(frozenset(), now)
        rows = connection.execute(newest.limit(_NEWEST)).all()
        late = frozenset(row.lead_id for row in takewhile(lambda row: row.late, rows))
        return Drought(late, connection.scalar(complete.limit(1)))
