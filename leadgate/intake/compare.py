"""The slow comparison of everything: what makes it true that no lead is missed, whatever reading forward cannot see.

It runs when its time has come, a page at a time, and goes on where it was broken off. What is small is compared in
every run, so that a row with an odd stamp is taken up at once where that costs nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from leadgate.config import PipelineConfig
from leadgate.intake.again import Again
from leadgate.intake.forward import KEEP_EVERY, PAGE
from leadgate.intake.look import Looker
from leadgate.intake.looked import Looked
from leadgate.intake.register import Registered, compare_leads
from leadgate.ledger import Ledger
from leadgate.ledger.absent import note_presence, open_ids, withdraw
from leadgate.ledger.source_progress import Mark, Relation, keep_mark, read_mark
from leadgate.ledger.waiting import all_waiting, never_looked_at
from leadgate.model import Faults
from leadgate.source import Source

_SMALL = 10_000


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found that reading forward had not; each None where it was not due."""

    registered: Registered | None
    looked: Looked | None
    withdrawn: int = 0
    """Leads whose row has left the source."""


def compare_all(  # noqa: PLR0913
    source: Source,
    ledger: Ledger,
    config: PipelineConfig,
    *,
    now: datetime,
    begun_at: datetime | None = None,
    pages: int | None = None,
    again: Again | None = None,
) -> Compared:
    """Compare all leads and all waiting entries with the source, where that is due.

    For a run that has `begun_at` some time, what is small is due too, unless that run has gone through it already.
    With `pages`, only so many pages of each: to be called again and again. With `again`, parked leads whose data has
    changed are decided anew.
    """
    registered = looker = None
    mark = read_mark(ledger, Relation.LEADS)
    if mark and _is_due(mark, config, now, begun_at):
        registered = compare_leads(source, ledger, mark, now=now, pages=pages)
    if registered and registered.count:
        looker = Looker(source, ledger, config, now)
        looker.look(never_looked_at(ledger, PAGE))
    mark = read_mark(ledger, Relation.ENRICHMENT)
    if mark and (_is_due(mark, config, now, begun_at) or not source.reads_forward()):
        looker = looker or Looker(source, ledger, config, now)
        _compare_waiting(looker, source, ledger, mark, pages, again)
    withdrawn = 0
    if registered and registered.is_whole and config.source.leads.left != "keep":
        looker = looker or Looker(source, ledger, config, now)
        withdrawn = _compare_presence(looker, source, ledger, config)
    return Compared(registered, looker.looked if looker else None, withdrawn)


def _compare_presence(looker: Looker, source: Source, ledger: Ledger, config: PipelineConfig) -> int:
    """Look which open leads have no row any more, by a source that is healthy; return how many were withdrawn."""
    reading = looker.looked.reading
    if not reading.healthy:
        return 0
    for ids in open_ids(ledger, PAGE):
        present = source.present(ids)
        note_presence(
            ledger,
            present=[lead_id for lead_id in ids if lead_id in present],
            absent=[lead_id for lead_id in ids if lead_id not in present],
            now=reading.read_at,
        )
    left: Literal["withdraw", "review"] = "review" if config.source.leads.left == "review" else "withdraw"
    found = withdraw(ledger, left=left, now=reading.read_at)
    if found.missing:
        looker.distrust(
            f"source.leads: {found.missing} of {found.of} open leads have no row any more. So many at once are not "
            "withdrawn: the table has lost rows, or is another one. No lead becomes late meanwhile."
        )
    return found.leads


def _is_due(mark: Mark, config: PipelineConfig, now: datetime, begun_at: datetime | None) -> bool:
    if mark.compared_at is None or mark.compared_to is not None:
        return True
    begins_run = begun_at is not None and mark.compared_at < begun_at
    return now - mark.compared_at >= config.source.compare_every or (begins_run and mark.compared_rows <= _SMALL)


def _compare_waiting(  # noqa: PLR0913, PLR0917
    looker: Looker, source: Source, ledger: Ledger, mark: Mark, pages: int | None, again: Again | None
) -> None:
    rows, before = (mark.compared_rows, mark.growing) if mark.compared_to else (0, Faults())
    if not mark.compared_to:
        source.odd_enrichment_ids()
    looker.follow(mark.compared_at)
    for number, page in enumerate(all_waiting(ledger, PAGE, after=mark.compared_to or ""), 1):
        looker.look([page])
        rows += len(page)
        mark = replace(mark, compared_to=page[-1].lead_id, compared_rows=rows)
        if number == pages or number % KEEP_EVERY == 0:
            mark = replace(mark, growing=before | looker.faults())
        if number == pages:
            break
        if number % KEEP_EVERY == 0:
            keep_mark(ledger, Relation.ENRICHMENT, mark)
    else:
        parked, looker.looked.again = again.compare() if again else (0, 0)
        looker.look(never_looked_at(ledger, PAGE) if looker.looked.again else ())
        rows += parked
        mark = replace(mark, compared_to=None, compared_at=looker.looked.reading.read_at, compared_rows=rows)
        mark = replace(mark, faults=before | looker.faults(), growing=Faults())
    keep_mark(ledger, Relation.ENRICHMENT, mark)
