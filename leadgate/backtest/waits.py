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

    def __init__(self, old: WaitConfig, new: WaitConfig, standstills: Sequence[Standstill], now: datetime) -> None:
        self.change = WaitChange(Wait(old.deadline, old.require), Wait(new.deadline, new.require))
        self._more = bool(set(new.require) - set(old.require))
        self._fewer = bool(set(old.require) - set(new.require))
        self._standstills, self._now = standstills, now

    def add(self, evidence: Evidence) -> None:
        """Count one lead."""
        past, change = evidence.past, self.change
        change.late_before += past.late
        due = self._due(past.quarantined_at, change.new.deadline)
        first, last = self._complete_between(evidence)
        if first < due < last:
            change.open += 1
            return
        late = last > due
        change.newly_late += late and not past.late
        change.no_longer_late += past.late and not late
        went = self._due(past.quarantined_at, change.old.deadline) if past.late else past.arrived_at or past.decided_at
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
        if row is None or row.missing(self.change.new.require):
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
