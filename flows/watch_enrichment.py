"""Stay and watch the source, and emit an event when leads are due: what starts release-leads without a schedule."""

from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Cancelled
from pydantic import Field

from leadgate.config import read_duration
from leadgate.metrics import EVERYWHERE
from leadgate.stopping import stop_on_signals
from leadgate.unexpected import guarded
from leadgate.wiring.pipeline import open_pipeline
from tasks.announce import announce
from tasks.blocks import read_block
from tasks.observed import observe
from tasks.report import name_run
from tasks.wait import metrics_served

observe()  # here and not in the flow: Prefect opens a run's span before its first line


@flow(name="watch-enrichment", persist_result=False)
@guarded
async def watch_enrichment(
    config: str = "leadgate.yaml",
    watch_for: str = "1h",
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None,
    metrics_host: str = EVERYWHERE,
) -> int | State[int]:
    """Emit `leadgate.enrichment.arrived` for each burst of leads that are due; return how many events there were.

    Nothing is sent to LeadByte. Two runs of it at once only send a duplicate event now and then.

    Args:
        config: the pipeline file.
        watch_for: stay this long (90s, 15m, 24h).
        metrics_port: answer Prometheus on this port meanwhile, and monitors at its path /health.
        metrics_host: the address that the port listens on, such as 127.0.0.1.

    """
    events, told_at = 0, None
    with open_pipeline(Path(config), read_block) as pipeline:
        began_at = pipeline.clock()
        until = began_at + read_duration(watch_for, "watch_for")
        await name_run(pipeline.config.pipeline, began_at)
        with stop_on_signals() as stop:
            async with metrics_served(Path(config), metrics_port, metrics_host, stop):
                while told_at := await announce(pipeline, stop, until, told_at):
                    events += 1
    if stop:
        return Cancelled(
            message=f"Stopped by {stop.signal_name}; leads that are due are told of by the next.", data=events
        )
    return events
