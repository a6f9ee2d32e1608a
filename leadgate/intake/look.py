"""Looking: which waiting leads have become complete or late. The work grows with what arrives, not with what waits."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from leadgate.clock import CLOCKS_AGREE
from leadgate.config import PipelineConfig, WaitConfig
from leadgate.intake.again import Again
from leadgate.intake.forward import PAGE, advance, read_from
from leadgate.intake.looked import Looked
from leadgate.ledger import NOT_ASKED, Ledger
from leadgate.ledger.source_health import keep_reading, latest_late, newest_seen
from leadgate.ledger.source_progress import Mark, Relation, keep_mark, read_mark
from leadgate.ledger.waiting import (
    has_met,
    held_until,
    never_looked_at,
    note_changed,
    note_looks,
    read_no_longer_waiting,
    read_waiting,
    waiting_since,
)
from leadgate.model import (
    MANY_LATE,
    Arrivals,
    Enrichment,
    Faults,
    Fingerprint,
    Lead,
    Look,
    SourceReading,
    Waiting,
    note_arrivals,
)
from leadgate.policy.requirements import Requirements
from leadgate.source import Source


class Looker:
    """Compares waiting entries with the source, by one reading of it; only one that `records` writes to the ledger."""

    def __init__(
        self, source: Source, ledger: Ledger, config: PipelineConfig, now: datetime, *, records: bool = True
    ) -> None:
        self._source, self._ledger, self._config, self._now = source, ledger, config, now
        self._records = records
        self._has_met = False
        reading = read_trusted(source, ledger, config, now)
        clock_problem = ledger.clock_problem() if records else None
        if clock_problem and clock_problem is not NOT_ASKED:
            # Not kept: it would stand at an instant that may lie far ahead.
            reading = replace(reading, healthy=False, problem=reading.problem or clock_problem)
        elif records:
            keep_reading(ledger, reading)
        self.looked = Looked(reading, warnings=[reading.problem] if reading.problem else [])
        self._requirements = Requirements(config.wait, source.columns, config.without_values)
        self._by = int(now.timestamp())
        self._looked_before: int | None = None
        self.late_since: dict[timedelta | None, datetime] = {}
        """By a lead's own deadline, since when it must have waited to be late; empty where none can be."""
        if reading.healthy and clock_problem is None:
            self.late_since = late_by_deadline(ledger, config.wait, now)

    def follow(self, last_looked_at: datetime | None) -> None:
        """Take it that nothing had come by an instant that was not noted; None: nobody knows."""
        self._looked_before = None if last_looked_at is None else min(int(last_looked_at.timestamp()), self._by)

    def hand_over(self) -> Looked:
        """Give what was found since the last time."""
        found, self.looked = self.looked, Looked(self.looked.reading)
        return found

    def distrust(self, problem: str) -> None:
        """Let no lead become late by this reading, for a reason that came to light after it."""
        self.looked.reading = replace(self.looked.reading, healthy=False, problem=problem)
        self.looked.warnings.append(problem)
        self.late_since = {}
        if self._records:
            keep_reading(self._ledger, self.looked.reading)

    def look(self, pages: Iterable[Sequence[Waiting]]) -> None:
        """Look at pages of waiting entries, and record what was found."""
        for page in pages:
            arrivals: dict[str, Arrivals] = {}
            looks = [look for look in self.look_over(page, arrivals) if look]
            note_looks(self._ledger, looks, arrivals=arrivals, now=self._now)
            self.looked.seen += len(page)
            self.looked.arrived += sum(look.due and not look.late for look in looks)
            self.looked.late += sum(look.late for look in looks)

    def look_over(self, page: Sequence[Waiting], arrivals: dict[str, Arrivals] | None = None) -> list[Look | None]:
        """Say what there is to note of each of these entries; None where nothing has changed since the last look.

        When the data of the others came is put into `arrivals`.
        """
        arrivals = {} if arrivals is None else arrivals
        ids = [entry.lead_id for entry in page]
        found = self._source.enrichments(ids)
        leads = self._source.leads(ids) if self._requirements.reads_lead else {}
        self._has_met = self._has_met or bool(found)
        looks = [self._look_at(entry, leads.get(entry.lead_id), found.get(entry.lead_id), arrivals) for entry in page]
        if self._have_never_met(late := sum(bool(look and look.late) for look in looks)):
            self.distrust(
                f"source.enrichment: no lead has ever had a row in it, and {late} would be late. The two relations may "
                "write ids differently: `leadgate check` compares them. No lead becomes late until one has a row."
            )
            looks = [self._look_at(entry, leads.get(entry.lead_id), None, arrivals) for entry in page]
        waits = {entry.lead_id: _waits_for(entry, look) for entry, look in zip(page, looks, strict=True)}
        self._source.note_missing({lead_id: self._requirements.behind(missing) for lead_id, missing in waits.items()})
        return looks

    def _look_at(
        self, entry: Waiting, lead: Lead | None, enrichment: Enrichment | None, arrivals: dict[str, Arrivals]
    ) -> Look | None:
        lead = lead or Lead(entry.lead_id, entry.quarantined_at)
        missing = self._requirements.missing(lead, enrichment)
        deadline = self._requirements.deadline(lead, enrichment)
        late_since = self.late_since.get(deadline)
        look = look_at(entry, enrichment, missing, self._now, late_since, self._ledger.fingerprint, deadline)
        if look:
            arrivals[entry.lead_id] = self._note(entry.arrivals, lead, enrichment, missing)
        return look

    def _have_never_met(self, late: int) -> bool:
        """Whether many would be late, and nothing shows that the two relations are about the same leads."""
        if late < MANY_LATE or self._has_met:
            return False
        self._has_met = has_met(self._ledger)
        return not self._has_met

    def _note(
        self, before: Arrivals | None, lead: Lead, enrichment: Enrichment | None, missing: Sequence[str]
    ) -> Arrivals:
        present = self._requirements.present(lead, enrichment, missing)
        return note_arrivals(before, self._requirements.watched, present, after=self._looked_before, by=self._by)

    def faults(self) -> Faults:
        """What was found to be wrong with rows, of enrichment above all, by this reading and the looks so far."""
        return Faults(self.looked.reading.faults, self._source.faults())

    def note_later(self, ids: Sequence[str]) -> None:
        """Note what has arrived of those of the ids that were decided already, and count the settled ones of them."""
        known = read_no_longer_waiting(self._ledger, ids)
        ids = [entry.lead_id for entry in known]
        found = self._source.enrichments(ids) if ids else {}
        leads = self._source.leads(ids) if ids and self._requirements.reads_lead else {}
        changed = []
        for entry in known:
            if enrichment := found.get(entry.lead_id):
                data_hash = self._ledger.fingerprint(enrichment.columns)
                lead = leads.get(entry.lead_id) or Lead(entry.lead_id, self._now)
                missing = self._requirements.missing(lead, enrichment)
                arrivals = self._note(entry.arrivals, lead, enrichment, missing)
                is_another = entry.is_settled and data_hash != entry.data_hash
                self.looked.changed += is_another
                if is_another or arrivals != entry.arrivals:
                    changed.append(entry._replace(data_hash=data_hash, arrivals=arrivals))
        note_changed(self._ledger, changed)


