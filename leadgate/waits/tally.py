"""Counting leads over a row of spans: how many of those that are old enough had something by then. Pure."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from leadgate.waits.complete import Came


@dataclass(frozen=True, slots=True)
class Point:
    """Of the leads that are as old as a `span` or older, how many had it by then, and how many had not.

    Of the others nobody can tell: a reading of the source after that span found it there, and the one before came too
    early, or there was none.
    """

    span: timedelta
    leads: int
    had: int
    had_not: int

    @property
    def unclear(self) -> int:
        """Of how many nobody can tell."""
        return self.leads - self.had - self.had_not

    @property
    def most(self) -> int:
        """How many had it at most."""
        return self.leads - self.had_not


class Tally:
    """Counts leads by where in a row of spans they came; its size does not grow with the leads."""

    def __init__(self, spans: Sequence[int]) -> None:
        self._spans = spans
        self._counts = Counter[tuple[int, int, int]]()

    def add(self, age: int, came: Came) -> None:
        """Count a lead that is so many seconds old."""
        there = bisect_left(self._spans, came.there)
        missing = min(there, bisect_right(self._spans, came.missing))
        self._counts[bisect_right(self._spans, age), missing, there] += 1

    def points(self) -> list[Point]:
        """Give what was counted, a point a span."""
        found = []
        for number, span in enumerate(self._spans):
            grown = {key: count for key, count in self._counts.items() if key[0] > number}
            had = sum(count for (_, _, there), count in grown.items() if there <= number)
            had_not = sum(count for (_, missing, _), count in grown.items() if missing > number)
            found.append(Point(timedelta(seconds=span), sum(grown.values()), had, had_not))
        return found
