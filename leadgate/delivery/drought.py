"""What becomes of late leads once no lead is complete any more: rules reject none of them, a person decides.

A column that is named otherwise upstream, or a provider that gives nothing, looks from here as if every lead were late.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from leadgate.config import WaitConfig
from leadgate.ledger import Ledger
from leadgate.ledger.drought import read_drought
from leadgate.model import MANY_LATE, Action, Decided, Tally, Verdict
from leadgate.readable import instant

_HOW = "Look whether enrichment still comes as the file says: `leadgate check`."


class DroughtKeeper:
    """Takes late leads from the rules of one run, if many were late since the last complete one.

    That one lies further back than the longest deadline: till then the next may still come.
    """

    def __init__(self, wait: WaitConfig, ledger: Ledger, tally: Tally) -> None:
        self._longest = max(span or wait.deadline for span in wait.spans)
        self._ledger, self._tally = ledger, tally
        self._complete_at: datetime | None = None
        self._late: set[str] = set()
        """What this run has found itself, which need not be in the ledger yet."""

    def apply(self, leads: Sequence[Decided], *, now: datetime) -> list[Decided]:
        """Give leads as they were decided, those that rules would reject as late for review where that looks wrong."""
        by_rules = [lead for lead in leads if not lead.decision.decided_by]
        if any(not lead.decision.late for lead in by_rules):
            self._complete_at, self._late = now, set()
        late = {lead.claim.lead_id for lead in by_rules if lead.decision.verdict.action is Action.REJECT}
        if not late or self._complete_at == now:
            return list(leads)
        self._late |= late
        found = read_drought(self._ledger, now=now)
        complete_at = max(filter(None, (found.complete_at, self._complete_at)), default=None)
        many = len(self._late | found.late) >= MANY_LATE
        if not many or complete_at is None or now - complete_at <= self._longest:
            return list(leads)
        self._tally.capped += len(late)
        since = f"No lead has been complete since {instant(complete_at)}"
        self._tally.note(f"{since}: what rules reject as late goes to people. {_HOW}")
        return [_ask(lead, since) if lead.claim.lead_id in late else lead for lead in leads]


def _ask(lead: Decided, since: str) -> Decided:
    reason = f"{since}, and many were late: is the enrichment as the file says? Else: {lead.decision.reason}"
    return replace(lead, decision=replace(lead.decision, verdict=Verdict.REVIEW, reason=reason))
