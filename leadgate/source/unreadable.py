"""Values that are not of their column's type, and the leads that wait because of them."""

import logging
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field

from leadgate.model import ColumnType, Fault, Faults
from leadgate.source.faults import written_like
from leadgate.source.relations import ReadableRelation

logger = logging.getLogger(__name__)

_MOST_COUNTED = 100_000
_VALUES = "the values, or say under `types:` what they are."


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

    def note(self, lead_id: str, column: str, raw: object) -> None:
        """Note the lead of a value; the first of a column is told in the log, without the value."""
        found = self._columns.get(column)
        if found is None:
            type_ = self._relation.types[column]
            written = written_like(raw) if type_ is not ColumnType.STRING else ""
            found = self._columns[column] = _Found(written)
            path = self._relation.place.path
            logger.warning("event=unreadable_values relation=%s column=%s type=%s", path, column, type_)
        if len(found.ids) < _MOST_COUNTED:
            found.ids[lead_id] = None

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
            for lead_id in list(found.ids):
                faults.add(held if lead_id in found.held else other, [lead_id], detail=found.written)
        return faults
