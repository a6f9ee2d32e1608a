"""Values that are not of their column's type, and the leads that wait because of them."""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field

from leadgate.model import ColumnType, Enrichment, Fault, Faults, Lead
from leadgate.source.relations import ReadableRelation

_MOST_COUNTED = 100_000
_VALUES = "the values, say under `types:` what they are, or name them under source.null_values if they mean none."


@dataclass(slots=True)
class _Found:
    written: str
    ids: dict[str, None] = field(default_factory=dict)
    held: dict[str, None] = field(default_factory=dict)
    """Those of them that wait for the column."""


class Unreadable:
    """Leads with such values among the rows of one relation that were looked up, at most 100,000 a column."""

    def __init__(self, relation: ReadableRelation) -> None:
        self._relation = relation
        self._columns: dict[str, _Found] = {}

    def saw(self, lead_id: str, unfit: Mapping[str, str]) -> None:
        """Note the columns of a lead's row that hold such a value, and how it is written; no others do any more."""
        for column, found in list(self._columns.items()):
            if column not in unfit:
                found.ids.pop(lead_id, None)
                found.held.pop(lead_id, None)
        for column, written in unfit.items():
            shown = written if self._relation.types[column] is not ColumnType.STRING else ""
            found = self._columns.setdefault(column, _Found(shown))
            if len(found.ids) < _MOST_COUNTED:
                found.ids[lead_id] = None

    def saw_all(self, ids: Sequence[str], rows: Mapping[str, Lead] | Mapping[str, Enrichment]) -> None:
        """Note the same of the rows of many leads, of which some may have none."""
        if self._columns or any(row.unfit for row in rows.values()):
            for lead_id in ids:
                self.saw(lead_id, rows[lead_id].unfit if lead_id in rows else {})

    def note_missing(self, missing: Mapping[str, Collection[str]], relation: str) -> None:
        """Note for which columns each of some leads waits, such as enrichment.score; for none, if it is decided now."""
        for column, found in list(self._columns.items()):
            for lead_id in missing.keys() & found.ids.keys():
                if f"{relation}.{column}" in missing[lead_id]:
                    found.held[lead_id] = None
                else:
                    found.held.pop(lead_id, None)

    def faults(self, among: Container[str] | None = None) -> Faults:
        """Count the leads, by column, of all or some; those that wait for it are a kind of their own."""
        faults = Faults()
        for column, found in list(self._columns.items()):
            if among is not None and column not in among:
                continue
            what = f"with a `{column}` that is no {self._relation.types[column]}, and counts as missing"
            held = Fault(self._relation.where, what, f"Such leads wait: correct {_VALUES}", holds_back=True)
            other = Fault(self._relation.where, what, f"Correct {_VALUES}")
            more = ", and more" if len(found.ids) == _MOST_COUNTED else ""
            for lead_id in list(found.ids):
                faults.add(held if lead_id in found.held else other, [lead_id], detail=f"{more}{found.written}")
        return faults
