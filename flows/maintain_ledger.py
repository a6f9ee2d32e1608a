"""Keep the ledger in order between runs: leads of dead runs are taken over, so that none waits for the next run.

The page of `leadgate report` is written afterwards, where the pipeline file says where to.
"""

from pathlib import Path

from prefect import flow, get_run_logger

from leadgate.clock import utc_now
from leadgate.config import load_config
from leadgate.wiring.ledger import open_ledger
from tasks.publish import publish_report
from tasks.report import name_run


@flow(name="maintain-ledger", persist_result=False)
async def maintain_ledger(config: str = "leadgate.yaml") -> int:
    """Take over the leads whose lease has ended; return how many those were. Needs neither source nor LeadByte.

    Args:
        config: the pipeline file.

    """
    settings = load_config(Path(config))
    await name_run(settings.pipeline, utc_now())
    ledger = open_ledger(Path(config), settings)
    try:
        rescued = ledger.rescue(unknown_after=settings.delivery.unknown_after, now=utc_now())
        get_run_logger().info("event=rescued count=%d", rescued)
        if settings.report:
            await publish_report(ledger, settings, Path(config).parent)
    finally:
        ledger.close()
    return rescued
