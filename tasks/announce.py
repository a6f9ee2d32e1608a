"""Tell Prefect that leads are due, so that it may start a run for them: one event a burst, and again while they wait.

What is told is the state of things and no single arrival: an event that is lost, or that came while a run was ending,
is made up for by the next. Counts alone are told.
"""

from datetime import datetime, timedelta

from prefect import get_run_logger, task

from leadgate.ledger.status import Due, read_due
from leadgate.stopping import Stop
from leadgate.unexpected import guarded
from leadgate.wiring.pipeline import Pipeline
from tasks.observed import tell
from tasks.outside import AGAIN_WHEN_DOWN
from tasks.wait import looks

EVENT = "leadgate.enrichment.arrived"
AT_MOST_EVERY = timedelta(seconds=10)
"""About what a run takes to be started: it takes what arrived in the meantime too."""
SAY_AGAIN_AFTER = timedelta(minutes=1)
"""How long leads that were told of may stay untaken."""


@task(name="announce", **AGAIN_WHEN_DOWN)
@guarded
async def announce(pipeline: Pipeline, stop: Stop, until: datetime, told_at: datetime | None) -> datetime | None:
    """Stay until leads are due that must be told of, and tell; return when that was, None where the run is over.

    `told_at` is when the last event was sent.
    """
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
