"""What is still known of a lead that was decided: its present row, if that is the one of then, or the kept facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from leadgate.ledger.past_decisions import PastLead
from leadgate.model import Columns, Enrichment, Lead

Known = Literal["row", "facts", "changed", "gone"]
"""Whence the data: the row as it was, the facts kept with the decision, a row that has changed since, or nowhere."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A past lead with what the source says of it now."""

    past: PastLead
    lead: Lead | None
    enrichment: Enrichment | None
    data_hash: str | None
    """Of the enrichment as it is now."""

    @property
    def gone(self) -> bool:
        """Whether the source had enrichment for the lead and no longer has."""
        return self.enrichment is None and self.past.data_hash is not None

    @property
    def changed(self) -> bool:
        """Whether the source's enrichment is no longer the one that was seen."""
        return self.data_hash != self.past.data_hash

    def as_then(self, reads: Columns, columns: Columns) -> tuple[Known, Lead, Enrichment | None]:
        """Give the lead as near to what was decided as it can be had, for rules that read the columns `reads`."""
        past, facts = self.past, self.past.facts
        known: Known = "row"
        lead, enrichment = self.lead, self.enrichment
        if self.changed:
            known = "gone" if self.gone else "changed"
            if reads.enrichment.keys() <= facts.keys():
                known = "facts"
                enrichment = Enrichment(past.lead_id, None, _among(facts, reads.enrichment))
        if lead is None:
            lead = Lead(past.lead_id, past.quarantined_at, _among(facts, reads.lead))
            # A fact is the enrichment's column where both relations have one of its name.
            own = facts.keys() - columns.enrichment.keys()
            if not reads.lead.keys() <= own:
                known = "gone"
            elif reads.lead and known == "row":
                known = "facts"
        return known, lead, enrichment


def _among(facts: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in names if name in facts}
