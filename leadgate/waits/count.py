"""What the deadline and the required columns cost: every lead of a span of time, gone through once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadgate.config import Need, PipelineConfig, keys_of
from leadgate.ledger import Ledger
from leadgate.ledger.source_health import read_standstills
from leadgate.ledger.source_progress import Relation, read_mark
from leadgate.ledger.waited import WaitedLead, read_waited
from leadgate.model import Arrivals, State
from leadgate.sign_of_life import now_doing
from leadgate.waits.clock import DeadlineClock
from leadgate.waits.complete import Came, Watch, complete_at, of_need, whole
from leadgate.waits.tally import Point, Tally

_SAID_EVERY = 1000
_HOURS = (1 / 60, 1 / 12, 0.25, 0.5, 1, 2, 4, 6, 12, 24, 36, 48, 72, 120, 168, 336, 720)
_OTHERS = (0.25, 0.5, 0.75, 1, 1.5, 2, 3)
"""Other deadlines that are tried, as parts of the one there is."""
AFTER = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 168))
"""Where one count of data that came too late ends and the next begins."""


@dataclass(frozen=True, slots=True)
class Without:
    """What leaves a lead incomplete at its deadline: with `need` left out `point` counts who would have been in time.

    `alone` counts the leads that were late for it alone.
    """

    need: str
    point: Point
    alone: int


@dataclass(frozen=True, slots=True)
class Group:
    """The leads of one deadline: their arrivals, of everything that is required and by column, at the same spans."""

    deadline: timedelta
    is_own: bool
    """By a rule of wait.deadlines."""
    leads: int
    whole: Sequence[Point]
    columns: Mapping[str, Sequence[Point]]
    without: Sequence[Without]

    def others(self, curve: Sequence[Point]) -> list[Point]:
        """Of a curve, what other deadlines would have meant, and this one."""
        spans = _tried(int(self.deadline.total_seconds()))
        return [point for point in curve if int(point.span.total_seconds()) in spans]

    @property
    def now(self) -> Point:
        """What the deadline means that there is."""
        return next(point for point in self.whole if point.span == self.deadline)


@dataclass(slots=True)
class Regret:
    """Leads that a rule rejected as late, and those of them whose data came afterwards."""

    rejected: int = 0
    came: list[int] = field(default_factory=lambda: [0] * (len(AFTER) + 1))
    """By how long after: up to each span of AFTER, and longer."""
    unwatched: int = 0
    """Of which nobody can tell."""


@dataclass(frozen=True, slots=True)
class Waits:
    """What is known of the waits of the leads that were put into quarantine since an instant."""

    since: datetime
    leads: int
    unwatched: int
    """Leads of which no arrivals are kept: an older leadgate looked at them, or nobody yet. They count nowhere else."""
    sees_later: bool
    """Whether it is seen what comes for leads that are decided: the source's stamps can be compared."""
    groups: Sequence[Group]
    regret: Mapping[str | None, Regret]
    """By rule; None: no rule matched."""


def count_waits(ledger: Ledger, config: PipelineConfig, *, since: datetime, now: datetime) -> Waits:
    """Go through the leads that were put into quarantine since an instant; memory does not grow with them."""
    watch = read_watch(ledger, now)
    counting = _Counting(config, watch)
    now_doing("Reading the waits from the ledger")
    for lead in read_waited(ledger, since):
        counting.add(lead)
        if counting.leads % _SAID_EVERY == 0:
            now_doing(f"Counting how long leads waited: {counting.leads:,} done")
    groups = [group.result() for _, group in sorted(counting.groups.items())]
    return Waits(since, counting.leads, counting.unwatched, watch.sees_later, groups, counting.regret)


def read_watch(ledger: Ledger, now: datetime) -> Watch:
    """Find how far the source was watched."""
    mark = read_mark(ledger, Relation.ENRICHMENT)
    sees_later = bool(mark and mark.position)
    read_at = mark and (mark.read_at if sees_later else mark.compared_at)
    return Watch(DeadlineClock(read_standstills(ledger), now), read_at.timestamp() if read_at else 0.0, sees_later)


class _Counting:
    def __init__(self, config: PipelineConfig, watch: Watch) -> None:
        self._watch = watch
        self._needs = config.wait.needs(config.without_values)
        self._keys = keys_of(self._needs)
        self._deadline = int(config.wait.deadline.total_seconds())
        self.leads = self.unwatched = 0
        self.groups: dict[int, _Group] = {}
        self.regret: dict[str | None, Regret] = {}

    def add(self, lead: WaitedLead) -> None:
        self.leads += 1
        if lead.arrivals is None:
            self.unwatched += 1
            return
        since = lead.quarantined_at.timestamp()
        there, until = self._watch.until(lead.state, lead.decided_at, lead.absent_since)
        came = self._watch.came(lead.arrivals, self._keys, since, until)
        key = lead.deadline or self._deadline
        if key not in self.groups:
            self.groups[key] = _Group(key, self._needs, self._keys, is_own=key != self._deadline)
        self.groups[key].add(self._watch.clock.ran(since, there), came)
        if lead.state == State.REJECTED and lead.decided_late and lead.decided_by is None:
            self._regret(lead, lead.arrivals)

    def _regret(self, lead: WaitedLead, arrivals: Arrivals) -> None:
        regret = self.regret.setdefault(lead.rule, Regret())
        regret.rejected += 1
        came_at = complete_at(self._needs, arrivals)
        if came_at is None:
            # What is required now was not looked for, or nobody has looked since.
            asked = all(arrivals.keys() & need.keys for need in self._needs)
            regret.unwatched += not (asked and self._watch.sees_later)
            return
        assert lead.decided_at  # noqa: S101 - it was rejected
        assert lead.settled_at  # noqa: S101
        if came_at >= int(lead.decided_at.timestamp()):  # else it was late for something that is not required now
            after = came_at - lead.settled_at.timestamp()
            regret.came[sum(after > span.total_seconds() for span in AFTER)] += 1


class _Group:
    def __init__(self, deadline: int, needs: Sequence[Need], keys: Sequence[str], *, is_own: bool) -> None:
        self._deadline, self._needs, self._is_own = deadline, needs, is_own
        tried = _tried(deadline)
        spans = sorted(tried | {seconds for hours in _HOURS if (seconds := int(3600 * hours)) <= max(tried)})
        self._leads = 0
        self._whole = Tally(spans)
        self._columns = {key: Tally(spans) for key in keys}
        self._without = [Tally([deadline]) for _ in needs]
        self._alone = [0 for _ in needs]

    def add(self, age: int, came: dict[str, Came]) -> None:
        self._leads += 1
        needs = [of_need(need, came) for need in self._needs]
        complete = whole(needs)
        self._whole.add(age, complete)
        for key, tally in self._columns.items():
            tally.add(age, came[key])
        is_late = age >= self._deadline and complete.in_time(self._deadline) is False
        for number, tally in enumerate(self._without):
            others = whole([*needs[:number], *needs[number + 1 :]])
            tally.add(age, others)
            self._alone[number] += is_late and others.in_time(self._deadline) is True

    def result(self) -> Group:
        without = [
            Without(need.label, tally.points()[0], alone)
            for need, tally, alone in zip(self._needs, self._without, self._alone, strict=True)
        ]
        columns = {key: tally.points() for key, tally in self._columns.items()}
        deadline = timedelta(seconds=self._deadline)
        return Group(deadline, self._is_own, self._leads, self._whole.points(), columns, without)


def _tried(deadline: int) -> set[int]:
    """Give the spans of other deadlines, in seconds, and of the one there is."""
    return {max(1, int(part * deadline)) for part in _OTHERS}
