"""What came of intents: which leads may be sent, and what keeps the acts of others."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from leadgate.ledger.brakes import Admitted
from leadgate.model import Attempt


@dataclass(frozen=True, slots=True)
class Intended:
    """Which of the leads that were to be sent may be, and what keeps the acts of others."""

    held: AbstractSet[tuple[str, int]] = frozenset()
    """Their ids, each with the token under which this run holds it."""
    admitted: Admitted = field(default_factory=Admitted)
    over_budget: Mapping[str, datetime] = field(default_factory=dict)
    """Leads for whose act the budgets have no room, and when each is to be decided again."""

    @property
    def may_go(self) -> AbstractSet[str]:
        """The ids alone."""
        return {lead_id for lead_id, _ in self.held}

    def lets(self, attempt: Attempt) -> bool:
        """Whether an attempt may be sent: a run that was held up may have claimed its lead for a second time."""
        return (attempt.claim.lead_id, attempt.claim.token) in self.held
