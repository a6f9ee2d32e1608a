"""Stage 2, wait: see whose enrichment has arrived and whose deadline has passed; when watching, stay until some has."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from prefect import get_run_logger, task

from leadgate.intake import Compared, Looked, Registered, compare_all, look_for_arrivals, register_leads
from leadgate.ledger.reads import read_next_due
from leadgate.stopping import Stop
from leadgate.wiring import Pipeline, utc_now
from tasks.outside import AGAIN_WHEN_DOWN

POLL_EVERY = timedelta(seconds=2)
_PAGES_A_LOOK = 5


@task(name="wait", **AGAIN_WHEN_DOWN)
def look(pipeline: Pipeline) -> Looked:
    """Look once at what is new in the source, and whose time is up."""
    looked = look_for_arrivals(pipeline.source, pipeline.ledger, pipeline.config, now=utc_now(), outbox=pipeline.outbox)
    _log("looked", looked)
    return looked


@task(name="compare", **AGAIN_WHEN_DOWN)
def compare(pipeline: Pipeline) -> Compared:
    """Compare every lead and every waiting entry with the source, where that is due."""
    compared = compare_all(pipeline.source, pipeline.ledger, pipeline.config, now=utc_now())
    if compared.looked:
        _log("compared", compared.looked)
    return compared


@task(name="watch", **AGAIN_WHEN_DOWN)
async def watch(pipeline: Pipeline, stop: Stop, until: datetime) -> list[tuple[Registered, Looked]]:
    """Stay until a lead is due, the time is over or the run is to stop; return what each look found.

    One task run a lead or more that are due, not one a look: looking costs the Prefect server nothing.
    """
    found: list[tuple[Registered, Looked]] = []
    async for registered, looked in looks(pipeline, stop, until):
        if registered.count or looked.registered or looked.arrived or not found:
            found.append((registered, looked))
        due_at = await asyncio.to_thread(read_next_due, pipeline.ledger.engine, pipeline.config.pipeline)
        if due_at is not None and due_at <= utc_now():
            break
    return found


async def looks(pipeline: Pipeline, stop: Stop, until: datetime) -> AsyncIterator[tuple[Registered, Looked]]:
    """Look at the source now, whenever it says that there is something, and every now and then all the same.

    The last look is at the end of the time, or the one that was under way when the run was asked to stop.
    """
    while not stop:
        yield await asyncio.to_thread(_look_once, pipeline)
        now = utc_now()
        if now >= until:
            return
        await pipeline.source.wakeups.wait(min(POLL_EVERY, until - now), stop)


def _look_once(pipeline: Pipeline) -> tuple[Registered, Looked]:
    parts = pipeline.source, pipeline.ledger, pipeline.config
    new = register_leads(*parts, now=utc_now())
    looked = look_for_arrivals(*parts, now=utc_now(), outbox=pipeline.outbox)
    # A comparison that is due goes on a little at each look, so that arrivals do not wait for its end.
    compared = compare_all(*parts, now=utc_now(), pages=_PAGES_A_LOOK)
    if compared.registered:
        new = Registered(new.count + compared.registered.count, compared.registered.faults)
    if compared.looked:
        looked.add(compared.looked)
    return new, looked


def _log(event: str, looked: Looked) -> None:
    logger = get_run_logger()
    for warning in looked.warnings:
        logger.warning(warning)
    logger.info("event=%s arrived=%d late=%d healthy=%s", event, looked.arrived, looked.late, looked.reading.healthy)
