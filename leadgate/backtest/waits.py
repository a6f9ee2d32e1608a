"""The wait's side: with another deadline or other required columns, who would have been late, and who gone sooner.

The ledger keeps when a lead was first seen complete, not when each column arrived: so the instant at which it would
have been complete is known between two bounds, and what follows from neither of them is counted as open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from leadgate.backtest.past import Evidence
from leadgate.config import WaitConfig
from leadgate.ledger.source_health import Standstill
from leadgate.model import Columns, Lead
from leadgate.policy.requirements import Requirements

_NEVER = datetime.max.replace(tzinfo=UTC)
_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wait:
    """What leads wait for, and how long."""

    deadline: timedelta
    require: Sequence[str]


@dataclass(slots=True)
class WaitChange:
    """Past leads counted by what another wait would have changed. `sooner` and `later` hold the spans known."""

    old: Wait
    new: Wait
    late_before: int = 0
    newly_late: int = 0
    no_longer_late: int = 0
    sooner: list[timedelta] = field(default_factory=list)
    later: list[timedelta] = field(default_factory=list)
    sooner_unmeasured: int = 0
    later_unmeasured: int = 0
    open: int = 0
    """Leads of which history cannot tell whether they would have been late."""


class Rewait:
    """Counts what another wait would have changed for past leads."""

    def __init__(
        self, old: WaitConfig, new: WaitConfig, columns: Columns, standstills: Sequence[Standstill], now: datetime
    ) -> None:
        before, after = ([said.told() for said in wait.require] for wait in (old, new))
        self.change = WaitChange(Wait(old.deadline, before), Wait(new.deadline, after))
        self._more, self._fewer = bool(set(after) - set(before)), bool(set(before) - set(after))
        self._old, self._new = Requirements(old, columns), Requirements(new, columns)
        self.reads_lead = self._old.reads_lead or self._new.reads_lead
        """Whether the lead's own row is looked at."""
        self._standstills, self._now = standstills, now

    def add(self, evidence: Evidence) -> None:
        """Count one lead."""
        past, change = evidence.past, self.change
        change.late_before += past.late
        lead = evidence.lead or Lead(past.lead_id, past.quarantined_at)
        old_span, new_span = (wait.deadline(lead, evidence.enrichment) for wait in (self._old, self._new))
        due = self._due(past.quarantined_at, new_span or change.new.deadline)
        first, last = self._complete_between(evidence)
        if first < due < last:
            change.open += 1
            return
        late = last > due
        change.newly_late += late and not past.late
        change.no_longer_late += past.late and not late
        was_due = self._due(past.quarantined_at, old_span or change.old.deadline)
        went = was_due if past.late else past.arrived_at or past.decided_at
        if late:
            self._moved(due - went)
        elif not past.late:
            # Waiting for columns more, or fewer, moves what was in time and stays so: nobody knows how far.
            change.later_unmeasured += self._more and not self._fewer
            change.sooner_unmeasured += self._fewer and not self._more
        else:
            change.sooner_unmeasured += last < went
            change.later_unmeasured += first >= went

    def _moved(self, span: timedelta) -> None:
        if span < timedelta():
            self.change.sooner.append(-span)
        elif span:
            self.change.later.append(span)

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

    def _due(self, since: datetime, deadline: timedelta) -> datetime:
        """When a deadline passes: its clock stands still in standstills."""
        at, left = since, deadline
        try:
            for standstill in self._standstills:
                ended_at = standstill.ended_at or self._now
                if ended_at <= at:
                    continue
                runs = max(standstill.began_at - at, timedelta())
                if runs >= left:
                    break
                at, left = ended_at, left - runs
            return at + left
        except OverflowError:  # quarantined on the last day there is, as databases write "never"
            return _NEVER
