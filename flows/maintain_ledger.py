"""Keep the ledger in order between runs: take over leads of dead runs, write the report, settle what nobody answered.

Only the last needs the source and LeadByte, and they are asked only where a lead is due to be probed.
"""

from pathlib import Path

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed

from leadgate.delivery import Reconciled
from leadgate.errors import LeadByteUnavailable, LeadgateError
from leadgate.ledger.claims import rescue
from leadgate.ledger.status import read_due
from leadgate.summary import Account
from leadgate.unexpected import guarded
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.pipeline import open_pipeline
from leadgate.wiring.run import open_run
from tasks.blocks import read_block
from tasks.observed import observe
from tasks.publish import publish_report
from tasks.reconcile import reconcile
from tasks.report import name_run

observe()  # here and not in the flow: Prefect opens a run's span before its first line


@flow(name="maintain-ledger", persist_result=False)
@guarded
async def maintain_ledger(config: str = "leadgate.yaml") -> dict[str, int] | State[dict[str, int]]:
    """Take over leads whose lease has ended, write the report, and probe unknown leads that are due; return the counts.

    Nothing is processed or rejected. Where the report or the probes fail, the rest is done, and the message says both.

    Args:
        config: the pipeline file.

    """
    path = Path(config)
    with ledger_of(path) as (settings, ledger):
        await name_run(settings.pipeline, ledger.now())
        rescued = rescue(ledger, unknown_after=settings.delivery.unknown_after, now=ledger.now())
        get_run_logger().info("event=rescued count=%d", rescued)
        problems = []
        try:
            if settings.report:
                await publish_report(ledger, settings, path.parent)
        except LeadgateError as error:
            problems += [f"The report could not be written. {error}"]
        unknown = read_due(ledger, now=ledger.now()).unknown
    counts = {"rescued": rescued, "probed": 0, "inferred": 0}
    try:
        if unknown:
            reconciled = await settle_unknown(path)
            counts |= {"probed": reconciled.probed, "inferred": len(reconciled.inferred)}
    except LeadgateError as error:
        problems += [f"The unknown leads that are due ({unknown}) could not be settled. {error}"]
    if problems:
        return Failed(message=" ".join([*problems, f"The rest is done: {rescued} leads taken over."]), data=counts)
    return counts


async def settle_unknown(config: Path) -> Reconciled:
    """Open the source and LeadByte, and probe the unknown leads that are due."""
    with open_pipeline(config, read_block) as pipeline:
        async with open_run(pipeline, Account(started_at=pipeline.clock())) as run:
            reconciled = await reconcile(run)
            if outage := run.exchange.breaker.outage:
                raise LeadByteUnavailable(outage)
            return reconciled
