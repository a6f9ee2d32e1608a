"""The clock that deadlines go by: it stands still while the source is not healthy. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from leadgate.ledger.source_health import Standstill

_NEVER = datetime.max.replace(tzinfo=UTC)


class DeadlineClock:
    """Counts what runs between two instants, in a pipeline with these standstills; one that lasts does so until now."""

    def __init__(self, standstills: Sequence[Standstill], now: datetime) -> None:
        self._spans = [(each.began_at, each.ended_at or max(now, each.began_at)) for each in standstills]
        self._begins, self._ends, self._before = [0.0], [0.0], [0.0]
        for begins, ends in self._spans:
            stood = self._before[-1] + self._ends[-1] - self._begins[-1]
            self._begins.append(begins.timestamp())
            self._ends.append(ends.timestamp())
            self._before.append(stood)

    def ran(self, since: float, until: float) -> int:
        """Give the whole seconds that ran between two instants, in seconds since 1970; 0 if they are the other way."""
        return max(0, int(until - since - self._stood(until) + self._stood(since)))

    def _stood(self, until: float) -> float:
        """How long it had stood still by an instant."""
        last = max(0, bisect_left(self._begins, until) - 1)
        return self._before[last] + max(0.0, min(until, self._ends[last]) - self._begins[last])

    def due(self, since: datetime, deadline: timedelta) -> datetime:
        """Give the last instant by which no more than a deadline has run."""
        at, left = since, deadline
        try:
            for began_at, ended_at in self._spans:
                if ended_at <= at:
                    continue
                runs = max(began_at - at, timedelta())
                if runs > left:
                    break
                at, left = ended_at, left - runs
            return at + left
        except OverflowError:  # quarantined on the last day there is, as databases write "never"
            return _NEVER
