"""Stage 2, wait: see whose enrichment has arrived and whose deadline has passed; when watching, stay until some has."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from prefect import get_run_logger, task
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, stop_when_event_set, wait_fixed

from leadgate.intake import Compared, Looked, Registered, compare_all, look_for_arrivals, register_leads
from leadgate.ledger.status import read_due
from leadgate.metrics import PortTaken, serve_metrics
from leadgate.model import Faults
from leadgate.stopping import Stop
from leadgate.unexpected import guarded
from leadgate.wiring.pipeline import Pipeline
from leadgate.wiring.run import Run
from tasks.alarms import say_healthy
from tasks.outside import AGAIN_WHEN_DOWN
from tasks.taking_in import counts_of, look_at_some

POLL_EVERY = timedelta(seconds=1)
PORT_PATIENCE = timedelta(seconds=30)
"""How long the port for metrics may still be the last run's, whose end overlaps the next one's beginning."""
_PAGES_A_LOOK = 5


@task(name="wait", **AGAIN_WHEN_DOWN)
@guarded
async def wait(run: Run) -> None:
    """Look once at what is new in the source, and whose time is up; of very many, at as many as a first wave takes."""
    looked = await look_at_some(run)
    say_healthy(run.pipeline, looked.reading, None)


@task(name="compare", **AGAIN_WHEN_DOWN)
@guarded
def compare(pipeline: Pipeline, begun_at: datetime) -> Compared:
    """Compare every lead and every waiting entry with the source, where that is due."""
    parts = pipeline.source, pipeline.ledger, pipeline.config
    compared = compare_all(*parts, now=pipeline.clock(), begun_at=begun_at, again=pipeline.again)
    if compared.looked:
        get_run_logger().info("event=compared arrived=%d late=%d again=%d healthy=%s", *counts_of(compared.looked))
    return compared


@task(name="watch", **AGAIN_WHEN_DOWN)
@guarded
async def watch(pipeline: Pipeline, stop: Stop, until: datetime) -> list[tuple[Registered, Looked]]:
    """Stay until a lead is due, the time is over or the run is to stop; return what each look found.

    One task run a lead or more that are due, not one a look: looking costs the Prefect server nothing.
    """
    found: list[tuple[Registered, Looked]] = []
    has_news = True
    async for registered, looked in looks(pipeline, stop, until):
        # Of looks without news one is enough, with what they found to be wrong.
        before = [] if has_news else [found.pop()[0]]
        found.append((before[0].then(registered) if before else registered, looked))
        has_news = bool(registered.count or looked.arrived)
        due = await pipeline.ledger.aside(read_due, pipeline.ledger, now=pipeline.clock())
        if due.since is not None:
            break
    return found


@asynccontextmanager
async def metrics_served(config: Path, port: int | None, host: str, stop: Stop) -> AsyncIterator[None]:
    """Answer Prometheus on a port, where one is named; raise PortTaken where it stays taken."""
    with ExitStack() as stack:
        if port is not None:
            stopped = stop_when_event_set(stop.requested)  # type: ignore[arg-type] # only asked whether it is set
            patience = stop_after_delay(PORT_PATIENCE) | stopped
            again = retry_if_exception_type(PortTaken)
            async for attempt in AsyncRetrying(retry=again, wait=wait_fixed(1), stop=patience, reraise=True):
                with attempt:
                    stack.enter_context(serve_metrics(config, port, host))
        yield


async def looks(pipeline: Pipeline, stop: Stop, until: datetime) -> AsyncIterator[tuple[Registered, Looked]]:
    """Look at the source now, whenever it says that there is something, and every now and then all the same.

    The last look is at the end of the time, or the one that was under way when the run was asked to stop.
    """
    told_at, arrivals_first = None, False
    while not stop:
        found = await pipeline.ledger.aside(_look_once, pipeline, arrivals_first=arrivals_first)
        told_at = say_healthy(pipeline, found[1].reading, told_at)
        yield found
        now = pipeline.clock()
        if now >= until:
            return
        await pipeline.source.wakeups.wait(min(POLL_EVERY, until - now), stop)
        arrivals_first = True


def _look_once(pipeline: Pipeline, *, arrivals_first: bool) -> tuple[Registered, Looked]:
    """Register and look; with `arrivals_first` at known leads alone, where one of them is due by that."""
    parts = pipeline.source, pipeline.ledger, pipeline.config
    looked = look_for_arrivals(*parts, now=pipeline.clock(), again=pipeline.again) if arrivals_first else None
    if looked and looked.due:
        return Registered(0, Faults()), looked
    new = register_leads(*parts, now=pipeline.clock())
    if looked is None:
        looked = look_for_arrivals(*parts, now=pipeline.clock(), again=pipeline.again)
    elif new.count:
        looked.add(look_for_arrivals(*parts, now=pipeline.clock(), again=pipeline.again))
    # A comparison that is due goes on a little at each look, so that arrivals do not wait for its end.
    compared = compare_all(*parts, now=pipeline.clock(), pages=_PAGES_A_LOOK, again=pipeline.again)
    if compared.registered:
        new = new.then(compared.registered)
    if compared.looked:
        looked.add(compared.looked)
    return new, looked
