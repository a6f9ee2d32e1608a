"""Keep the ledger in order between runs: take over leads of dead runs, prune old ones, report, settle lost answers.

Only the last needs the source and LeadByte, and they are asked only where a lead is due to be probed.
"""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed

from leadgate.delivery import Reconciled
from leadgate.errors import LeadByteUnavailable, LeadgateError
from leadgate.ledger import Ledger
from leadgate.ledger.claims import rescue
from leadgate.ledger.pruning import PAUSE, prune
from leadgate.ledger.status import read_due
from leadgate.readable import counted
from leadgate.summary import Account
from leadgate.unexpected import guarded
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.pipeline import open_pipeline
from leadgate.wiring.run import open_run
from tasks.blocks import read_block
from tasks.observed import observe
from tasks.publish import publish_report, publish_waits
from tasks.reconcile import reconcile
from tasks.report import name_run

_PRUNES_FOR = 60
"""Seconds."""

observe()  # here and not in the flow: Prefect opens a run's span before its first line


@flow(name="maintain-ledger", persist_result=False)
@guarded
async def maintain_ledger(config: str = "leadgate.yaml") -> dict[str, int] | State[dict[str, int]]:
    """Take over leads whose lease has ended, prune, report, and probe unknown leads that are due; return the counts.

    Nothing is processed or rejected. Where pruning, the report or the probes fail, the rest is done, and the message
    says so.

    Args:
        config: the pipeline file.

    """
    path = Path(config)
    with ledger_of(path) as (settings, ledger):
        await name_run(settings.pipeline, ledger.now())
        rescued = rescue(ledger, unknown_after=settings.delivery.unknown_after, now=ledger.now())
        get_run_logger().info("event=rescued count=%d", rescued)
        problems = []
        pruned = 0
        try:
            pruned = await prune_settled(ledger, settings.ledger.keep)
        except LeadgateError as error:
            problems += [f"Old leads could not be pruned. {error}"]
        try:
            if settings.report:
                await publish_report(ledger, settings, path.parent)
        except LeadgateError as error:
            problems += [f"The report could not be written. {error}"]
        try:
            await publish_waits(ledger, settings)
        except LeadgateError as error:
            problems += [f"What waiting costs could not be counted. {error}"]
        unknown = read_due(ledger, now=ledger.now()).unknown
    counts = {"rescued": rescued, "pruned": pruned, "probed": 0, "inferred": 0}
    try:
        if unknown:
            reconciled = await settle_unknown(path)
            counts |= {"probed": reconciled.probed, "inferred": len(reconciled.inferred)}
    except LeadgateError as error:
        problems += [f"The unknown leads that are due ({unknown}) could not be settled. {error}"]
    if problems:
        return Failed(
            message=" ".join([*problems, f"The rest is done: {counted(rescued, 'lead')} taken over."]), data=counts
        )
    return counts


async def prune_settled(ledger: Ledger, keep: timedelta | None) -> int:
    """Forget leads that were settled longer ago than `keep`, for a minute at most; return how many.

    The next run goes on with the rest. Other runs write to the ledger between two pieces.
    """
    if keep is None:
        return 0
    pruned, began = 0, time.monotonic()
    for leads in prune(ledger, before=ledger.now() - keep):
        pruned += leads
        if time.monotonic() - began > _PRUNES_FOR:
            break
        await asyncio.sleep(PAUSE)
    get_run_logger().info("event=pruned count=%d", pruned)
    return pruned


async def settle_unknown(config: Path) -> Reconciled:
    """Open the source and LeadByte, and probe the unknown leads that are due."""
    with open_pipeline(config, read_block) as pipeline:
        async with open_run(pipeline, Account(started_at=pipeline.clock())) as run:
            reconciled = await reconcile(run)
            if outage := run.exchange.breaker.outage:
                raise LeadByteUnavailable(outage)
            return reconciled
