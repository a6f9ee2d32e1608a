"""Which leads another deadline or other required columns would have made late, and which would have gone sooner.

This follows from the arrivals that the ledger keeps, as `leadgate waits` counts them. If they do not say when all was
there that the other wait requires (a column that nobody waited for, a lead of an older ledger), two bounds follow from
when the lead was seen complete and from its present row. What follows from neither is counted as open.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf

from leadgate.backtest.verdicts import Evidence
from leadgate.config import WaitConfig
from leadgate.ledger.past_decisions import PastLead
from leadgate.model import Columns, Lead
from leadgate.policy.requirements import Requirements
from leadgate.waits import Came, Watch, complete_at, of_need, whole

_NEVER = datetime.max.replace(tzinfo=UTC)
_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class WaitChange:
    """Past leads counted by what another wait would have changed. `sooner` and `later`: by how many seconds."""

    late_before: int = 0
    newly_late: int = 0
    no_longer_late: int = 0
    sooner: list[int] = field(default_factory=list)
    later: list[int] = field(default_factory=list)
    sooner_unmeasured: int = 0
    later_unmeasured: int = 0
    open: int = 0
    """Leads of which history cannot tell whether they would have been late."""


class Rewait:
    """Counts what another wait would have changed for past leads."""

    def __init__(self, old: WaitConfig, new: WaitConfig, columns: Columns, watch: Watch, now: datetime) -> None:
        before, after = ({each.label() for each in wait.require} for wait in (old, new))
        self.change = WaitChange()
        self._more, self._fewer = bool(after - before), bool(before - after)
        self._old_deadline, self._new_deadline = old.deadline, new.deadline
        self._old, self._new = Requirements(old, columns), Requirements(new, columns)
        self._needs, self._old_needs = new.needs(), old.needs()
        self._is_watched = set(self._new.watched) <= set(self._old.watched)
        self.reads_lead = self._old.reads_lead or self._new.reads_lead
        """Whether the lead's own row is looked at."""
        self._watch, self._now = watch, now

    def add(self, evidence: Evidence) -> None:
        """Count one lead."""
        past, change = evidence.past, self.change
        change.late_before += past.late
        lead = evidence.lead or Lead(past.lead_id, past.quarantined_at)
        old_span, new_span = (wait.deadline(lead, evidence.enrichment) for wait in (self._old, self._new))
        deadline = new_span or self._new_deadline
        watched = self._watched(past)
        came = whole([of_need(need, watched) for need in self._needs]) if watched else self._bounds(evidence)
        in_time = came.in_time(deadline.total_seconds())
        if in_time is None:
            change.open += 1
            return
        change.newly_late += not in_time and not past.late
        change.no_longer_late += past.late and in_time
        due = self._watch.clock.due
        was_due = due(past.quarantined_at, old_span or self._old_deadline)
        went = was_due if past.late else past.arrived_at or past.decided_at
        if not in_time:
            self._moved(due(past.quarantined_at, deadline) - went)
        elif watched:
            # One that was complete at its first look by both waits goes when it went.
            was_there = came.missing < 0 and whole([of_need(need, watched) for need in self._old_needs]).missing < 0
            self._moved(timedelta() if was_there else self._goes_at(past) - went.replace(microsecond=0))
        elif not past.late:
            # Waiting for more or fewer columns moves a lead that stays in time: by how much is unknown.
            change.later_unmeasured += self._more and not self._fewer
            change.sooner_unmeasured += self._fewer and not self._more
        else:
            ran = self._watch.clock.ran(past.quarantined_at.timestamp(), went.timestamp())
            change.sooner_unmeasured += came.there < ran
            change.later_unmeasured += came.missing >= ran

    def _moved(self, span: timedelta) -> None:
        seconds = int(span.total_seconds())
        if seconds:
            (self.change.sooner if seconds < 0 else self.change.later).append(abs(seconds))

    def _goes_at(self, past: PastLead) -> datetime:
        """When a lead in time goes: at the look that finds everything, and not before its first look."""
        at = datetime.fromtimestamp(complete_at(self._needs, past.arrivals or {}) or 0, UTC)
        return max(at, (past.registered_at or at).replace(microsecond=0))

    def _watched(self, past: PastLead) -> dict[str, Came]:
        """When each column came that either wait requires; empty if the arrivals lack one of the new wait's."""
        arrivals = past.arrivals or {}
        if not self._is_watched or not arrivals.keys() >= set(self._new.watched):
            return {}
        _, until = self._watch.until(past.state, past.decided_at, past.absent_since)
        return self._watch.came(arrivals, self._old.watched, past.quarantined_at.timestamp(), until)

    def _bounds(self, evidence: Evidence) -> Came:
        """The bounds within which all that the new wait requires had come, for leads without its arrivals."""
        since = evidence.past.quarantined_at.timestamp()
        first, last = self._complete_between(evidence)
        ran = self._watch.clock.ran
        return Came(
            -1 if first == _ALWAYS else ran(since, first.timestamp()),
            inf if last == _NEVER else ran(since, last.timestamp()),
        )

    def _complete_between(self, evidence: Evidence) -> tuple[datetime, datetime]:
        """The instants after and by which the lead had all the columns the new wait requires."""
        past, row = evidence.past, evidence.enrichment
        first, last = _ALWAYS, _NEVER
        if not past.late:
            arrived = past.arrived_at or past.decided_at
            first = first if self._fewer else arrived
            last = last if self._more else arrived
        elif not self._fewer:
            first = past.decided_at
        if evidence.gone:
            return first, last
        lead = evidence.lead or Lead(past.lead_id, past.quarantined_at)
        if row is None or self._new.missing(lead, row):
            # It lacks them to this day, unless they were taken away again.
            return (first, last) if last < _NEVER else (self._now, last)
        seen = last if evidence.changed else min(last, past.decided_at)
        return first, min(seen, row.updated_at or seen)
