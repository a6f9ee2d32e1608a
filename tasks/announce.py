"""Tell Prefect that leads are due, so that it may start a run for them: one event a burst, and again while they wait.

What is told is the state of things and no single arrival: an event that is lost, or that came while a run was ending,
is made up for by the next. Counts alone are told.
"""

from datetime import datetime, timedelta

from prefect import get_run_logger
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, stop_when_event_set, wait_exponential

from leadgate.errors import LedgerUnavailable, SourceUnavailable
from leadgate.ledger.status import Due, read_due
from leadgate.stopping import Stop
from leadgate.wiring.pipeline import Pipeline
from tasks.observed import tell
from tasks.wait import looks

EVENT = "leadgate.enrichment.arrived"
AT_MOST_EVERY = timedelta(seconds=10)
"""About what a run takes to be started: it takes what arrived in the meantime too."""
_TRIES = 5
SAY_AGAIN_AFTER = timedelta(minutes=1)
"""How long leads that were told of may stay untaken."""


async def announce(pipeline: Pipeline, stop: Stop, until: datetime, told_at: datetime | None) -> datetime | None:
    """Stay until leads are due that must be told of, and tell; return when that was, None where the run is over.

    `told_at` is when the last event was sent. A database that is down is asked again a few times. It is no task: a
    Prefect server on SQLite takes two seconds longer to start a run by an event that comes beside those of task runs.
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((SourceUnavailable, LedgerUnavailable)),
        wait=wait_exponential(multiplier=2, max=8),
        stop=stop_after_attempt(_TRIES) | stop_when_event_set(stop.requested),  # type: ignore[arg-type] # only asked
        reraise=True,
    ):
        with attempt:
            return await _announce(pipeline, stop, until, told_at)
    return None


async def _announce(pipeline: Pipeline, stop: Stop, until: datetime, told_at: datetime | None) -> datetime | None:
    async for _ in looks(pipeline, stop, until):
        now = pipeline.clock()
        due = await pipeline.ledger.aside(read_due, pipeline.ledger, now=now)
        if is_worth_telling(due, told_at, now):
            tell(EVENT, pipeline.config.pipeline, {"ready": due.ready, "unknown": due.unknown})
            get_run_logger().info("event=announced ready=%d unknown=%d", due.ready, due.unknown)
            return now
    return None


def is_worth_telling(due: Due, told_at: datetime | None, now: datetime) -> bool:
    """Whether leads are due of which nobody knows: new ones soon, those told of before again after a while."""
    if due.since is None:
        return False
    if told_at is None:
        return True
    return now - told_at >= (AT_MOST_EVERY if due.since > told_at else SAY_AGAIN_AFTER)
