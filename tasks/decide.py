"""Stage 3, decide: claim a wave of leads that are due, and let the rules speak."""

import asyncio
from collections import Counter

from prefect import get_run_logger, task

from leadgate.model import Wave
from leadgate.unexpected import guarded
from leadgate.wiring.run import Run
from tasks.outside import AGAIN_WHEN_DOWN


@task(name="decide", **AGAIN_WHEN_DOWN)
@guarded
async def decide(run: Run, limit: int) -> Wave:
    """Claim and decide up to `limit` leads; an empty wave means that none is due, or that the run is to stop."""
    wave = Wave([] if run.stop else await asyncio.to_thread(run.preparation.claim_wave, limit))
    verdicts = Counter(lead.decision.verdict.value for lead in wave.leads)
    counts = "".join(f" {verdict}={count}" for verdict, count in sorted(verdicts.items()))
    get_run_logger().info("event=decided count=%d%s", len(wave), counts)
    return wave
