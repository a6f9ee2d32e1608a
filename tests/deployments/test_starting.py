"""What a person or another system starts: by the documented event, by serving a file, and by the forms of the UI."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger, ResourceSpecification

from deployments import apply, serve
from deployments.wanted import ENTRIES, PipelineFile, read_manifest, wanted_deployments
from flows.release_leads import release_leads
from flows.resolve_reviews import resolve_reviews
from leadgate.model import Resolution
from tasks.announce import EVENT
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
RESOURCE = "leadgate.pipeline.acme"


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_the_documented_event_starts_a_run(client: SyncPrefectClient, pipeline: Practice, tmp_path: Path) -> None:
    """Once an event, for its own pipeline and no other resource, with the file that the deployment names."""
    (command,) = re.findall(r"```sh\n(curl .*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    if not shutil.which("uuidgen"):
        stand_in = tmp_path / "uuidgen"
        stand_in.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'import uuid; print(uuid.uuid4())'\n")
        stand_in.chmod(0o755)
    assert apply.main([str(pipeline.file)]) == 0
    release = client.read_deployment_by_name("release-leads/release-leads-acme")

    def started() -> list[FlowRun]:
        """The runs that no schedule has planned."""
        of_deployment = DeploymentFilter(id=DeploymentFilterId(any_=[release.id]))
        return [run for run in client.read_flow_runs(deployment_filter=of_deployment) if not run.auto_scheduled]

    for resource in ("crm.import", "leadgate.pipeline.another", RESOURCE, RESOURCE):
        posted = subprocess.run(
            ["/bin/sh", "-euc", command.replace(RESOURCE, resource)],
            env=os.environ | {"PATH": f"{os.environ['PATH']}:{tmp_path}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert posted.returncode == 0, posted.stderr
    wait_until(lambda: len(started()) >= 2, what="two of the events have started a run each")
    runs = started()
    assert len(runs) == 2
    assert all(run.state and run.state.is_scheduled() for run in runs)
    assert all(run.parameters["config"] == str(pipeline.file) for run in runs)


def test_what_is_served_is_what_the_manifest_says(
    pipeline: Practice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every deployment of it with its schedules; the event of another pipeline starts nothing here."""
    served: list[RunnerDeployment] = []
    monkeypatch.setattr(serve, "serve", lambda *deployments: served.extend(deployments))
    monkeypatch.setattr(os, "environ", os.environ | {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "10"})
    monkeypatch.chdir(tmp_path)
    assert serve.main(["leadgate.yaml"]) == 0
    assert os.environ["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "10"
    manifest = read_manifest()[ENTRIES]
    assert [(each.name, each.flow_name) for each in served] == [
        (f"{entry['name']}-acme", entry["name"]) for entry in manifest
    ]
    for deployment, entry in zip(served, manifest, strict=True):
        assert [each.model_dump(mode="json")["schedule"]["interval"] for each in deployment.schedules or ()] == [
            each["interval"] for each in entry.get("schedules", ())
        ]
        assert deployment.parameters == entry["parameters"] | {"config": str(pipeline.file)}
        assert set(deployment.tags) == {"leadgate", "pipeline:acme"}
    ((trigger,), *others) = [each.triggers for each in served]
    assert isinstance(trigger, DeploymentEventTrigger)
    assert (trigger.expect, trigger.match) == ({EVENT}, ResourceSpecification({"prefect.resource.id": RESOURCE}))
    assert not any(others)


def test_the_flows_parameters_can_be_filled_in_by_a_person() -> None:
    """The form that the Prefect UI draws: what each parameter means, its type and its default."""
    properties = release_leads.parameters.properties
    assert list(properties) == ["config", "limit", "watch_for", "plan"]
    assert all(properties[name]["description"] for name in properties)
    assert (properties["config"]["type"], properties["config"]["default"]) == ("string", "leadgate.yaml")
    assert properties["limit"]["anyOf"] == [{"minimum": 1, "type": "integer"}, {"type": "null"}]
    assert properties["watch_for"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert release_leads.parameters.required == []


def test_a_review_is_decided_by_a_form() -> None:
    """Each field has a type the UI can draw: ids in one text, a verdict to choose, a box to tick."""
    form = resolve_reviews.parameters
    assert form.required == ["verdict", "by"]
    assert [form.properties[name]["type"] for name in ("ids", "rule", "count")] == ["string", "string", "integer"]
    assert form.properties["verdict"]["enum"] == [each for each in Resolution if each is not Resolution.DISCARD]
    assert form.properties["still_in_quarantine"]["type"] == "boolean"


@pytest.mark.parametrize("name", ["resolve-reviews", "pause-pipeline", "resume-pipeline"])
def test_a_form_says_what_each_field_is(name: str, pipeline: Practice) -> None:
    """A title of its own and a plain sentence, whether applied or served: Prefect itself shows a parameter's name."""
    (wanted,) = [each for each in wanted_deployments(PipelineFile("acme", str(pipeline.file))) if each.flow == name]
    schema = wanted.fields["parameter_openapi_schema"]
    for parameter, field in schema["properties"].items():
        assert field["title"] != parameter
        assert field["description"].endswith(".")
        assert "`" not in field["description"]
    assert serve.as_served(wanted)._parameter_openapi_schema.model_dump(mode="json") == schema