def look_for_arrivals(
    source: Source, ledger: Ledger, config: PipelineConfig, *, now: datetime, again: Again | None = None
) -> Looked:
    """Make ready what has become complete or late: of entries that are new, had data written, or whose time is up.

    With `again`, parked leads that had data written are decided anew, as it says.
    """
    whole, *others = look_in_pages(source, ledger, config, now=now, again=again)
    for looked in others:
        whole.add(looked)
    return whole


def look_in_pages(
    source: Source, ledger: Ledger, config: PipelineConfig, *, now: datetime, again: Again | None = None
) -> Iterator[Looked]:
    """Do as `look_for_arrivals`, and say of each page of entries at once what was found."""
    horizon = source.horizon()
    looker = Looker(source, ledger, config, now)
    newest = looker.looked.reading.latest_at
    mark = read_mark(ledger, Relation.ENRICHMENT)
    _follow(looker, source, mark)
    seen = 0
    for page in never_looked_at(ledger, PAGE):
        looker.look([page])
        seen += len(page)
        yield looker.hand_over()
    if mark is None:
        mark = Mark(read_at=now, compared_at=now, compared_rows=seen, faults=looker.faults())
    else:
        for ids, is_news in _written(source, config, mark, newest):
            looker.looked.again += again.look(ids) if again else 0
            waiting = read_waiting(ledger, ids)
            looker.look([waiting])
            looker.note_later(list(is_news.difference(entry.lead_id for entry in waiting)))
            yield looker.hand_over()
    looker.look(held_until(ledger, now, PAGE))
    for deadline, since in looker.late_since.items():
        looker.look(waiting_since(ledger, since, PAGE, deadline=deadline))
    keep_mark(ledger, Relation.ENRICHMENT, advance(mark, newest, horizon, now))
    yield looker.hand_over()


