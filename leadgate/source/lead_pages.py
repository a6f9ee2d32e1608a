"""Every lead of the source in pages, and what is wrong with rows among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from leadgate.model import Lead
from leadgate.source.ids import cursor_at, cursor_of, id_text
from leadgate.source.rows import Rows


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Some of the leads, and what is wrong with rows among them, a sentence each.

    The leads carry their id and `quarantined_at` alone: a page of those needs no more than an index.
    """

    leads: list[Lead]
    faults: list[str]
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
        faults = [] if after else self._null_ids()
        while True:
            statement = select(leads.id_value, leads.value(self._at)).where(leads.id.is_not(None))
            if after is not None:
                last = bindparam(None, cursor_at(leads.id_kind, after), type_=leads.id_kind.bind_type)
                statement = statement.where(leads.id > last)
            rows = self._rows.fetch(statement.order_by(leads.id).limit(size + 1))
            more = len(rows) > size
            if more:
                rows = _whole_ids(rows)
            after = cursor_of(rows[-1][0]) if more else None
            page = self._page(rows)
            if page.leads or page.faults or faults:
                yield LeadPage(page.leads, faults + page.faults, after)
            faults = []
            if not more:
                return

    def since(self, instant: datetime, size: int) -> Iterator[LeadPage] | None:
        """The leads written since an instant, as their stamp says; None where it cannot be read forward."""
        found = self._rows.written_since(instant, size, columns=[self._at])
        return None if found is None else (self._page([(row[0], row[2]) for row in rows]) for rows in found)

    def _null_ids(self) -> list[str]:
        """Say how many rows have no id, and when they were quarantined: there is nothing else to know them by."""
        leads = self._rows.relation
        at = leads.rows.c[self._at]
        statement = select(func.count(), func.min(at), func.max(at)).select_from(leads.rows).where(leads.id.is_(None))
        ((count, first, last),) = self._rows.fetch(statement)
        if not count:
            return []
        spans = [self._rows.instant(value) for value in (first, last)]
        when = f", quarantined from {spans[0]} to {spans[1]}" if all(spans) else ""
        return [f"{leads.where}: {count} rows have no `{leads.place.config.id}`{when}. Give them one."]

    def _page(self, rows: Sequence[Sequence[Any]]) -> LeadPage:
        where, at = self._rows.relation.where, self._at
        by_id: dict[str, list[datetime | None]] = {}
        faults = []
        for raw_id, raw_at in rows:
            quarantined_at = self._rows.instant(raw_at)
            lead_id = id_text(raw_id)
            if lead_id is None:
                faults.append(
                    f"{where}: a row quarantined at {quarantined_at} has an id that is none: blank, longer than 200 "
                    "characters, or with a NUL in it. Put it right."
                )
            else:
                by_id.setdefault(lead_id, []).append(quarantined_at)
        leads = []
        for lead_id, instants in by_id.items():
            known = [instant for instant in instants if instant]
            if len(instants) > 1:
                faults.append(f"{where}: lead {lead_id} is on more than one row; the earliest `{at}` counts.")
            if known:
                leads.append(Lead(lead_id, min(known)))
            else:
                faults.append(f"{where}: lead {lead_id} has no date and time in `{at}`, and waits until it has one.")
        return LeadPage(leads, faults)


def _whole_ids(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Leave out the last id of a page that goes on: its other rows may follow, and duplicates are told together.

    Ids that differ in case alone count as one here, since the database may sort and compare them as equal. A page
    that is one id from end to end stays as it is: what follows of that id is passed over.
    """

    def key(row: Sequence[Any]) -> str:
        return (id_text(row[0]) or "").rstrip().casefold()

    last = key(rows[-1])
    return [row for row in rows if key(row) != last] or rows
