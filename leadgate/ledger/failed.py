"""Parked leads: which, since when, and why (in LeadByte's words if it gave any). Nothing here changes a row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import ENTRY, in_state
from leadgate.model import State


@dataclass(frozen=True, slots=True)
class Failed:
    """A parked lead, since when it is, and why: LeadByte's words where it had some."""

    lead_id: str
    since: datetime
    note: str


def read_failed(ledger: Ledger) -> list[Failed]:
    """Every parked lead, the longest parked first."""
    query = select(ENTRY.lead_id, ENTRY.written_at, ENTRY.registered_at, ENTRY.note)
    query = query.where(ledger.mine, in_state(State.FAILED))
    rows = ledger.fetch_rows(query)
    parked = [Failed(row.lead_id, row.written_at or row.registered_at, row.note or "") for row in rows]
    return sorted(parked, key=lambda lead: (lead.since, lead.lead_id))


def count_failed(ledger: Ledger) -> int:
    """How many leads are parked; the cost grows with them, and not with the ledger."""
    return ledger.fetch_value(select(func.count()).where(ledger.mine, in_state(State.FAILED))) or 0


def count_by_words(found: Sequence[Failed]) -> dict[str, int]:
    """Count parked leads by the reason why, the most frequent first; `{id}` stands for a lead's id."""
    return dict(Counter(lead.note.replace(lead.lead_id, "{id}") for lead in found).most_common())
