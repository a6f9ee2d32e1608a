"""The deployments as Prefect's own tools take them: deployed, served and run from their files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow, get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.flows import load_flow_from_entrypoint
from ruamel.yaml import YAML

from deployments import serve
from flows.release_leads import release_leads
from leadgate.sandbox import Sandbox
from tests.support.pipelines import Practice

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "deployments" / "prefect.yaml"


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


@pytest.fixture
def client(prefect_server: str) -> Iterator[SyncPrefectClient]:
    """A client of the tests' server, where the work pool is there; the deployments are deleted in the end."""
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="leadgate", type="process"), overwrite=True)
        yield client
        for deployment in client.read_deployments():
            client.delete_deployment(deployment.id)


def test_every_deployment_names_a_flow_that_is_there(manifest: dict[str, Any]) -> None:
    """Each entrypoint loads, as a worker loads it."""
    flows = {"every-5-minutes": "release-leads", "by-hand": "release-leads"}
    flows |= {name: name for name in ("reconcile-unknown", "maintain-ledger")}
    assert [entry["name"] for entry in manifest["deployments"]] == list(flows)
    for entry in manifest["deployments"]:
        path, _, name = entry["entrypoint"].partition(":")
        loaded: Flow[..., Any] = load_flow_from_entrypoint(f"{ROOT / path}:{name}")
        assert loaded.name == flows[entry["name"]]
        assert entry["parameters"].keys() <= loaded.parameters.properties.keys()


def test_the_manifest_deploys_and_a_deployment_runs(
    client: SyncPrefectClient, tmp_path: Path, leadbyte: Sandbox, pipeline: Practice
) -> None:
    """`prefect deploy --all` makes every deployment; a run of one, executed as a worker does, acts on the lead."""
    deployed = prefect("deploy", "--all", "--prefect-file", str(MANIFEST), LEADGATE_CHECKOUT=str(ROOT))
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    found = {deployment.name: deployment for deployment in client.read_deployments()}
    assert found.keys() == {"every-5-minutes", "by-hand", "reconcile-unknown", "maintain-ledger"}
    assert all(deployment.tags == ["leadgate"] for deployment in found.values())
    assert all(deployment.work_pool_name == "leadgate" for deployment in found.values())
    assert [vars(schedule.schedule)["interval"].total_seconds() for schedule in found["every-5-minutes"].schedules] == [
        300
    ]
    assert found["by-hand"].schedules == []

    pipeline.quarantine(1)
    pipeline.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.9)
    run = client.create_flow_run_from_deployment(
        found["by-hand"].id, parameters={"config": str(pipeline.file), "limit": 10}
    )
    executed = prefect("flow-run", "execute", str(run.id), LEADGATE_CHECKOUT=str(ROOT))
    assert executed.returncode == 0, executed.stdout + executed.stderr
    kept = client.read_flow_run(run.id)
    assert kept.state
    assert kept.state.is_completed(), kept.state
    assert set(kept.tags) == {"leadgate", "pipeline:acme"}
    assert leadbyte.acts.keys() == {"1"}


def test_serving_a_file_that_is_wrong_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m deployments.serve FILE` ends with 2 and the message that the command gives."""
    assert serve.main([str(tmp_path / "nowhere.yaml")]) == 2
    assert capsys.readouterr().err == (
        f"leadgate: {tmp_path}/nowhere.yaml: there is no such file. "
        "`leadgate init` writes one to start from; --config names another.\n"
    )


def test_the_flows_parameters_can_be_filled_in_by_a_person() -> None:
    """The form that the Prefect UI draws: what each parameter means, its type and its default."""
    properties = release_leads.parameters.properties
    assert list(properties) == ["config", "limit", "watch_for"]
    assert all(properties[name]["description"] for name in properties)
    assert (properties["config"]["type"], properties["config"]["default"]) == ("string", "leadgate.yaml")
    assert properties["limit"]["anyOf"] == [{"minimum": 1, "type": "integer"}, {"type": "null"}]
    assert properties["watch_for"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert release_leads.parameters.required == []
