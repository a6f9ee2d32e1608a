"""Settle what nobody answered, and nothing else: for when release-leads is paused, or its next run is far away."""

from pathlib import Path

from prefect import flow

from leadgate.clock import utc_now
from leadgate.wiring.pipeline import open_pipeline
from leadgate.wiring.run import open_run
from tasks.rate import share_rate
from tasks.reconcile import reconcile
from tasks.report import name_run


@flow(name="reconcile-unknown", persist_result=False)
async def reconcile_unknown(config: str = "leadgate.yaml") -> dict[str, int]:
    """Take over what dead runs left, and probe the leads whose act got no answer; nothing is processed or rejected.

    Args:
        config: the pipeline file.

    """
    with open_pipeline(Path(config)) as pipeline:
        await name_run(pipeline.config.pipeline, utc_now())
        async with share_rate(pipeline.config.leadbyte) as take_turn, open_run(pipeline, take_turn) as run:
            reconciled = await reconcile(pipeline, run)
    return {"probed": reconciled.probed, "inferred": len(reconciled.inferred)}
