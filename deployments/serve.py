"""Serve a pipeline from this process: `python -m deployments.serve leadgate.yaml`, on a laptop or one machine.

Runs every 5 minutes, as soon as enrichment arrives, and whenever somebody asks for it in the Prefect UI, until Ctrl-C.
Needs a Prefect server: `prefect server start` in another terminal, and PREFECT_API_URL=http://127.0.0.1:4200/api here.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger

from flows.release_leads import release_leads
from flows.watch_enrichment import watch_enrichment
from leadgate.config import load_config
from leadgate.errors import ConfigError
from tasks.announce import EVENT

EVERY = timedelta(minutes=5)
WATCH_FOR = timedelta(minutes=10)


def main(arguments: list[str]) -> int:
    """Check the pipeline file named by the first argument, then serve its runs."""
    path = Path(arguments[0] if arguments else "leadgate.yaml").resolve()
    try:
        config = load_config(path)
    except ConfigError as error:
        for problem in error.problems:
            print(f"leadgate: {problem}", file=sys.stderr)  # noqa: T201 - a command speaks
        return 2
    # A deployment that apply has made keeps its id here, and its alarm for runs whose heartbeats stop.
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")
    serve(*deployments_of(path, config.pipeline))
    return 0


def deployments_of(path: Path, pipeline: str) -> list[RunnerDeployment]:
    """What is served for a pipeline: the main job, and the watch whose event starts it."""
    tags = ["leadgate", f"pipeline:{pipeline}"]
    arrival = DeploymentEventTrigger(
        name=f"leadgate-on-arrival-{pipeline}",
        expect={EVENT},
        match={"prefect.resource.id": f"leadgate.pipeline.{pipeline}"},
    )
    return [
        RunnerDeployment.from_flow(
            release_leads,
            name=f"release-leads-{pipeline}",
            description=f"Release or reject the leads of {pipeline} whose enrichment has arrived.",
            tags=tags,
            interval=EVERY,
            triggers=[arrival],
            parameters={"config": str(path)},
        ),
        RunnerDeployment.from_flow(
            watch_enrichment,
            name=f"watch-enrichment-{pipeline}",
            description=f"Watch the source of {pipeline}, and start the other when something has arrived.",
            tags=tags,
            interval=WATCH_FOR,
            parameters={"config": str(path), "watch_for": f"{WATCH_FOR.total_seconds():.0f}s"},
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
