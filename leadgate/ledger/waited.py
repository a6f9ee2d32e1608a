"""What the ledger knows of how long leads waited, for counting. Nothing here changes a row."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import DECISION, ENTRY, decisions, entries, stands_for
from leadgate.model import Arrivals

_PAGE = 5000


class WaitedLead(NamedTuple):
    """A lead; of its standing decision when it was made, and whether without all of the data."""

    lead_id: str
    quarantined_at: datetime
    deadline: int
    """Its own, in seconds; 0: the pipeline's."""
    state: str
    settled_at: datetime | None
    absent_since: datetime | None
    arrivals: Arrivals | None
    """None: it was not looked at since arrivals are kept."""
    decided_at: datetime | None
    decided_late: bool | None
    decided_by: str | None
    """The person whose word it follows."""
    rule: str | None


def read_waited(ledger: Ledger, since: datetime) -> Iterator[WaitedLead]:
    """The leads that were put into quarantine since an instant, a page of them in memory at once."""
    columns = (ENTRY[name] for name in WaitedLead._fields[:7])
    decided = (DECISION[name] for name in ("decided_at", "late", "decided_by", "rule"))
    query = (
        select(*columns, *decided)
        .select_from(entries.outerjoin(decisions, stands_for(ENTRY)))
        .where(ledger.mine, ENTRY.quarantined_at >= since)
        .order_by(ENTRY.lead_id)
        .limit(_PAGE)
    )
    after = ""
    while True:
        page = [WaitedLead(*row) for row in ledger.fetch_rows(query.where(ENTRY.lead_id > after))]
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].lead_id
