"""What is due and taken by nobody: what a run would find to do if one were started now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from leadgate.ledger.engine import reading
from leadgate.ledger.schema import entries, in_state
from leadgate.model import State


@dataclass(frozen=True, slots=True)
class Due:
    """How many leads wait for a decision or a probe, and since when the first of them does; None where none does."""

    ready: int
    unknown: int
    since: datetime | None


def read_due(engine: Engine, pipeline: str, *, now: datetime) -> Due:
    """Count the leads that are due and held by nobody; the cost grows with them, not with those that wait."""
    free = (entries.c.pipeline == pipeline, entries.c.lease_owner.is_(None), entries.c.due_at <= now)
    with reading(engine) as connection:
        (ready, ready_since), (unknown, unknown_since) = (
            connection.execute(select(func.count(), func.min(entries.c.due_at)).where(*free, in_state(state))).one()
            for state in (State.READY, State.UNKNOWN)
        )
    return Due(ready, unknown, min((at for at in (ready_since, unknown_since) if at), default=None))
