"""The main job: register -> wait -> decide -> update -> act -> report, in waves of leads.

Two runs of it at once are safe: exclusion lives in the ledger's leases, not in Prefect's limits.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed
from pydantic import Field

from leadgate.config import parse_duration
from leadgate.delivery import Delivery, Preparation
from leadgate.errors import LeadByteError
from leadgate.summary import Summary
from leadgate.wiring import build_client, open_pipeline, utc_now
from tasks.act import act
from tasks.decide import decide
from tasks.register import register
from tasks.report import Progress, name_run, report
from tasks.update import update
from tasks.wait import look, watch

WAVE = 1000
"""Leads a task run takes: large enough that Prefect's cost vanishes, small enough to show progress."""


@flow(name="release-leads", persist_result=False)
async def release_leads(
    config: str = "leadgate.yaml", limit: Annotated[int, Field(ge=1)] | None = None, watch_for: str | None = None
) -> Summary | State[Summary]:
    """Release or reject every lead of a pipeline whose enrichment has arrived.

    Args:
        config: the pipeline file.
        limit: decide at most this many leads in this run.
        watch_for: stay this long (90s, 15m, 24h) and take arrivals as they come.

    """
    started_at = utc_now()
    until = started_at + parse_duration(watch_for) if watch_for else started_at
    with open_pipeline(Path(config)) as pipeline:
        await name_run(pipeline.config.pipeline, started_at)
        ledger, delivery_config = pipeline.ledger, pipeline.config.delivery
        preparation = Preparation(
            config=pipeline.config, source=pipeline.source, ledger=ledger, policy=pipeline.policy, clock=utc_now
        )
        progress = Progress(pipeline)
        trouble: str | None = None
        decided = 0
        async with build_client(pipeline.config) as client:
            delivery = Delivery(config=pipeline.config, ledger=ledger, client=client, clock=utc_now)
            try:
                ledger.rescue(unknown_after=delivery_config.unknown_after, now=started_at)
                registered = register(pipeline)
                arrived = look(pipeline).arrived
                while True:
                    while wave := decide(preparation, WAVE if limit is None else min(WAVE, limit - decided)):
                        decided += len(wave)
                        await act(delivery, await update(delivery, wave))
                        await progress.show()
                    if utc_now() >= until or decided == limit:
                        break
                    more_registered, more_arrived = await watch(pipeline, until)
                    registered = replace(registered, count=registered.count + more_registered)
                    arrived += more_arrived
                trouble = delivery.outage
            except LeadByteError as error:
                trouble = str(error)
            finally:
                ledger.release(now=utc_now())
        summary = await report(
            pipeline,
            registered=registered,
            arrived=arrived,
            went=delivery.tally,
            started_at=started_at,
            trouble=trouble,
        )
    return Failed(message=trouble, data=summary) if trouble else summary
