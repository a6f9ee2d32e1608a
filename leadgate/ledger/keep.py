"""What the ledger keeps beside the leads: the rules that decided, and the newest reading of the source."""

from datetime import datetime

from sqlalchemy import Engine, func

from leadgate.ledger.engine import insert_for, ledger_errors
from leadgate.ledger.schema import policies, readings
from leadgate.model import Reading


def keep_policy(engine: Engine, pipeline: str, *, version: str, text: str, now: datetime) -> None:
    """Store the rules under their version, once, so that a decision can be explained after they changed."""
    row = {"pipeline": pipeline, "version": version, "first_used_at": now, "text": text}
    with ledger_errors(engine), engine.begin() as connection:
        connection.execute(insert_for(engine)(policies).on_conflict_do_nothing(), row)


def keep_reading(engine: Engine, pipeline: str, reading: Reading) -> None:
    """Store the newest reading of the source, and when the last healthy one was; an older reading changes nothing."""
    row = {
        "pipeline": pipeline,
        "read_at": reading.read_at,
        "newest_at": reading.newest_at,
        "healthy": reading.healthy,
        "healthy_at": reading.read_at if reading.healthy else None,
    }
    insert = insert_for(engine)(readings).values(row)
    news = {key: insert.excluded[key] for key in ("read_at", "newest_at", "healthy")}
    news["healthy_at"] = func.coalesce(insert.excluded.healthy_at, readings.c.healthy_at)
    with ledger_errors(engine), engine.begin() as connection:
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[readings.c.pipeline], set_=news, where=insert.excluded.read_at >= readings.c.read_at
            )
        )
