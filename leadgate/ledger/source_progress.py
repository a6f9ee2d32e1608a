"""How far the source has been read: a mark for each of its two relations."""

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import marks
from leadgate.model import Faults


class Relation(StrEnum):
    """The two relations of a source."""

    LEADS = "leads"
    ENRICHMENT = "enrichment"


@dataclass(frozen=True, slots=True)
class Mark:
    """Every row stamped before `position` has been read, and everything was compared at `compared_at`.

    A mark may be older than the truth, never newer: what lies behind it is read again, which changes nothing.
    """

    read_at: datetime
    position: datetime | None = None
    moved_at: datetime | None = None
    compared_to: str | None = None
    compared_at: datetime | None = None
    compared_rows: int = 0
    faults: Faults = field(default_factory=Faults)
    """What was wrong with rows at the last whole comparison. Three ids of each kind are kept."""
    growing: Faults = field(default_factory=Faults)
    """The same of a comparison that goes on."""


def read_mark(ledger: Ledger, relation: Relation) -> Mark | None:
    """The mark of a relation; None before it was first read."""
    columns = [marks.c[each.name] for each in fields(Mark)]
    query = select(*columns).where(marks.c.pipeline == ledger.pipeline, marks.c.relation == relation)
    with ledger.reading() as connection:
        row = connection.execute(query).first()
        faults = {name: Faults.from_kept(getattr(row, name)) for name in ("faults", "growing")} if row else {}
        return Mark(**{**row._asdict(), **faults}) if row else None


def read_faults(ledger: Ledger) -> Faults:
    """What was wrong with rows of the source when each relation was last compared as a whole."""
    return Faults(*(mark.faults for relation in Relation if (mark := read_mark(ledger, relation))))


@writes
def keep_mark(ledger: Ledger, relation: Relation, mark: Mark) -> None:
    """Store a mark, once everything before it is recorded."""
    news = asdict(mark) | {"faults": mark.faults.to_keep(), "growing": mark.growing.to_keep()}
    insert = ledger.insert(marks).values(pipeline=ledger.pipeline, relation=relation, **news)
    with ledger.transaction() as connection:
        connection.execute(insert.on_conflict_do_update(index_elements=[marks.c.pipeline, marks.c.relation], set_=news))
