"""The same figures from what is true of a simulation, lead by lead and span by span, without a look into the ledger."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.waits.simulated import Simulation, TrueLead

AFTER = [timedelta(hours=hours) for hours in (1, 6, 24, 72, 168)]


class Known(NamedTuple):
    """Of a column: the last look that did not find it (None: there was none), and when it was there (None: never)."""

    missing_at: datetime | None
    seen_at: datetime | None


class BruteForce:
    """What runs could have known of each lead, and what follows from it."""

    def __init__(self, simulation: Simulation) -> None:
        self._looks, self._down = simulation.looks_at, simulation.standstills
        self._deadline = timedelta(hours=6)
        self.leads = [lead for lead in simulation.leads if lead.quarantined_at <= self._looks[-1]]

    def ran(self, since: datetime, until: datetime) -> timedelta:
        """How long the clock of deadlines ran."""
        stood = sum((max(timedelta(), min(until, b) - max(since, a)) for a, b in self._down), timedelta())
        return until - since - stood

    def column(self, lead: TrueLead, name: str) -> Known:
        """What looks found of a column."""
        first = bisect_left(self._looks, lead.quarantined_at)
        comes_at = lead.comes_at.get(name)
        seen = len(self._looks) if comes_at is None else max(first, bisect_left(self._looks, comes_at))
        if seen == first:  # by the stamp of its row, which is that of its newest column
            stamps = [at for at in lead.comes_at.values() if at <= self._looks[first]]
            return Known(None, max([*stamps, lead.quarantined_at]))
        return Known(self._looks[seen - 1], self._looks[seen] if seen < len(self._looks) else None)

    def whole(self, lead: TrueLead, *left_out: str) -> Known:
        """The same of all that is required."""
        mobile, score = self.column(lead, "mobile"), self.column(lead, "score")
        never = datetime.max.replace(tzinfo=lead.quarantined_at.tzinfo)
        ever = datetime.min.replace(tzinfo=lead.quarantined_at.tzinfo)
        needs = {
            "postcode": self.column(lead, "postcode"),
            "one of mobile, score": Known(
                min(mobile.missing_at or ever, score.missing_at or ever),
                min(mobile.seen_at or never, score.seen_at or never),
            ),
        }
        kept = [known for name, known in needs.items() if name not in left_out]
        missing_at = max(known.missing_at or ever for known in kept)
        seen_at = max(known.seen_at or never for known in kept)
        return Known(missing_at if missing_at > ever else None, seen_at if seen_at < never else None)

    def is_old(self, lead: TrueLead, span: timedelta) -> bool:
        """Whether the last look came so late."""
        return self.ran(lead.quarantined_at, self._looks[-1]) >= span

    def had(self, lead: TrueLead, known: Known, span: timedelta) -> bool | None:
        """Whether it was there by a span; None if nobody can tell."""
        if known.seen_at and self.ran(lead.quarantined_at, known.seen_at) <= span:
            return True
        missing = known.missing_at and self.ran(lead.quarantined_at, known.missing_at) >= span
        return False if missing else None

    def point(self, span: timedelta, what: str | None = None, *left_out: str) -> tuple[int, int, int]:
        """How many leads are old enough, how many of them had it, and how many had not; `what` is a column, or all."""
        found = Counter[bool | None]()
        for lead in self.leads:
            if self.is_old(lead, span):
                known = self.column(lead, what) if what else self.whole(lead, *left_out)
                found[self.had(lead, known, span)] += 1
        return found.total(), found[True], found[False]

    def alone(self, need: str) -> int:
        """How many leads were late for one thing alone."""
        span = self._deadline
        return sum(
            self.is_old(lead, span)
            and self.had(lead, self.whole(lead), span) is False
            and self.had(lead, self.whole(lead, need), span) is True
            for lead in self.leads
        )

    def late_at(self, lead: TrueLead) -> datetime | None:
        """The look that found a lead late: the first after its deadline, if it was not complete by then."""
        seen_at = self.whole(lead).seen_at
        first = bisect_left(self._looks, lead.quarantined_at)
        late = bisect_left(self._looks, self._deadline, first, key=lambda look: self.ran(lead.quarantined_at, look))
        late_at = self._looks[late] if late < len(self._looks) else None
        return late_at if late_at and (seen_at is None or seen_at > late_at) else None

    def regret(self) -> tuple[int, list[int]]:
        """How many leads were rejected as late, and by how long after the data of some of them came."""
        rejected, came = 0, [0] * (len(AFTER) + 1)
        for lead, late_at in self._late():
            rejected += 1
            if seen_at := self.whole(lead).seen_at:
                came[sum(seen_at - late_at > span for span in AFTER)] += 1
        return rejected, came

    def _late(self) -> Iterator[tuple[TrueLead, datetime]]:
        for lead in self.leads:
            if late_at := self.late_at(lead):
                yield lead, late_at

    def due(self, since: datetime, span: timedelta) -> datetime:
        """When a span has run: the last whole second by which no more has."""
        at = since + span
        while self.ran(since, at) < span:
            at += span - self.ran(since, at)
        for began_at, ended_at in self._down:
            if began_at <= at < ended_at:
                at = ended_at
        return at

    def rewait(self, deadline: timedelta, *left_out: str, mobile_only: bool = False) -> dict[str, Any]:
        """What another wait would have changed for the leads that were decided."""
        counts = Counter[str]()
        moved: list[float] = []
        for lead in self.leads:
            known, late_at = self.whole(lead), self.late_at(lead)
            if late_at is None and known.seen_at is None:
                continue  # it waits
            first = self._looks[bisect_left(self._looks, lead.quarantined_at)]
            new = self.column(lead, "mobile") if mobile_only else self.whole(lead, *left_out)
            in_time = self.had(lead, new, deadline)
            counts["late_before"] += late_at is not None
            if in_time is None:
                counts["open"] += 1
                continue
            counts["newly_late"] += not in_time and late_at is None
            counts["no_longer_late"] += in_time and late_at is not None
            went = self.due(lead.quarantined_at, self._deadline) if late_at else max(first, known.seen_at or first)
            goes = max(first, new.seen_at or first) if in_time else self.due(lead.quarantined_at, deadline)
            moved.append((goes - went).total_seconds())
        sooner = sorted(-each for each in moved if each < 0)
        return {**counts, "sooner": sooner, "later": sorted(each for each in moved if each > 0)}
