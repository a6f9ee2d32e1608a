"""The people's side: what other rules would have said of leads that the rules sent to a person, who then decided."""

from dataclasses import dataclass, field

from leadgate.backtest.past import Known
from leadgate.ledger.past_decisions import PastLead
from leadgate.model import Decision, Verdict


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A lead that other rules would not have decided as the person did. `known`: as for a flip."""

    lead_id: str
    person: str
    new: str
    new_rule: str | None
    reason: str
    known: Known


@dataclass(slots=True)
class Reviews:
    """Leads that a person decided, by what other rules would have made of them when they went to the person."""

    as_people: int = 0
    otherwise: list[Otherwise] = field(default_factory=list)
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

    def add(self, past: PastLead, known: Known, decision: Decision | None) -> None:
        """Count one lead if its last decision sent it to a person who decided; None where it could not be decided."""
        if past.verdict != Verdict.REVIEW or past.override is None:
            return
        self.changed += known == "changed"
        if decision is None:
            self.undecided += 1
        elif decision.verdict is Verdict.REVIEW:
            self.review += 1
        elif decision.verdict == past.override:
            self.as_people += 1
        else:
            new = decision.verdict.value
            told = Otherwise(past.lead_id, past.override, new, decision.rule, decision.reason, known)
            self.otherwise.append(told)
