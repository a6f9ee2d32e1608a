"""Past leads decided anew: what is still known of each, what other rules decide, and what people had decided."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from leadgate.ledger.past_decisions import PastLead
from leadgate.model import Columns, Decision, Enrichment, Lead, Verdict
from leadgate.policy.deciding import Policy

Known = Literal["row", "facts", "changed", "gone"]
"""Where the data is from: the row as it was, the facts kept with the decision, a row changed since, or nowhere."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A past lead with what the source has of it now."""

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
        """Give the lead as close to the data of its decision as possible, for rules that read the columns `reads`."""
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
            # A fact is the enrichment's column if both relations have one of its name.
            if not reads.lead.keys() <= facts.keys() - columns.enrichment.keys():
                known = "gone"
            elif reads.lead and known == "row":
                known = "facts"
        return known, lead, enrichment


@dataclass(frozen=True, slots=True)
class Flip:
    """A lead that the new rules decide in another way than a rule (`old_rule`; None: no rule matched) or a person."""

    lead_id: str
    old: str
    old_rule: str | None
    new: str
    new_rule: str | None
    reason: str
    known: Known


@dataclass(slots=True)
class Verdicts:
    """Past leads by verdict, as the rules decided them and as the new rules would have."""

    old: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    flips: list[Flip] = field(default_factory=list)
    known: Counter[Known] = field(default_factory=Counter)
    capped: int = 0
    """Rejects that went to a person because rules had made too many: they count as the rejects they were."""


@dataclass(slots=True)
class Reviews:
    """Leads in review that a person decided, by what the new rules would have decided when they went to the person."""

    as_people: int = 0
    otherwise: list[Flip] = field(default_factory=list)
    """`old` is what the person decided."""
    review: int = 0
    """Those that would have gone to a person all the same."""
    undecided: int = 0
    """Those of which too little is known."""
    changed: int = 0
    """Those of all these that were decided by a row that has changed since."""

    @property
    def leads(self) -> int:
        """How many a person decided."""
        return self.as_people + len(self.otherwise) + self.review + self.undecided


class Rejudge:
    """Decides past leads by other rules, at the instant of their decision, and late if they were late then."""

    def __init__(self, policy: Policy, columns: Columns) -> None:
        self._policy, self._columns = policy, columns
        self.verdicts = Verdicts()
        self.reviews = Reviews()

    def add(self, evidence: Evidence) -> None:
        """Decide one lead anew and count the result."""
        past, verdicts = evidence.past, self.verdicts
        old = past.verdict
        if past.capped:
            is_reject = past.verdict == Verdict.REVIEW
            old = (Verdict.REJECT if is_reject else Verdict.PROCESS).value
            verdicts.capped += is_reject
        verdicts.old[old] += 1
        known, lead, enrichment = evidence.as_then(self._policy.reads, self._columns)
        verdicts.known[known] += 1
        decision = None
        if known != "gone":
            decision = self._policy.decide(lead, enrichment, late=past.late, now=past.decided_at)
            verdicts.new[decision.verdict.value] += 1
            if decision.verdict != old:
                verdicts.flips.append(_flip(past, old, past.rule, decision, known))
        if past.verdict == Verdict.REVIEW and past.override is not None:
            self._compare(past, past.override, decision, known)

    def _compare(self, past: PastLead, person: str, decision: Decision | None, known: Known) -> None:
        """Count a review by whether the new rules decide it as the person did."""
        reviews = self.reviews
        reviews.changed += known == "changed"
        if decision is None:
            reviews.undecided += 1
        elif decision.verdict is Verdict.REVIEW:
            reviews.review += 1
        elif decision.verdict == person:
            reviews.as_people += 1
        else:
            reviews.otherwise.append(_flip(past, person, None, decision, known))


def _flip(past: PastLead, old: str, old_rule: str | None, decision: Decision, known: Known) -> Flip:
    return Flip(past.lead_id, old, old_rule, decision.verdict.value, decision.rule, decision.reason, known)


def _among(facts: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in names if name in facts}
