"""Leads in review or parked that are decided anew since what decisions go by has changed: the data, or the rules.

They wait as if they were new: the next look takes them up.
"""

from collections.abc import Iterator, Sequence

from leadgate.config import PipelineConfig
from leadgate.intake.forward import PAGE
from leadgate.ledger import Ledger
from leadgate.ledger.again import (
    all_parked,
    decide_parked_anew,
    decide_reviews_anew,
    note_seen,
    read_older,
    read_parked,
)
from leadgate.model import Enrichment, Lead, Parked, Seen
from leadgate.policy.data_read import DataRead
from leadgate.source import Source


class Again:
    """What `review.again` says, for one pipeline; `rules` is the version of its rules."""

    def __init__(self, config: PipelineConfig, source: Source, ledger: Ledger, read: DataRead, *, rules: str) -> None:
        self._source, self._ledger, self._read, self._rules = source, ledger, read, rules
        # While observing nobody is asked for a review, and none is taken from people.
        self._when = "never" if config.delivery.observe else config.review.again
        self._keeps = config.source.leads.left == "keep"

    def look(self, ids: Sequence[str]) -> int:
        """Let those of the ids be decided anew whose data has changed; return how many."""
        return 0 if self._when == "never" else self._look(read_parked(self._ledger, ids))

    def compare(self) -> tuple[int, int]:
        """Do so with every parked lead; return how many those are, and how many are decided anew."""
        rows = again = 0
        for page in all_parked(self._ledger, PAGE) if self._when != "never" else ():
            rows += len(page)
            again += self._look(page)
        return rows, again

    def follow_rules(self) -> int:
        """Let leads in review be decided anew that other rules decided, if the file says so; return how many."""
        if self._when != "on_change":
            return 0
        return decide_reviews_anew(self._ledger, rules=self._rules, now=self._ledger.now())

    def due(self) -> set[str]:
        """Find all that would be decided anew, and change nothing."""
        found = read_older(self._ledger, self._rules) if self._when == "on_change" else set()
        for page in all_parked(self._ledger, PAGE) if self._when != "never" else ():
            found.update(lead_id for lead_id, seen in self._changed(page) if seen is None)
        return found

    def _look(self, page: Sequence[Parked]) -> int:
        changed: list[str] = []
        others: dict[str, Seen] = {}
        for lead_id, seen in self._changed(page):
            if seen is None:
                changed.append(lead_id)
            else:
                others[lead_id] = seen
        note_seen(self._ledger, others)
        return decide_parked_anew(self._ledger, changed, now=self._ledger.now()) if changed else 0

    def _changed(self, page: Sequence[Parked]) -> Iterator[tuple[str, Seen | None]]:
        """Give the leads whose data has changed, each with None, and those to compare otherwise from now on, and how.

        Nothing is said of a lead without a row, or whose enrichment is gone: a table may have lost rows for a while.
        """
        ids = [parked.lead_id for parked in page]
        leads, enrichments = self._source.leads(ids), self._source.enrichments(ids)
        for parked in page:
            lead, enrichment = leads.get(parked.lead_id), enrichments.get(parked.lead_id)
            if (lead is None and not self._keeps) or (enrichment is None and parked.had_data):
                continue
            yield from self._compared(parked, lead, enrichment)

    def _compared(
        self, parked: Parked, lead: Lead | None, enrichment: Enrichment | None
    ) -> Iterator[tuple[str, Seen | None]]:
        if parked.seen and self._read.has_changed(parked.seen, lead, enrichment):
            yield parked.lead_id, None
        elif parked.seen is None or self._read.reads_others(parked.seen):
            yield parked.lead_id, self._read.see(lead, enrichment)
