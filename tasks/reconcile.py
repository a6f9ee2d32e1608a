"""Before a run decides anything: take over what dead runs left, and settle what nobody answered."""

from prefect import get_run_logger, task

from leadgate.clock import utc_now
from leadgate.delivery import Reconciled
from leadgate.errors import LeadByteUnavailable
from leadgate.ledger.alarms import Alarm
from leadgate.wiring.pipeline import Pipeline
from leadgate.wiring.run import Run
from tasks.alarms import sound
from tasks.outside import STAGE


# Never run again by Prefect: the ledger knows which leads are still unknown.
@task(name="reconcile", **STAGE)
async def reconcile(pipeline: Pipeline, run: Run) -> Reconciled:
    """Rescue leads whose lease has ended, then probe the unknown ones that are due."""
    rescued = pipeline.ledger.rescue(unknown_after=pipeline.config.delivery.unknown_after, now=utc_now())
    try:
        reconciled = await run.reconciliation.reconcile_due()
    except LeadByteUnavailable:
        sound(pipeline, Alarm.LEADBYTE, is_raised=True)
        raise
    get_run_logger().info(
        "event=reconciled rescued=%d probed=%d inferred=%d", rescued, reconciled.probed, len(reconciled.inferred)
    )
    return reconciled
