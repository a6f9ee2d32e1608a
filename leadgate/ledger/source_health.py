"""The newest reading of the source, and the spans in which it was not healthy and deadlines stood still."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, or_, select

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import readings, standstills
from leadgate.model import SourceReading


@dataclass(frozen=True, slots=True)
class Standstill:
    """A span in which deadlines stood still; `ended_at` is None while it lasts."""

    began_at: datetime
    ended_at: datetime | None


@writes
def keep_reading(ledger: Ledger, found: SourceReading) -> None:
    """Store the newest reading of the source, and begin or end a standstill; an older reading changes nothing.

    A standstill has the problem of its newest reading.

    The newest stamp ever seen is kept, by which lost rows are noticed.
    """
    row = {
        "pipeline": ledger.pipeline,
        "read_at": found.read_at,
        # A stamp in the future would make every later row look old.
        "newest_at": found.newest_at and min(found.newest_at, found.read_at),
        "healthy": found.healthy,
        "healthy_at": found.read_at if found.healthy else None,
    }
    insert = ledger.insert(readings).values(row)
    news = {key: insert.excluded[key] for key in ("read_at", "healthy")}
    seen, newest = readings.c.newest_at, insert.excluded.newest_at
    news["newest_at"] = case((or_(seen.is_(None), newest > seen), newest), else_=seen)
    news["healthy_at"] = func.coalesce(insert.excluded.healthy_at, readings.c.healthy_at)
    statement = insert.on_conflict_do_update(
        index_elements=[readings.c.pipeline], set_=news, where=insert.excluded.read_at >= readings.c.read_at
    ).returning(readings.c.read_at)
    with ledger.transaction() as connection:
        if connection.execute(statement).first():
            _keep_standstill(ledger, connection, found)


def _keep_standstill(ledger: Ledger, connection: Connection, found: SourceReading) -> None:
    lasts = (standstills.c.pipeline == ledger.pipeline, standstills.c.ended_at.is_(None))
    if found.healthy:
        connection.execute(standstills.update().where(*lasts).values(ended_at=found.read_at))
        return
    problem = found.problem or "not healthy"
    if not connection.execute(standstills.update().where(*lasts).values(problem=problem)).rowcount:
        row = {"pipeline": ledger.pipeline, "began_at": found.read_at, "problem": problem}
        connection.execute(ledger.insert(standstills).values(row).on_conflict_do_nothing())


def newest_seen(ledger: Ledger) -> datetime | None:
    """The newest stamp of enrichment that any reading found."""
    return ledger.fetch_value(select(readings.c.newest_at).where(readings.c.pipeline == ledger.pipeline))


def read_standstills(ledger: Ledger) -> Sequence[Standstill]:
    """The spans in which the source was not healthy, oldest first."""
    with ledger.reading() as connection:
        return standstills_of(ledger, connection)


def standstills_of(ledger: Ledger, connection: Connection) -> Sequence[Standstill]:
    """As `read_standstills`, over a connection that is open."""
    query = select(standstills.c.began_at, standstills.c.ended_at).where(standstills.c.pipeline == ledger.pipeline)
    return [Standstill(**row._asdict()) for row in connection.execute(query.order_by(standstills.c.began_at))]


def latest_late(ledger: Ledger, *, deadline: timedelta, now: datetime) -> datetime | None:
    """Since when a lead must have waited to be late now; None if no lead can be.

    Counted back from now, only the time between standstills counts.
    """
    left, until = deadline, now
    try:
        for span in reversed(read_standstills(ledger)):
            ran = max(until - (span.ended_at or now), timedelta())
            if ran >= left:
                break
            left -= ran
            until = span.began_at
        return until - left
    except OverflowError:  # longer than there has been time
        return None
