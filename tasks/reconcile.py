"""Before a run decides anything: take over what dead runs left, and settle what nobody answered."""

from prefect import get_run_logger, task

from leadgate.delivery import Reconciled
from leadgate.errors import LeadByteUnavailable
from leadgate.ledger.alarms import Alarm
from leadgate.ledger.claims import rescue
from leadgate.unexpected import guarded
from leadgate.wiring.run import Run
from tasks.alarms import sound
from tasks.outside import STAGE


# Never run again by Prefect: the ledger knows which leads are still unknown.
@task(name="reconcile", **STAGE)
@guarded
async def reconcile(run: Run) -> Reconciled:
    """Rescue leads whose lease has ended, then probe the unknown ones that are due."""
    ledger, unknown_after = run.pipeline.ledger, run.pipeline.config.delivery.unknown_after
    rescued = rescue(ledger, unknown_after=unknown_after, now=ledger.now())
    try:
        reconciled = await run.reconciliation.reconcile_due()
    except LeadByteUnavailable:
        sound(run.pipeline, Alarm.LEADBYTE, is_raised=True)
        raise
    get_run_logger().info(
        "event=reconciled rescued=%d probed=%d inferred=%d", rescued, reconciled.probed, len(reconciled.inferred)
    )
    return reconciled
