"""What a decision goes by: the columns that rules, waits and `update` read, and whether their values changed. Pure.

A column that only says when a row was written is none of them: a new stamp alone changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from leadgate.config import SourceConfig
from leadgate.model import Decision, Enrichment, Fingerprint, Lead, Seen, Verdict
from leadgate.policy.deciding import Policy
from leadgate.policy.names import joined, spell
from leadgate.policy.requirements import Requirements
from leadgate.policy.writing import Update


class DataRead:
    """The columns that decisions of a pipeline go by; `fingerprint` makes the hash of their values."""

    def __init__(
        self,
        source: SourceConfig,
        policy: Policy,
        requirements: Requirements,
        update: Update,
        *,
        fingerprint: Fingerprint,
    ) -> None:
        stamps = {f"lead.{source.leads.updated_at}", f"enrichment.{source.enrichment.updated_at}"}
        names = {f"lead.{name}" for name in policy.reads.lead}
        names |= {f"enrichment.{name}" for name in policy.reads.enrichment}
        names |= {column.variable for column in (*requirements.columns, *update.columns)}
        self._columns = sorted(names - stamps)
        self._fingerprint = fingerprint

    def see(self, lead: Lead | None, enrichment: Enrichment | None) -> Seen:
        """Give what is read of a lead now; a row that is not there has no value."""
        return Seen(self._columns, self._hash(self._columns, lead, enrichment))

    def has_changed(self, seen: Seen, lead: Lead | None, enrichment: Enrichment | None) -> bool:
        """Whether a value of the columns that were read then is another one now."""
        return self._hash(seen.columns, lead, enrichment) != seen.data_hash

    def reads_others(self, seen: Seen) -> bool:
        """Whether other columns are read now than were then."""
        return list(seen.columns) != self._columns

    def ask_about_rows(self, decision: Decision, lead: Lead) -> Decision:
        """Let a person decide a lead on several rows that differ in what is read: nobody knows which one is right."""
        differing = [name for name in self._columns if name.startswith("lead.") and name[5:] in lead.differing]
        if not differing or decision.verdict is Verdict.REVIEW or decision.decided_by:
            return decision
        reason = (
            f"The lead has several rows in source.leads, which differ in {joined(map(spell, differing))}. "
            f"By the earliest it would be {decision.verdict}: {decision.reason}"
        )
        return replace(decision, verdict=Verdict.REVIEW, reason=reason)

    def _hash(self, columns: Sequence[str], lead: Lead | None, enrichment: Enrichment | None) -> str:
        return self._fingerprint({name: _value(name, lead, enrichment) for name in columns})


def _value(variable: str, lead: Lead | None, enrichment: Enrichment | None) -> Any:  # noqa: ANN401 - any column's
    relation, _, column = variable.partition(".")
    if relation == "lead" and lead and column in lead.differing:
        return lead.differing[column]
    row = lead if relation == "lead" else enrichment
    return row and row.to_write(column)
