"""A bounded look at real rows, for `leadgate check`: the newest and the oldest leads, and what has arrived for them.

With the indexes of docs/source.md the statements cost the same on ten thousand rows and on a million: nothing is
counted, and nothing is sorted. What the rows mean is said in findings.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadgate.model import ColumnType, Enrichment, Faults, Lead
from leadgate.model.times import TimeForm
from leadgate.source.advice import sorts
from leadgate.source.database import Database
from leadgate.source.faults import odd_ids
from leadgate.source.ids import id_text
from leadgate.source.lead_pages import LeadPages
from leadgate.source.rows import Fitted, Rows

END = 500
"""Rows that are read at each end of a relation."""

RawRows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """One column in the sampled rows of a relation."""

    path: str
    """The relation as the file names it, such as source.leads."""
    name: str
    type: ColumnType
    values: Sequence[Any]
    """As rules see them; None where a value is missing or not of the type."""
    written: Sequence[str | int]
    """Of a column of dates and times: those that the source has as text or a whole number."""
    is_padded: bool
    """Whether texts that are to be read in the order of time are all of one length."""
    names_no_zone: bool
    """Whether some of its dates and times name no zone, so that that of the file is taken."""
    unreadable: Faults


@dataclass(frozen=True, slots=True)
class Sample:
    """Some of the leads, what has arrived for them, and the newest rows of enrichment."""

    leads: Sequence[Lead]
    enrichments: Mapping[str, Enrichment]
    """Of those leads."""
    newest_ids: Sequence[str]
    """Of the newest rows of enrichment."""
    without_lead: Sequence[str]
    """Those of them that no lead has."""
    columns: Sequence[SampledColumn]
    faults: Faults
    """What keeps leads from being read."""
    remarks: Faults
    """What is odd about rows that are read nevertheless."""


def read_slice(database: Database, rows: Rows, by: Sequence[str | None], *, both_ends: bool) -> RawRows:
    """Read rows at the newest end of a relation, and at the oldest; raw id, then every column in order of `types`.

    They are in the order of the first column of `by` that an index serves, with some that have no value there. Where
    none serves, they come in no order.
    """
    names = list(rows.relation.types)
    column = next((name for name in by if name and not sorts(database, rows, name)), None)
    if column is None:
        return rows.fetch_named(names, limit=2 * END)
    order = rows.relation.rows.c[column]
    newest = rows.fetch_named(names, order.is_not(None), order=order.desc(), limit=END)
    blank = rows.fetch_named(names, order.is_(None), limit=END)
    oldest: RawRows = []
    if both_ends and len(newest) == END:
        known = set(map(repr, newest))
        oldest = rows.fetch_named(names, order.is_not(None), order=order, limit=END)
        oldest = [row for row in oldest if repr(row) not in known]
    return [*newest, *oldest, *blank]


def sample_leads(rows: Rows, pages: LeadPages, raw: RawRows, at: str) -> tuple[list[Lead], Faults, Faults]:
    """Make leads of raw rows, with their columns; and say what keeps others from being read, and what is odd."""
    names = list(rows.relation.types)
    fitted: dict[str, Fitted] = {}
    for raw_id, *cells in raw:
        if lead_id := id_text(raw_id):
            fitted.setdefault(lead_id, rows.fit_row(names, cells))
    for lead_id, row in fitted.items():
        rows.unreadable.saw(lead_id, row.unfit)
    page = pages.page([(row[0], row[1 + names.index(at)]) for row in raw])
    leads = [Lead(lead.lead_id, lead.quarantined_at, fitted[lead.lead_id].columns) for lead in page.leads]
    # What is written otherwise is told with its column.
    holding = page.faults.only(lambda fault: fault.holds_back and fault != pages.undated(at))
    return leads, holding, page.faults.only(lambda fault: not fault.holds_back)


def sample_enrichment(rows: Rows, raw: RawRows) -> tuple[list[Enrichment], Faults]:
    """Make enrichment of raw rows, and count the ids that hold what cannot be seen."""
    names = list(rows.relation.types)
    found, odd = [], Faults()
    for raw_id, *cells in raw:
        lead_id = id_text(raw_id)
        if lead_id is None:
            continue
        if isinstance(raw_id, str) and raw_id != lead_id:
            odd.add(odd_ids(rows.relation.where), [lead_id])
        columns, own, unfit = rows.fit_row(names, cells)
        found.append(Enrichment(lead_id, columns[rows.stamp] if rows.stamp else None, columns, own, unfit))
    return found, odd


def sample_columns(rows: Rows, raw: RawRows, fitted: Sequence[Mapping[str, Any]]) -> list[SampledColumn]:
    """Turn rows into columns: `raw` as the driver gave them, `fitted` as rules see them and maybe more."""
    forms = rows.relation.forms
    return [
        SampledColumn(
            path=rows.relation.place.path,
            name=name,
            type=type_,
            values=[row.get(name) for row in fitted],
            written=[value for value in cells if type_ is ColumnType.TIMESTAMP and isinstance(value, str | int)],
            is_padded=not (form := forms.get(name)) or not form.sorts or all(map(form.is_padded, filter(None, cells))),
            names_no_zone=any(_names_no_zone(value, forms.get(name)) for value in cells),
            unreadable=rows.unreadable.faults([name]),
        )
        for number, (name, type_) in enumerate(rows.relation.types.items(), 1)
        for cells in [[row[number] for row in raw]]
    ]


def _names_no_zone(raw: object, form: TimeForm | None) -> bool:
    """Whether a value is a time of a zone that has to be known; a date alone is not."""
    if form:
        return raw is not None and form.names_no_zone
    if isinstance(raw, datetime):
        return raw.tzinfo is None
    if not isinstance(raw, str) or ":" not in raw:
        return False
    try:
        return datetime.fromisoformat(raw.strip()).tzinfo is None
    except ValueError:
        return False
