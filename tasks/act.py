"""Stage 5, act: process or reject, each lead at most once."""

from collections.abc import Sequence

from prefect import get_run_logger, task

from leadgate.delivery import Delivery
from leadgate.model import Decided
from tasks.outside import STAGE


# Never run again by Prefect: retries are the ledger's, lead by lead, and only where a refusal is certain.
@task(name="act", **STAGE)
async def act(delivery: Delivery, wave: Sequence[Decided]) -> None:
    """Release or reject every lead of the wave."""
    await delivery.act(wave)
    get_run_logger().info("event=acted wave=%d", len(wave))
