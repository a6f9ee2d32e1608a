"""Keep the page of `leadgate report` where the pipeline file wants it, with a link to it in the Prefect UI."""

import asyncio
from pathlib import Path

from prefect import get_run_logger, task
from prefect.artifacts import acreate_link_artifact

from leadgate.config import PipelineConfig
from leadgate.extras import require_extra
from leadgate.ledger import Ledger
from leadgate.report import read_facts, write_report
from leadgate.report.facts import LAST_WEEK
from leadgate.unexpected import guarded
from tasks.outside import AGAIN_WHEN_DOWN
from tasks.page import Page
from tasks.report import artifact_key


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
