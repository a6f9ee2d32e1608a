"""Stage 2, wait: see whose enrichment has arrived and whose deadline has passed; when watching, stay until some has."""

import asyncio
from datetime import datetime, timedelta

from prefect import get_run_logger, task

from leadgate.intake import Looked, Registered, look_for_arrivals, register_leads
from leadgate.ledger.reads import read_next_due
from leadgate.stopping import Stop
from leadgate.wiring import Pipeline, utc_now
from tasks.outside import AGAIN_WHEN_DOWN

POLL_EVERY = timedelta(seconds=2)


@task(name="wait", **AGAIN_WHEN_DOWN)
def look(pipeline: Pipeline) -> Looked:
    """Look at the source once for every lead that waits."""
    looked = look_for_arrivals(pipeline.source, pipeline.ledger, pipeline.config.wait, now=utc_now())
    get_run_logger().info(
        "event=looked arrived=%d late=%d healthy=%s", looked.arrived, looked.late, looked.reading.healthy
    )
    return looked


@task(name="watch", **AGAIN_WHEN_DOWN)
async def watch(pipeline: Pipeline, stop: Stop, until: datetime) -> list[tuple[Registered, Looked]]:
    """Stay until a lead is due, the time is over or the run is to stop; return what each look found.

    One task run a wake-up, not one a look: looking costs the Prefect server nothing.
    """
    found: list[tuple[Registered, Looked]] = []
    while True:
        registered, looked = await asyncio.to_thread(_look_once, pipeline)
        if registered.count or looked.arrived or not found:
            found.append((registered, looked))
        now = utc_now()
        due_at = await asyncio.to_thread(read_next_due, pipeline.ledger.engine, pipeline.config.pipeline)
        if stop or now >= until or (due_at is not None and due_at <= now):
            return found
        await stop.sleep(min(POLL_EVERY, until - now))


def _look_once(pipeline: Pipeline) -> tuple[Registered, Looked]:
    new = register_leads(pipeline.source, pipeline.ledger, now=utc_now())
    return new, look_for_arrivals(pipeline.source, pipeline.ledger, pipeline.config.wait, now=utc_now())
