"""What a Prefect server should hold for some pipeline files. Nothing here speaks to one."""

import inspect
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import construct_schedule
from prefect.events import DeploymentEventTrigger
from prefect.flows import load_flow_from_entrypoint
from ruamel.yaml import YAML

from leadgate.config import load_config
from leadgate.errors import ConfigError, problems_of

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "deployments" / "prefect.yaml"
TAG = "leadgate"


class PipelineFile(NamedTuple):
    """A pipeline file as its runs are to find it."""

    pipeline: str
    config: str


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
    manifest = YAML(typ="safe").load(MANIFEST.read_text("utf-8"))
    checkout = os.environ.get("LEADGATE_CHECKOUT", str(ROOT))
    pull = [_filled(step, {"{{ $LEADGATE_CHECKOUT }}": checkout}) for step in manifest["pull"]]
    return [_deployment(entry, file, pull) for entry in manifest["deployments"]]


def _read_file(path: Path) -> PipelineFile:
    pipeline = load_config(path).pipeline
    resolved = path.resolve()
    # A path inside the checkout is the same wherever the checkout is; any other is the same on every machine.
    found_as = resolved.relative_to(ROOT) if resolved.is_relative_to(ROOT) else resolved
    return PipelineFile(pipeline, str(found_as))


def _deployment(entry: Mapping[str, Any], file: PipelineFile, pull: list[Any]) -> WantedDeployment:
    entry = _filled(entry, {"leadgate.yaml": file.config, "leadgate.pipeline.*": f"leadgate.pipeline.{file.pipeline}"})
    flow: Any = load_flow_from_entrypoint(f"{ROOT}/{entry['entrypoint']}")
    schedules = [
        DeploymentScheduleCreate(
            slug=schedule["slug"],
            schedule=construct_schedule(**{key: value for key, value in schedule.items() if key != "slug"}),
        )
        for schedule in entry.get("schedules", ())
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
