"""The deployments as Prefect's own tools take them: deployed, served and run from their files."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow, get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events import DeploymentEventTrigger, ResourceSpecification
from prefect.flows import load_flow_from_entrypoint
from ruamel.yaml import YAML

from deployments import serve
from flows.release_leads import release_leads
from flows.resolve_reviews import resolve_reviews
from leadgate.sandbox import Sandbox
from tasks.announce import EVENT
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "deployments" / "prefect.yaml"
RESOURCE = "leadgate.pipeline.acme"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """What deployments/prefect.yaml says."""
    found: dict[str, Any] = YAML(typ="safe").load(MANIFEST.read_text("utf-8"))
    return found


def prefect(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Prefect's command at the top of the checkout, as deployments/prefect.yaml says."""
    return subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
        cwd=ROOT,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.fixture(scope="module")
def client(prefect_server: str) -> Iterator[SyncPrefectClient]:
    """A client of the tests' server, where the work pool is there; the deployments are deleted in the end."""
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="leadgate", type="process"), overwrite=True)
        yield client
        for deployment in client.read_deployments():
            client.delete_deployment(deployment.id)


@pytest.fixture(scope="module")
def deployed(client: SyncPrefectClient) -> dict[str, DeploymentResponse]:
    """Every deployment by its name, made by `prefect deploy --all`."""
    deployed = prefect("deploy", "--all", "--prefect-file", str(MANIFEST), LEADGATE_CHECKOUT=str(ROOT))
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    return {deployment.name: deployment for deployment in client.read_deployments()}


def test_every_deployment_names_a_flow_that_is_there(manifest: dict[str, Any]) -> None:
    """Each entrypoint loads, as a worker loads it."""
    flows = dict.fromkeys(("every-5-minutes", "by-hand", "on-arrival"), "release-leads")
    flows |= {name: name for name in ("watch-enrichment", "reconcile-unknown", "resolve-reviews", "maintain-ledger")}
    assert [entry["name"] for entry in manifest["deployments"]] == list(flows)
    for entry in manifest["deployments"]:
        path, _, name = entry["entrypoint"].partition(":")
        loaded: Flow[..., Any] = load_flow_from_entrypoint(f"{ROOT / path}:{name}")
        assert loaded.name == flows[entry["name"]]
        assert entry["parameters"].keys() <= loaded.parameters.properties.keys()


def test_the_manifest_deploys_and_a_deployment_runs(
    client: SyncPrefectClient,
    deployed: dict[str, DeploymentResponse],
    manifest: dict[str, Any],
    leadbyte: Sandbox,
    pipeline: Practice,
) -> None:
    """`prefect deploy --all` makes every deployment; a run of one, executed as a worker does, acts on the lead."""
    assert deployed.keys() == {entry["name"] for entry in manifest["deployments"]}
    assert all(deployment.tags == ["leadgate"] for deployment in deployed.values())
    assert all(deployment.work_pool_name == "leadgate" for deployment in deployed.values())
    intervals = {
        name: [vars(schedule.schedule)["interval"].total_seconds() for schedule in deployment.schedules]
        for name, deployment in deployed.items()
    }
    assert {name: found for name, found in intervals.items() if found} == {
        "every-5-minutes": [300],
        "watch-enrichment": [600],
        "maintain-ledger": [3600],
    }

    pipeline.quarantine(1)
    pipeline.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.9)
    run = client.create_flow_run_from_deployment(
        deployed["by-hand"].id, parameters={"config": str(pipeline.file), "limit": 10}
    )
    executed = prefect("flow-run", "execute", str(run.id), LEADGATE_CHECKOUT=str(ROOT))
    assert executed.returncode == 0, executed.stdout + executed.stderr
    kept = client.read_flow_run(run.id)
    assert kept.state
    assert kept.state.is_completed(), kept.state
    assert set(kept.tags) == {"leadgate", "pipeline:acme"}
    assert leadbyte.acts.keys() == {"1"}


@pytest.fixture
def documented(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run the command of docs/events.md as it stands, but for the resource that the event is about."""
    (command,) = re.findall(r"```sh\n(curl .*?)```", (ROOT / "docs" / "events.md").read_text("utf-8"), re.DOTALL)
    if not shutil.which("uuidgen"):
        stand_in = tmp_path / "uuidgen"
        stand_in.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'import uuid; print(uuid.uuid4())'\n")
        stand_in.chmod(0o755)

    def run(resource: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-euc", command.replace(RESOURCE, resource)],
            env=os.environ | {"PATH": f"{os.environ['PATH']}:{tmp_path}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_the_documented_event_starts_a_run(
    client: SyncPrefectClient,
    deployed: dict[str, DeploymentResponse],
    documented: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    """Once an event, for any pipeline and no other resource, with the file that the deployment names."""

    def started() -> list[FlowRun]:
        of_deployment = DeploymentFilter(id=DeploymentFilterId(any_=[deployed["on-arrival"].id]))
        return client.read_flow_runs(deployment_filter=of_deployment)

    for resource in ("crm.import", RESOURCE, "leadgate.pipeline.another"):
        posted = documented(resource)
        assert posted.returncode == 0, posted.stderr
    wait_until(lambda: len(started()) >= 2, what="two of the events have started a run each")
    runs = started()
    assert len(runs) == 2
    assert all(run.state and run.state.is_scheduled() for run in runs)
    assert all(run.parameters == {"config": "leadgate.yaml"} for run in runs)


def test_serving_a_file_that_is_wrong_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m deployments.serve FILE` ends with 2 and the message that the command gives."""
    assert serve.main([str(tmp_path / "nowhere.yaml")]) == 2
    assert capsys.readouterr().err == (
        f"leadgate: {tmp_path}/nowhere.yaml: there is no such file. "
        "`leadgate init` writes one to start from; --config names another.\n"
    )


def test_what_is_served_watches_and_is_started_by_its_own_pipelines_event(tmp_path: Path) -> None:
    """The event of another pipeline starts nothing here."""
    release, watch = serve.deployments_of(tmp_path / "leadgate.yaml", "acme")
    (trigger,) = release.triggers
    assert isinstance(trigger, DeploymentEventTrigger)
    assert (trigger.expect, trigger.match) == ({EVENT}, ResourceSpecification({"prefect.resource.id": RESOURCE}))
    assert [deployment.flow_name for deployment in (release, watch)] == ["release-leads", "watch-enrichment"]
    assert release.parameters == {"config": str(tmp_path / "leadgate.yaml")}
    assert watch.parameters == release.parameters | {"watch_for": "600s"}
    assert all(set(deployment.tags) == {"leadgate", "pipeline:acme"} for deployment in (release, watch))


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
    """Each field has a type the UI can draw: ids to list, a verdict to choose, and a reason that may not be empty."""
    form = resolve_reviews.parameters
    assert form.required == ["ids", "verdict", "reason", "by"]
    assert all(form.properties[name]["description"] for name in form.properties)
    assert (form.properties["ids"]["type"], form.properties["ids"]["items"]) == ("array", {"type": "string"})
    assert form.definitions["Resolution"]["enum"] == ["process", "reject", "wait"]
    assert (form.properties["reason"]["minLength"], form.properties["by"]["minLength"]) == (3, 1)
    assert form.properties["still_in_quarantine"]["type"] == "boolean"
