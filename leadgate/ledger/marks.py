"""How far the source has been read: a mark for each of its two relations."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine, select

from leadgate.ledger.engine import insert_for, ledger_errors, reading
from leadgate.ledger.schema import marks


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
    faults: Sequence[str] = ()


def read_mark(engine: Engine, pipeline: str, relation: Relation) -> Mark | None:
    """The mark of a relation; None before it was first read."""
    m = marks.c
    columns = (m.read_at, m.position, m.moved_at, m.compared_to, m.compared_at, m.compared_rows, m.faults)
    with reading(engine) as connection:
        row = connection.execute(select(*columns).where(m.pipeline == pipeline, m.relation == relation)).first()
        return Mark(*row) if row else None


def keep_mark(engine: Engine, pipeline: str, relation: Relation, mark: Mark) -> None:
    """Store a mark, once everything before it is recorded."""
    news = asdict(mark) | {"faults": list(mark.faults)}
    insert = insert_for(engine)(marks).values(pipeline=pipeline, relation=relation, **news)
    with ledger_errors(engine), engine.begin() as connection:
        connection.execute(insert.on_conflict_do_update(index_elements=[marks.c.pipeline, marks.c.relation], set_=news))
