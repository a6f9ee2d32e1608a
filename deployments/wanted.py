"""What a Prefect server should hold for some pipeline files. Nothing here speaks to one."""

import inspect
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import construct_schedule
from prefect.events import DeploymentEventTrigger
from prefect.flows import load_flow_from_entrypoint
from ruamel.yaml import YAML

from leadgate.config import ScheduleConfig, load_config
from leadgate.errors import ConfigError, problems_of

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "deployments" / "prefect.yaml"
TAG = "leadgate"
ENTRIES = "for_each_pipeline"
"""The key of the manifest; Prefect reads another one, and must not find these."""
MAIN = "release-leads"
"""The deployment that the file's own schedule starts."""


class PipelineFile(NamedTuple):
    """A pipeline file as its runs are to find it."""

    pipeline: str
    config: str
    schedule: ScheduleConfig | None = None
    """In place of the manifest's, for release-leads."""


class WantedDeployment(NamedTuple):
    """One deployment of one pipeline, with the triggers that start it."""

    flow: str
    name: str
    fields: Mapping[str, Any]
    schedules: Sequence[DeploymentScheduleCreate]
    triggers: Sequence[DeploymentEventTrigger]


def read_files(paths: Iterable[Path]) -> list[PipelineFile]:
    """Read the pipeline files; raise ConfigError naming every fault of all of them."""
    files: list[PipelineFile] = []
    problems: list[str] = []
    for path in paths:
        try:
            files.append(_read_file(path))
        except ConfigError as error:
            problems += problems_of(error)
    for place, file in enumerate(files):
        problems += [
            f"{file.config} and {other.config}: both are `pipeline: {file.pipeline}`; rename one"
            for other in files[:place]
            if other.pipeline == file.pipeline
        ]
    if problems:
        raise ConfigError(problems)
    return files


def wanted_deployments(file: PipelineFile) -> list[WantedDeployment]:
    """Read the manifest for one pipeline."""
    manifest = read_manifest()
    checkout = os.environ.get("LEADGATE_CHECKOUT", str(ROOT))
    pull = [_filled(step, {"{{ $LEADGATE_CHECKOUT }}": checkout}) for step in manifest["pull"]]
    return [_deployment(entry, file, pull) for entry in manifest[ENTRIES]]


def read_manifest() -> Mapping[str, Any]:
    """Read the manifest as it stands."""
    found: Mapping[str, Any] = YAML(typ="safe").load(MANIFEST.read_text("utf-8"))
    return found


def deployment_names(pipeline: str) -> set[str]:
    """What the deployments of a pipeline are called."""
    return {f"{entry['name']}-{pipeline}" for entry in _entries()}


def trigger_names(pipeline: str) -> set[str]:
    """What the automations are called that start a pipeline's deployments."""
    return {f"{trigger['name']}-{pipeline}" for entry in _entries() for trigger in entry.get("triggers", ())}


@cache
def _entries() -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = read_manifest()[ENTRIES]
    return found


def _read_file(path: Path) -> PipelineFile:
    config = load_config(path)
    resolved = path.resolve()
    # A path inside the checkout is the same wherever the checkout is; any other is the same on every machine.
    found_as = resolved.relative_to(ROOT) if resolved.is_relative_to(ROOT) else resolved
    return PipelineFile(config.pipeline, str(found_as), config.schedule)


def _deployment(entry: Mapping[str, Any], file: PipelineFile, pull: list[Any]) -> WantedDeployment:
    entry = _filled(entry, {"leadgate.yaml": file.config, "leadgate.pipeline.*": f"leadgate.pipeline.{file.pipeline}"})
    flow: Any = load_flow_from_entrypoint(f"{ROOT}/{entry['entrypoint']}")
    planned = entry.get("schedules", ())
    if file.schedule and entry["name"] == MAIN:
        planned = [_planned(file.schedule) | {"slug": planned[0]["slug"]}]
    schedules = [
        DeploymentScheduleCreate(
            slug=schedule["slug"],
            schedule=construct_schedule(**{key: value for key, value in schedule.items() if key != "slug"}),
        )
        for schedule in planned
    ]
    triggers = [
        DeploymentEventTrigger.model_validate(trigger | {"name": f"{trigger['name']}-{file.pipeline}"})
        for trigger in entry.get("triggers", ())
    ]
    fields = {
        "description": entry["description"],
        "tags": sorted([*entry["tags"], f"pipeline:{file.pipeline}"]),
        "parameters": entry["parameters"],
        "entrypoint": entry["entrypoint"],
        "work_pool_name": entry["work_pool"]["name"],
        "job_variables": entry["work_pool"]["job_variables"],
        "pull_steps": pull,
        "parameter_openapi_schema": _titled(flow),
        "enforce_parameter_schema": True,
    }
    return WantedDeployment(flow.name, f"{entry['name']}-{file.pipeline}", fields, schedules, triggers)


def _planned(schedule: ScheduleConfig) -> dict[str, Any]:
    """The file's own schedule, as the manifest would have it."""
    if schedule.every:
        return {"interval": schedule.every.total_seconds()}
    return {"cron": schedule.cron, "timezone": schedule.time_zone}


def _titled(flow: Any) -> dict[str, Any]:  # noqa: ANN401 - Prefect's Flow, of whatever a flow returns
    """The parameters of a flow, with the titles in its file: Prefect calls each field by its parameter's name."""
    schema: dict[str, Any] = flow.parameters.model_dump(mode="json")
    for name, title in inspect.unwrap(flow.fn).__globals__.get("TITLES", {}).items():
        schema["properties"][name]["title"] = title
    return schema


def _filled(value: Any, words: Mapping[str, str]) -> Any:  # noqa: ANN401 - a document of YAML
    """Replace whole values and keep all else."""
    if isinstance(value, dict):
        return {key: _filled(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    return words.get(value, value) if isinstance(value, str) else value
