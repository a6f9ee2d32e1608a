"""Stage 5, act: process or reject, each lead at most once."""

from prefect import get_run_logger, task

from leadgate.model import Wave
from leadgate.unexpected import guarded
from leadgate.wiring.run import Run
from tasks.outside import STAGE


# Never run again by Prefect: retries are the ledger's, lead by lead, and only where a refusal is certain.
@task(name="act", **STAGE)
@guarded
async def act(run: Run, wave: Wave) -> None:
    """Release or reject every lead of the wave."""
    await run.delivery.act(wave.leads)
    get_run_logger().info("event=acted wave=%d", len(wave))
