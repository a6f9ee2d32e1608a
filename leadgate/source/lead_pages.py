"""Every lead of the source in pages, and what is wrong with rows among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from leadgate.model import Fault, Faults, Lead
from leadgate.source.faults import odd_ids, written_like
from leadgate.source.ids import bound_value, cursor_at, cursor_of, id_text
from leadgate.source.rows import Rows

SAY_HOW = (
    'say under `types:` how it is written, such as `{timestamp: "%d/%m/%Y %H:%M"}`, or let a `query:` give it as '
    "2026-03-01 12:00:00."
)
_EARLIEST = "The one of the earliest `{}` counts; where they differ in what is read, a person decides the lead."
_NO_IDS = "blank, longer than 200 characters, or with a NUL or bytes that are not UTF-8 in them"


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Some of the leads, and what is wrong with rows among them.

    The leads carry their id and `quarantined_at` alone: a page of those needs no more than an index.
    """

    leads: list[Lead]
    faults: Faults
    after: str | None = None
    """Where to go on, in order of id; None at the end, and where a page is not of that order."""


class LeadPages:
    """The relation `source.leads`, read page by page."""

    def __init__(self, rows: Rows, quarantined_at: str) -> None:
        self._rows = rows
        self._at = quarantined_at

    def all(self, size: int = 1000, *, after: str | None = None) -> Iterator[LeadPage]:
        """Every lead in order of id, from `after` on, at most `size` rows in memory."""
        leads = self._rows.relation
        faults = Faults() if after else self._null_ids()
        while True:
            statement = select(leads.id_value, leads.value(self._at)).where(leads.id.is_not(None))
            if after is not None:
                last = bound_value(cursor_at(leads.id_kind, after), leads.id_kind.value)
                statement = statement.where(leads.id > last)
            rows = self._rows.fetch(statement.order_by(leads.id).limit(size + 1))
            more = len(rows) > size
            if more:
                rows = _whole_ids(rows)
            after = cursor_of(rows[-1][0]) if more else None
            page = self.page(rows)
            if page.leads or page.faults or faults:
                yield LeadPage(page.leads, Faults(faults, page.faults), after)
            faults = Faults()
            if not more:
                return

    def since(self, instant: datetime, size: int) -> Iterator[LeadPage] | None:
        """The leads written since an instant, as their stamp says; None where it cannot be read forward."""
        found = self._rows.written_since(instant, size, columns=[self._at])
        return None if found is None else (self.page([(row[0], row[2]) for row in rows]) for rows in found)

    def _null_ids(self) -> Faults:
        """Count the rows that have no id, and say when they were quarantined: there is nothing else to know them by."""
        leads = self._rows.relation
        at = leads.rows.c[self._at]
        statement = select(func.count(), func.min(at), func.max(at)).select_from(leads.rows).where(leads.id.is_(None))
        ((count, first, last),) = self._rows.fetch(statement)
        faults = Faults()
        if not count:
            return faults
        spans = [self._rows.instant(value, self._at) for value in (first, last)]
        when = f", quarantined from {spans[0]} to {spans[1]}" if all(spans) else ""
        fault = Fault(leads.where, f"without `{leads.place.config.id}`", "Give them one.", holds_back=True)
        faults.add(fault, rows=count, detail=when)
        return faults

    def page(self, rows: Sequence[Sequence[Any]]) -> LeadPage:
        """The leads of some rows, each a raw id and a raw `quarantined_at`."""
        where, at = self._rows.relation.where, self._at
        by_id: dict[str, list[Any]] = {}
        faults = Faults()
        for raw_id, raw_at in rows:
            lead_id = id_text(raw_id)
            if lead_id is None or self._rows.is_null(lead_id):
                faults.add(Fault(where, f"with an id that is none: {_NO_IDS}", "Put them right.", holds_back=True))
                continue
            if isinstance(raw_id, str) and raw_id != lead_id:
                self._rows.has_odd_ids = True
                faults.add(odd_ids(where), [lead_id])
            by_id.setdefault(lead_id, []).append(raw_at)
        leads = []
        for lead_id, raws in by_id.items():
            known = [instant for raw in raws if (instant := self._rows.instant(raw, self._at))]
            if len(raws) > 1:
                twice = Fault(where, "of leads that are on more than one", _EARLIEST.format(at))
                faults.add(twice, [lead_id], rows=len(raws))
            if known:
                leads.append(Lead(lead_id, min(known)))
            else:
                raw = next((raw for raw in raws if raw is not None and not self._rows.is_null(str(raw).strip())), None)
                faults.add(self.undated(raw), [lead_id], detail="" if raw is None else written_like(raw))
        return LeadPage(leads, faults)

    def undated(self, raw: object) -> Fault:
        """The fault of leads that wait until they have a date and time."""
        where = self._rows.relation.where
        if raw is None:
            return Fault(where, f"without `{self._at}`", "Such leads wait until they have one.", holds_back=True)
        what = f"with something else than a date and time in `{self._at}`"
        return Fault(where, what, f"Such leads wait: {SAY_HOW}", holds_back=True)


def _whole_ids(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Leave out the last id of a page that goes on: its other rows may follow, and duplicates are told together.

    Ids that differ in case alone count as one here, since the database may sort and compare them as equal. A page
    that is one id from end to end stays as it is: what follows of that id is passed over.
    """

    def key(row: Sequence[Any]) -> str:
        return (id_text(row[0]) or "").casefold()

    last, end = key(rows[-1]), len(rows)
    while end and key(rows[end - 1]) == last:
        end -= 1
    return rows[:end] or rows
