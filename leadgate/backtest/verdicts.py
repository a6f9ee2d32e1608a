"""The rules' side: every past lead decided anew, at the instant of its decision, and late if it was."""

from collections import Counter
from dataclasses import dataclass, field

from leadgate.backtest.past import Evidence, Known
from leadgate.backtest.reviews import Reviews
from leadgate.model import Columns, Verdict
from leadgate.policy.deciding import Policy


@dataclass(frozen=True, slots=True)
class Flip:
    """A lead whose verdict would have been another. `known`: the row as it was, kept facts, or a row changed since."""

    lead_id: str
    old: str
    old_rule: str | None
    new: str
    new_rule: str | None
    reason: str
    known: Known


@dataclass(slots=True)
class Verdicts:
    """Past leads by verdict, as the rules decided them and as others would have."""

    old: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    flips: list[Flip] = field(default_factory=list)
    known: Counter[Known] = field(default_factory=Counter)
    capped: int = 0
    """Rejects that went to a person because rules had made too many: they count as the rejects they were."""


class Rejudge:
    """Decides past leads by other rules."""

    def __init__(self, policy: Policy, columns: Columns) -> None:
        self._policy, self._columns = policy, columns
        self.verdicts = Verdicts()
        self.reviews = Reviews()

    def add(self, evidence: Evidence) -> None:
        """Decide one lead anew and count what came out."""
        past, found = evidence.past, self.verdicts
        old = past.verdict
        if past.capped:
            is_reject = past.verdict == Verdict.REVIEW
            old = (Verdict.REJECT if is_reject else Verdict.PROCESS).value
            found.capped += is_reject
        found.old[old] += 1
        known, lead, enrichment = evidence.as_then(self._policy.reads, self._columns)
        found.known[known] += 1
        if known == "gone":
            self.reviews.add(past, known, None)
            return
        decision = self._policy.decide(lead, enrichment, late=past.late, now=past.decided_at)
        self.reviews.add(past, known, decision)
        new = decision.verdict.value
        found.new[new] += 1
        if new != old:
            found.flips.append(Flip(past.lead_id, old, past.rule, new, decision.rule, decision.reason, known))
