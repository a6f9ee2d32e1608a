"""What a server has of leadgate's that nobody wants any more. Nothing here speaks to one."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.schemas.automations import Automation

from deployments.automations import alarms_of_all, alarms_of_one
from deployments.wanted import TAG, deployment_names, trigger_names

_OF_PIPELINE = "pipeline:"
_NAMED = re.compile(rf"{TAG}-[a-z-]+")


class Found(NamedTuple):
    """Everything of leadgate's on a server, whoever made it."""

    deployments: Sequence[DeploymentResponse]
    automations: Sequence[Automation]

    @property
    def pipelines(self) -> list[str]:
        """The pipelines that have deployments as apply makes them."""
        return sorted({name for each in self.deployments if each.name in deployment_names(name := pipeline_of(each))})

    def of(self, pipeline: str) -> "Found":
        """What belongs to one pipeline: what carries its tag, and its automations by their names."""
        mine = [each for each in self.deployments if pipeline_of(each) == pipeline]
        names = automation_names(pipeline)
        return Found(mine, [each for each in self.automations if each.name in names])


def is_ours(automation: Automation) -> bool:
    """Whether an automation carries our tag, or is named as ours are."""
    return TAG in automation.tags or bool(_NAMED.match(automation.name))


def pipeline_of(deployment: DeploymentResponse) -> str:
    """The pipeline that a deployment is tagged with, or none."""
    tags = sorted(tag for tag in deployment.tags if tag.startswith(_OF_PIPELINE))
    return tags[0].removeprefix(_OF_PIPELINE) if tags else ""


def automation_names(pipeline: str) -> set[str]:
    """The automations that apply makes for a pipeline: its triggers and its own alarms."""
    return trigger_names(pipeline) | {each.name for each in alarms_of_one(pipeline, None)}


def leftovers(found: Found, pipelines: Iterable[str]) -> Iterator[str]:
    """Name what is no part of the given pipelines nor of another, and how it is deleted."""
    pipelines = set(pipelines)
    for each in found.deployments:
        pipeline = pipeline_of(each)
        if (pipeline in pipelines or not pipeline) and each.name not in deployment_names(pipeline):
            yield f"not in the manifest: deployment {each.name}. `prefect deployment delete --id {each.id}` removes it."
    known = {each.name for each in alarms_of_all([], None)}
    known |= {name for pipeline in pipelines | set(found.pipelines) for name in automation_names(pipeline)}
    for automation in found.automations:
        if automation.name not in known:
            yield (
                f"not in the manifest: automation {automation.name}. "
                f"`prefect automation delete --id {automation.id}` removes it."
            )


def others(found: Found, pipelines: Iterable[str]) -> list[str]:
    """The other pipelines of the server, which these files say nothing of."""
    return sorted(set(found.pipelines) - set(pipelines))
