"""Stage 3, decide: claim a wave of leads that are due, and let the rules speak."""

import time
from collections import Counter

from prefect import get_run_logger, task

from leadgate.model import Wave
from leadgate.unexpected import guarded
from leadgate.wiring.run import Run
from tasks.outside import AGAIN_WHEN_DOWN
from tasks.taking_in import look_at_some, register_some

_GATHERS_FOR_SECONDS = 0.5
"""How long a wave may wait to be full, where leads are still being taken in: few of them may be due."""


@task(name="decide", **AGAIN_WHEN_DOWN)
@guarded
async def decide(run: Run, limit: int) -> Wave:
    """Claim and decide up to `limit` leads; an empty wave means that none is due, or that the run is to stop.

    Where none is, what is new in the source and was not taken in yet is so now, as much of it as fills a wave.
    """
    wave = Wave()
    while limit and not run.stop:
        wave = Wave(await run.pipeline.ledger.aside(run.preparation.claim_wave, limit))
        if wave.leads or run.taking_in.is_done:
            break
        await _take_in(run, limit)
    verdicts = Counter(lead.decision.verdict.value for lead in wave.leads)
    counts = "".join(f" {verdict}={count}" for verdict, count in sorted(verdicts.items()))
    get_run_logger().info("event=decided count=%d%s", len(wave), counts)
    return wave


async def _take_in(run: Run, wanted: int) -> None:
    until, found = time.monotonic() + _GATHERS_FOR_SECONDS, 0
    while not run.taking_in.is_done and found < wanted and time.monotonic() < until and not run.stop:
        if not run.taking_in.is_registered:
            await register_some(run)
        found += (await look_at_some(run)).due
