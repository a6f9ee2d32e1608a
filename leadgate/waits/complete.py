"""Within which bounds a lead was complete, by what is known of when its data came. Pure.

A reading of the source shows what has come since the reading before, not when: so each arrival lies between two spans.
"""

from collections.abc import Callable, Collection, Iterable
from math import inf
from typing import NamedTuple

from leadgate.config import Need
from leadgate.model import Arrivals


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


def came_when(
    arrivals: Arrivals, keys: Iterable[str], ran: Callable[[float], int], until: float
) -> dict[str, Came]:
    """Say of each key when it came; `ran` counts from quarantine to an instant, and nothing was missed `until` one."""
    found = {}
    for key in keys:
        arrived = arrivals.get(key, ())
        if arrived is None:
            found[key] = Came(ran(until), inf)
        elif arrived:
            after, by = arrived
            found[key] = Came(-1 if after is None else ran(after), ran(by))
        else:
            found[key] = NOBODY_KNOWS
    return found


def whole(came: Collection[Came]) -> Came:
    """When all of them were there."""
    return Came(max((each.missing for each in came), default=-1), max((each.there for each in came), default=0))


def of_need(need: Need, came: dict[str, Came]) -> Came:
    """When the first of its columns was there."""
    found = [came[key] for key in need.keys]
    return Came(min(each.missing for each in found), min(each.there for each in found))
