"""Stage 4, update: write the enrichment of leads that are not acted on in the same request."""

from prefect import get_run_logger, task

from leadgate.model import Wave
from leadgate.unexpected import guarded
from leadgate.wiring.run import Run
from tasks.outside import STAGE


# Never run again by Prefect, like the act: what is left of a wave is known to the ledger alone.
@task(name="update", **STAGE)
@guarded
async def update(run: Run, wave: Wave) -> Wave:
    """Send the updates that go alone; return the leads to be acted on."""
    to_act = Wave(await run.delivery.update(wave.leads))
    get_run_logger().info("event=updated wave=%d to_act=%d", len(wave), len(to_act))
    return to_act