def look_early(source: Source, ledger: Ledger, config: PipelineConfig, *, now: datetime) -> Looked:
    """Look at entries that are new while others are still being registered; which of them are late is seen later."""
    looker = Looker(source, ledger, config, now)
    _follow(looker, source, read_mark(ledger, Relation.ENRICHMENT))
    looker.late_since = {}
    looker.look(never_looked_at(ledger, PAGE))
    return looker.looked


def _follow(looker: Looker, source: Source, mark: Mark | None) -> None:
    if mark:
        looker.follow(mark.read_at if source.reads_forward() else mark.compared_at)


def read_trusted(source: Source, ledger: Ledger, config: PipelineConfig, now: datetime) -> SourceReading:
    """Read how the source is, and distrust one that has lost rows: nobody knows which."""
    reading = source.reading(now, config.wait.source_fresh_within)
    seen = newest_seen(ledger)
    newest = reading.newest_at
    if seen is None or seen > now + CLOCKS_AGREE or not reading.healthy or (newest is not None and newest >= seen):
        return reading
    problem = (
        f"source.enrichment: its newest row is of {newest}, and one of {seen} was seen before. Rows were removed, or "
        "the table was exchanged for a copy: no lead becomes late until there is a newer row."
    )
    return replace(reading, healthy=False, problem=problem)


def _written(
    source: Source, config: PipelineConfig, mark: Mark, newest: datetime | None
) -> Iterator[tuple[list[str], set[str]]]:
    """Ids whose enrichment was written since the mark, with the overlap; and those of them that lie past the mark."""
    since = read_from(mark, newest, config.source.overlap)
    for page in (source.changed(since, PAGE) or ()) if since else ():
        ids = list(dict.fromkeys(lead_id for lead_id, _ in page))
        news = {lead_id for lead_id, at in page if mark.position is not None and at > mark.position}
        yield ids, news


def late_by_deadline(ledger: Ledger, wait: WaitConfig, now: datetime) -> dict[timedelta | None, datetime]:
    """Tell for each deadline since when a lead must have waited to be late; without those by which none can be."""
    found = {own: latest_late(ledger, deadline=own or wait.deadline, now=now) for own in wait.spans}
    return {own: since for own, since in found.items() if since is not None}


def _waits_for(entry: Waiting, look: Look | None) -> Sequence[str]:
    """What an entry goes on waiting for; nothing where it is decided now."""
    if look is None:
        return entry.missing or ()
    return () if look.due else look.missing


def look_at(  # noqa: PLR0913, PLR0917
    entry: Waiting,
    enrichment: Enrichment | None,
    missing: Sequence[str],
    now: datetime,
    late_since: datetime | None,
    fingerprint: Fingerprint,
    deadline: timedelta | None = None,
) -> Look | None:
    """Say what one look found for a waiting entry; None where nothing has changed since the last.

    A lead that has waited since `late_since` or longer is late; where it is None, none is.
    """
    data_hash = fingerprint(enrichment.columns) if enrichment else None
    changed = data_hash != entry.data_hash
    # A late lead is held like any other, or it would be decided again at every look.
    if entry.held_until is not None and now < entry.held_until and not changed:
        return None
    if not missing:
        return Look(entry.lead_id, missing, data_hash, due=True, deadline=deadline)
    if late_since is not None and entry.quarantined_at <= late_since:
        return Look(entry.lead_id, missing, data_hash, due=True, late=True, deadline=deadline)
    known = entry.missing is not None and list(entry.missing) == list(missing) and entry.deadline == deadline
    if not changed and known and entry.held_until is None:
        return None
    return Look(entry.lead_id, missing, data_hash, due=False, deadline=deadline)
