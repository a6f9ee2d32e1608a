"""What the ledger keeps beside the leads: the rules that decided, the newest reading of the source, its outages."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, case, func, or_, select

from leadgate.ledger.engine import insert_for, ledger_errors, reading
from leadgate.ledger.schema import outages, policies, readings
from leadgate.model import Reading


def keep_policy(engine: Engine, pipeline: str, *, version: str, text: str, now: datetime) -> None:
    """Store the rules under their version, once, so that a decision can be explained after they changed."""
    row = {"pipeline": pipeline, "version": version, "first_used_at": now, "text": text}
    with ledger_errors(engine), engine.begin() as connection:
        connection.execute(insert_for(engine)(policies).on_conflict_do_nothing(), row)


def keep_reading(engine: Engine, pipeline: str, found: Reading) -> None:
    """Store the newest reading of the source, when the last healthy one was, and that an outage begins or ends.

    An older reading changes nothing; of stamps the newest ever seen is kept, by which lost rows are noticed.
    """
    row = {
        "pipeline": pipeline,
        "read_at": found.read_at,
        # A stamp in the future would make every later row look old.
        "newest_at": found.newest_at and min(found.newest_at, found.read_at),
        "healthy": found.healthy,
        "healthy_at": found.read_at if found.healthy else None,
    }
    insert = insert_for(engine)(readings).values(row)
    news = {key: insert.excluded[key] for key in ("read_at", "healthy")}
    seen, newest = readings.c.newest_at, insert.excluded.newest_at
    news["newest_at"] = case((or_(seen.is_(None), newest > seen), newest), else_=seen)
    news["healthy_at"] = func.coalesce(insert.excluded.healthy_at, readings.c.healthy_at)
    statement = insert.on_conflict_do_update(
        index_elements=[readings.c.pipeline], set_=news, where=insert.excluded.read_at >= readings.c.read_at
    ).returning(readings.c.read_at)
    with ledger_errors(engine), engine.begin() as connection:
        if connection.execute(statement).first():
            _keep_outage(engine, connection, pipeline, found)


def _keep_outage(engine: Engine, connection: Connection, pipeline: str, found: Reading) -> None:
    lasts = (outages.c.pipeline == pipeline, outages.c.ended_at.is_(None))
    if found.healthy:
        connection.execute(outages.update().where(*lasts).values(ended_at=found.read_at))
    elif not connection.execute(select(outages.c.began_at).where(*lasts)).first():
        row = {"pipeline": pipeline, "began_at": found.read_at, "problem": found.problem or "not healthy"}
        connection.execute(insert_for(engine)(outages).values(row).on_conflict_do_nothing())


def newest_seen(engine: Engine, pipeline: str) -> datetime | None:
    """The newest stamp of enrichment that any reading found."""
    with reading(engine) as connection:
        return connection.scalar(select(readings.c.newest_at).where(readings.c.pipeline == pipeline))


def latest_late(engine: Engine, pipeline: str, *, deadline: timedelta, now: datetime) -> datetime | None:
    """Tell since when a lead must have waited to be late now; None where no lead can be.

    The clock stands still during outages: counted back from now, only the time between them makes up the deadline.
    """
    o = outages.c
    left, until = deadline, now
    try:
        with reading(engine) as connection:
            query = select(o.began_at, o.ended_at).where(o.pipeline == pipeline).order_by(o.began_at.desc())
            for began_at, ended_at in connection.execute(query):
                ran = max(until - (ended_at or now), timedelta())
                if ran >= left:
                    break
                left -= ran
                until = began_at
        return until - left
    except OverflowError:  # longer than there has been time
        return None
