"""Stage 4, update: write the enrichment of leads that are not acted on in the same request."""

from collections.abc import Sequence

from prefect import get_run_logger, task

from leadgate.delivery import Delivery
from leadgate.model import Decided
from tasks.outside import STAGE


# Never run again by Prefect, like the act: what is left of a wave is known to the ledger alone.
@task(name="update", **STAGE)
async def update(delivery: Delivery, wave: Sequence[Decided]) -> list[Decided]:
    """Send the updates that go alone; return the leads to be acted on."""
    to_act = await delivery.update(wave)
    get_run_logger().info("event=updated wave=%d to_act=%d", len(wave), len(to_act))
    return to_act
