"""Within which bounds a lead was complete, by what is known of when its data came. Pure.

A reading of the source shows what has come since the reading before, not when: so each arrival lies between two spans.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import NamedTuple

from leadgate.config import Need
from leadgate.model import Arrivals, State
from leadgate.waits.clock import DeadlineClock


class Came(NamedTuple):
    """Seconds on the clock of deadlines since the lead was put into quarantine.

    It was known to be missing when `missing` had passed (-1: it never was), and there when `there` had (inf: never).
    """

    missing: float
    there: float

    def in_time(self, deadline: float) -> bool | None:
        """Whether a lead that waits for it would not have become late; None if nobody can tell."""
        if self.there <= deadline:
            return True
        return False if self.missing >= deadline else None


NOBODY_KNOWS = Came(-1, inf)


@dataclass(frozen=True, slots=True)
class Watch:
    """How far a pipeline has watched its source, in seconds since 1970, and by which clock its deadlines go."""

    clock: DeadlineClock
    read_at: float
    sees_later: bool
    """Whether it is seen what comes for leads that are decided: the source's stamps can be compared."""

    def until(self, state: str, decided_at: datetime | None, absent_since: datetime | None) -> tuple[float, float]:
        """Give until when a lead was there to be watched, and until when nothing was missed that came for it."""
        there = absent_since.timestamp() if state == State.WITHDRAWN and absent_since else self.read_at
        if state == State.WAITING or self.sees_later or decided_at is None:
            return there, there
        return there, min(there, decided_at.timestamp())

    def came(self, arrivals: Arrivals, keys: Sequence[str], since: float, until: float) -> dict[str, Came]:
        """Say when each key came for a lead that was quarantined `since` an instant, and watched `until` one."""
        found, ran = {}, self.clock.ran
        for key in keys:
            arrived = arrivals.get(key, ())
            if arrived is None:
                found[key] = Came(ran(since, until), inf)
            elif arrived:
                after, by = arrived
                found[key] = Came(-1 if after is None else ran(since, after), ran(since, by))
            else:
                found[key] = NOBODY_KNOWS
        return found


def whole(came: Collection[Came]) -> Came:
    """When all of them were there."""
    return Came(max((each.missing for each in came), default=-1), max((each.there for each in came), default=0))


def of_need(need: Need, came: Mapping[str, Came]) -> Came:
    """When the first of its columns was there."""
    found = [came[key] for key in need.keys]
    return Came(min(each.missing for each in found), min(each.there for each in found))


def complete_at(needs: Sequence[Need], arrivals: Arrivals) -> int | None:
    """Give the reading that found everything there, in seconds since 1970; None where none did."""
    found = [[arrived[1] for key in need.keys if (arrived := arrivals.get(key))] for need in needs]
    return max(map(min, found)) if all(found) else None
