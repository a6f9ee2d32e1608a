"""The rules' side: every past lead decided anew, at the instant of its decision, and late if it was."""

import json
from collections import Counter
from collections.abc import Mapping
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
    """Rejects that went to a person because their run had made too many: they count as the rejects they were."""


class Rejudge:
    """Decides past leads by other rules; `texts` are those of the rules that decided them, by version."""

    def __init__(self, policy: Policy, columns: Columns, texts: Mapping[str, str]) -> None:
        self._policy, self._columns = policy, columns
        self._rejecting = {version: _rejecting(text) for version, text in texts.items()}
        self.verdicts = Verdicts()
        self.reviews = Reviews()

    def add(self, evidence: Evidence) -> None:
        """Decide one lead anew and count what came out."""
        past, found = evidence.past, self.verdicts
        old = past.verdict
        if old == Verdict.REVIEW and past.rule in self._rejecting.get(past.policy_version, ()):
            old = Verdict.REJECT.value
            found.capped += 1
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


def _rejecting(text: str) -> frozenset[str]:
    """The rules that can only reject: those with on_missing may send a lead to a person themselves."""
    rules = json.loads(text)["rules"]
    return frozenset(rule["name"] for rule in rules if rule["then"] == "reject" and rule["on_missing"] == "skip")
