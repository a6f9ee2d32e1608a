"""Keep the page of `leadgate report` where the pipeline file wants it, and what waiting costs in the Prefect UI."""

import asyncio
from datetime import timedelta
from pathlib import Path

from prefect import get_run_logger, task
from prefect.artifacts import acreate_link_artifact, acreate_markdown_artifact

from leadgate.config import PipelineConfig
from leadgate.extras import require_extra
from leadgate.ledger import Ledger
from leadgate.report import read_facts, write_report
from leadgate.report.facts import LAST_WEEK
from leadgate.unexpected import guarded
from leadgate.waits import count_waits
from leadgate.waits.words import as_markdown, headline
from tasks.outside import AGAIN_WHEN_DOWN
from tasks.page import Page
from tasks.report import artifact_key

_LAST_MONTH = timedelta(days=30)


@task(name="publish-report", **AGAIN_WHEN_DOWN)
@guarded
async def publish_report(ledger: Ledger, config: PipelineConfig, base_dir: Path) -> None:
    """Write the page about the last week to `report.path`; the link is made where `report.url` says what it is.

    A file on a worker's disk cannot be opened from the UI: whoever sets the address sees to it that it can.
    """
    if config.report is None:
        return
    require_extra("report", "report.path")
    path, now = base_dir / config.report.path, ledger.now()
    await asyncio.to_thread(lambda: write_report(read_facts(ledger, config, since=LAST_WEEK, now=now), path))
    get_run_logger().info("event=report_written path=%s", path)
    if config.report.url:
        await Page().show(
            acreate_link_artifact(
                config.report.url,
                link_text=f"How {config.pipeline} does",
                key=artifact_key(config.pipeline, "report"),
                description=f"The page about {config.pipeline} as of {now:%Y-%m-%d %H:%M}Z.",
            )
        )


@task(name="publish-waits", **AGAIN_WHEN_DOWN)
@guarded
async def publish_waits(ledger: Ledger, config: PipelineConfig) -> None:
    """Show what the deadline and the required columns have cost in the last month, as `leadgate waits` counts it."""
    now = ledger.now()
    found = await asyncio.to_thread(count_waits, ledger, config, since=now - _LAST_MONTH, now=now)
    if not found.groups:
        return
    title = headline(found.groups[0])
    await Page().show(
        acreate_markdown_artifact(
            as_markdown(found), key=artifact_key(config.pipeline, "waits"), description=f"What waiting costs: {title}."
        )
    )
