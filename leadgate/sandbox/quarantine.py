"""The sandbox's quarantine: which lead is where, what was written onto it, and who acted on it how often.

Nothing here knows HTTP or faults. Every change is one step of the event loop, so no request sees half of another.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from leadgate.clock import Clock
from leadgate.model import Action


class LeadState(StrEnum):
    """Where the sandbox holds a lead. The first two are in quarantine, the others have left it."""

    QUARANTINED = "quarantined"
    QUEUED = "queued"
    """Acted on, and not carried out yet: still in quarantine for whoever updates it."""
    RELEASED = "released"
    REJECTED = "rejected"
    MOVED = "moved"
    """Taken out by someone else."""


_IN_QUARANTINE = frozenset({LeadState.QUARANTINED, LeadState.QUEUED})
_CARRIED_OUT = {Action.PROCESS: LeadState.RELEASED, Action.REJECT: LeadState.REJECTED}


@dataclass(slots=True)
class SandboxLead:
    """One lead: its state, the fields written, and the change of state that is to come."""

    lead_id: str
    state: LeadState = LeadState.QUARANTINED
    fields: dict[str, Any] = field(default_factory=dict)
    pending: tuple[datetime, LeadState] | None = None


class Act(NamedTuple):
    """One process or reject: accepted (queued), or tried on a lead that had already had an accepted one."""

    at: datetime
    action: Action
    accepted: bool
    request: int


class Quarantine:
    """Leads by id. Unless `strict`, an id that was never seen counts as quarantined on first sight."""

    def __init__(self, *, lag: timedelta, clock: Clock, strict: bool) -> None:
        """Start empty; an act is carried out `lag` after it was queued."""
        self._lag, self._clock, self._strict = lag, clock, strict
        self._leads: dict[str, SandboxLead] = {}
        self._acts: dict[str, list[Act]] = {}

    def clear(self) -> None:
        """Forget every lead and act."""
        self._leads.clear()
        self._acts.clear()

    def add(self, lead_ids: Iterable[str | int]) -> None:
        """Put new leads into quarantine; those already known stay as they are."""
        for lead_id in map(str, lead_ids):
            self._leads.setdefault(lead_id, SandboxLead(lead_id))

    def move(self, lead_ids: Iterable[str | int], to: LeadState, after: timedelta = timedelta()) -> None:
        """Let someone else move leads, now or after a while; the acts they have had stay on record."""
        self.add(lead_ids := list(lead_ids))
        for lead_id in map(str, lead_ids):
            lead = self._leads[lead_id]
            if after:
                _schedule(lead, self._clock() + after, to)
            else:
                lead.state, lead.pending = to, None

    def lead(self, lead_id: str | int) -> SandboxLead:
        """The lead as it stands now, wherever it is; KeyError if it was never seen."""
        lead = self._leads[str(lead_id)]
        if lead.pending and self._clock() >= lead.pending[0]:
            lead.state, lead.pending = lead.pending[1], None
        return lead

    def find(self, lead_id: str) -> SandboxLead | None:
        """The lead if it is in quarantine now, queued ones included."""
        if not self._strict:
            self.add([lead_id])
        lead = self.lead(lead_id) if lead_id in self._leads else None
        return lead if lead and lead.state in _IN_QUARANTINE else None

    def queue(self, lead: SandboxLead, action: Action, request: int) -> None:
        """Accept an act. What LeadByte does with a second one is undefined: here it is accepted, the first counts."""
        now = self._clock()
        self._acts.setdefault(lead.lead_id, []).append(Act(now, action, accepted=True, request=request))
        if lead.state is LeadState.QUARANTINED:
            lead.state = LeadState.QUEUED
            _schedule(lead, now + self._lag, _CARRIED_OUT[action])

    def note_attempt(self, lead_id: str, action: Action, request: int) -> None:
        """Put on record an act that was not accepted, if the lead has had an accepted one: it was sent twice."""
        if lead_id in self._acts:
            self._acts[lead_id].append(Act(self._clock(), action, accepted=False, request=request))

    @property
    def acts(self) -> Mapping[str, list[Act]]:
        """Every act so far by lead: a copy, safe to go through while requests are answered."""
        return {lead_id: list(acts) for lead_id, acts in self._acts.copy().items()}

    def acted_twice(self) -> list[str]:
        """The leads that were acted on more than once: what must never happen."""
        return sorted(lead_id for lead_id, acts in self.acts.items() if len(acts) > 1)

    def counts(self) -> dict[str, int]:
        """How many leads are in each state now."""
        counted = Counter(self.lead(lead_id).state for lead_id in list(self._leads))
        return {state.value: counted[state] for state in LeadState}


def _schedule(lead: SandboxLead, at: datetime, to: LeadState) -> None:
    """Let a lead change its state later; of two changes to come the earlier one takes it away."""
    lead.pending = min(lead.pending, (at, to)) if lead.pending else (at, to)
