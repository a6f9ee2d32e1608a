"""Registering: every lead of the source gets an entry in the ledger; one that has one is left alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from leadgate.config import PipelineConfig
from leadgate.intake.forward import KEEP_EVERY, PAGE, advance, read_from
from leadgate.ledger import Ledger
from leadgate.ledger.absent import bring_back, read_withdrawn
from leadgate.ledger.pipelines import note_all_seen
from leadgate.ledger.source_progress import Mark, Relation, keep_mark, read_faults, read_mark
from leadgate.ledger.waiting import Registration, register
from leadgate.model import Fault, Faults, Lead
from leadgate.source import Source


@dataclass(frozen=True, slots=True)
class Registered:
    """How many leads are new, and what was wrong with rows of the source that could not be registered."""

    count: int
    faults: Faults
    is_whole: bool = False
    """Whether every lead of the source was gone through."""

    def then(self, later: "Registered") -> "Registered":
        """Give both as one; of the faults those of the later one alone if it has gone through everything."""
        faults = later.faults if later.is_whole else self.faults | later.faults
        return Registered(self.count + later.count, faults, later.is_whole)


def register_leads(source: Source, ledger: Ledger, config: PipelineConfig, *, now: datetime) -> Registered:
    """Register the leads that were written since the last time; the first time, every one.

    Faults are those of the last comparison of everything, and of the rows that are new.
    """
    return _together(register_pages(source, ledger, config, now=now))


def register_pages(source: Source, ledger: Ledger, config: PipelineConfig, *, now: datetime) -> Iterator[Registered]:
    """Do as `register_leads`, and say of each page at once how many are new; the faults come last."""
    mark = read_mark(ledger, Relation.LEADS)
    horizon = source.horizon()
    newest = source.newest_lead(now)
    latest_at = newest.latest_at if newest else None
    if mark is None:
        begun = advance(Mark(read_at=now), latest_at, horizon, now)
        yield from _compare_pages(source, ledger, begun, now=now)
        return
    since = read_from(mark, latest_at, config.source.overlap)
    pages = source.lead_pages.since(since, PAGE) if since else iter(())
    if pages is None:
        yield from _compare_pages(source, ledger, mark, now=now)
        return
    faults = Faults(*([newest.faults] if newest else []))
    for page in pages:
        registered = _take_in(ledger, page.leads)
        faults += Faults(page.faults, find_elsewhere(registered.elsewhere))
        yield Registered(registered.new, Faults())
    keep_mark(ledger, Relation.LEADS, advance(mark, latest_at, horizon, now))
    yield Registered(0, faults | mark.faults)


def compare_leads(source: Source, ledger: Ledger, mark: Mark, *, now: datetime, pages: int | None = None) -> Registered:
    """Go through every lead in order of id, or as many `pages` as are given; the next call goes on behind them."""
    return _together(_compare_pages(source, ledger, mark, now=now, pages=pages))


def _compare_pages(
    source: Source, ledger: Ledger, mark: Mark, *, now: datetime, pages: int | None = None
) -> Iterator[Registered]:
    rows, growing = (mark.compared_rows, Faults(mark.growing)) if mark.compared_to else (0, Faults())
    for number, page in enumerate(source.lead_pages.all(PAGE, after=mark.compared_to), 1):
        registered = _take_in(ledger, page.leads)
        rows += len(page.leads)
        growing += Faults(page.faults, find_elsewhere(registered.elsewhere))
        mark = replace(mark, compared_to=page.after, compared_rows=rows, growing=growing)
        if page.after and number % KEEP_EVERY == 0:
            keep_mark(ledger, Relation.LEADS, mark)
        yield Registered(registered.new, Faults())
        if number == pages and page.after:
            break
    else:
        note_all_seen(ledger)
        # Also where the rows that were left are gone by now.
        mark = replace(mark, compared_to=None, compared_at=now, compared_rows=rows, faults=growing, growing=Faults())
    keep_mark(ledger, Relation.LEADS, mark)
    yield Registered(0, mark.faults | mark.growing, is_whole=mark.compared_to is None)


def _together(pages: Iterable[Registered]) -> Registered:
    return reduce(Registered.then, pages, Registered(0, Faults()))


def _take_in(ledger: Ledger, leads: Sequence[Lead]) -> Registration:
    """Register leads, and let those wait again that were withdrawn; return how many are new."""
    now = ledger.now()
    if back := read_withdrawn(ledger, [lead.lead_id for lead in leads]):
        bring_back(ledger, back, now=now)
    return register(ledger, leads, now=now)


def mind_odd_ids(source: Source, ledger: Ledger) -> None:
    """Let a source know what earlier runs have seen of its ids; of enrichment that nobody has read, look."""
    source.mind_odd_ids(read_faults(ledger))
    if read_mark(ledger, Relation.ENRICHMENT) is None:
        source.odd_enrichment_ids()


def find_elsewhere(elsewhere: Mapping[str, str]) -> Faults:
    """Count the leads that another pipeline of the account has, and acts on."""
    faults = Faults()
    for lead_id, name in elsewhere.items():
        what = f"of leads that belong to the pipeline {name!r} of the same account, and are not registered twice"
        fault = Fault("source.leads", what, "Leave them out of one of the two.", holds_back=True)
        faults.add(fault, [lead_id])
    return faults
