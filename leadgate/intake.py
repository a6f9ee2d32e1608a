"""How leads come in: registering them, and looking whether their enrichment has arrived.

Completeness is read from the source each time, never inferred from an event. A deadline falls due only by a healthy
reading of the source that was taken after it: a source that is down or stale stops the clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadgate.config import WaitConfig
from leadgate.ledger import Ledger
from leadgate.ledger.keep import keep_reading
from leadgate.ledger.reads import read_waiting_page
from leadgate.model import Enrichment, Look, Reading, Waiting, fingerprint
from leadgate.source import Source

PAGE = 1000
"""Rows a statement reads or writes at most, so that memory stays flat however many leads wait."""


@dataclass(frozen=True, slots=True)
class Registered:
    """How many leads are new, and what was wrong with rows of the source that could not be registered."""

    count: int
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class Looked:
    """How many waiting leads became complete or late, and the reading of the source that says so."""

    arrived: int
    late: int
    reading: Reading


def register_leads(source: Source, ledger: Ledger, *, now: datetime) -> Registered:
    """Give every lead of the source an entry in the ledger; one that has one is left alone."""
    count, faults = 0, []
    for page in source.lead_pages(PAGE):
        count += ledger.register(page.leads, now=now)
        faults += page.faults
    return Registered(count, faults)


def look_for_arrivals(source: Source, ledger: Ledger, wait: WaitConfig, *, now: datetime) -> Looked:
    """Compare every waiting entry with the source, a page at a time, and make ready what is complete or late."""
    reading = source.reading(now, wait.source_fresh_within)
    keep_reading(ledger.engine, ledger.pipeline, reading)
    arrived = late = 0
    after = ""
    while page := read_waiting_page(ledger.engine, ledger.pipeline, after=after, limit=PAGE):
        after = page[-1].lead_id
        found = source.enrichments([entry.lead_id for entry in page])
        looks = [look for entry in page if (look := look_at(entry, found.get(entry.lead_id), wait, reading))]
        ledger.note_looks(looks, now=now)
        arrived += sum(look.due and not look.late for look in looks)
        late += sum(look.late for look in looks)
    return Looked(arrived, late, reading)


def look_at(entry: Waiting, enrichment: Enrichment | None, wait: WaitConfig, reading: Reading) -> Look | None:
    """Say what one look found for a waiting entry; None where nothing has changed since the last."""
    columns: Mapping[str, object] = enrichment.columns if enrichment else {}
    missing = enrichment.missing(wait.require) if enrichment else list(wait.require)
    data_hash = fingerprint(columns) if enrichment else None
    changed = data_hash != entry.data_hash
    # A late lead is held like any other, or it would be decided again at every look.
    if entry.held_until is not None and reading.read_at < entry.held_until and not changed:
        return None
    if not missing:
        return Look(entry.lead_id, missing, data_hash, due=True)
    # Not `quarantined_at + deadline`: databases write "never" as the last day there is.
    if reading.healthy and reading.read_at - entry.quarantined_at >= wait.deadline:
        return Look(entry.lead_id, missing, data_hash, due=True, late=True)
    if not changed and entry.missing is not None:
        return None
    return Look(entry.lead_id, missing, data_hash, due=False)
