"""What people do to a server besides apply: serve, `prefect deploy`, the UI; and how a pipeline is taken off."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.events import DeploymentEventTrigger

from deployments import apply
from deployments.leftovers import automation_names
from leadgate.clock import utc_now
from tests.deployments.conftest import Apply
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
RELEASE = "release-leads/release-leads-acme"
PAUSED = (
    f"! deployment {RELEASE} is paused, and stays so: somebody did that, and switches the deployment on again in "
    "the UI (Deployments)"
)


@pytest.fixture
def beta(pipeline: Practice, tmp_path: Path) -> Path:
    """Another pipeline's file."""
    other = tmp_path / "beta.yaml"
    other.write_text(pipeline.file.read_text("utf-8").replace("pipeline: acme", "pipeline: beta"), "utf-8")
    return other


def serve_and_stop(pipeline: Practice, client: SyncPrefectClient) -> None:
    """Serve until it asks for runs, then end it as Ctrl-C does."""
    began_at = utc_now()

    def is_served() -> bool:
        asked = [each.last_polled for each in client.read_deployments()]
        return len(asked) == 6 and all(at is not None and at > began_at for at in asked)

    argv = [sys.executable, "-m", "deployments.serve", str(pipeline.file)]
    served = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(is_served, what="it is served", seconds=60)
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(60)


def test_what_was_served_is_taken_over_and_what_somebody_paused_is_not(
    applied: Apply, client: SyncPrefectClient, pipeline: Practice
) -> None:
    """On an empty server, and over what was applied before; in the end nothing differs."""
    for _ in range(2):
        serve_and_stop(pipeline, client)
        assert client.read_deployment_by_name(RELEASE).paused
        code, lines = applied("--check", pipeline.file)
        assert code == 1
        assert "    paused: when it was served no more; it works again from now on" in lines
        assert client.read_deployment_by_name(RELEASE).paused
        assert applied(pipeline.file)[0] == 0
        assert not any(each.paused for each in client.read_deployments())
        assert {each.work_pool_name for each in client.read_deployments()} == {"leadgate"}
        assert applied("--check", pipeline.file) == (0, [apply.NOTHING])

    paused = client.read_deployment_by_name(RELEASE)
    client.pause_deployment(paused.id)
    assert applied("--check", pipeline.file) == (1, [PAUSED])
    assert applied(pipeline.file) == (0, [PAUSED])
    assert client.read_deployment_by_name(RELEASE).paused


@pytest.mark.parametrize("which", [["--all"], ["--name", "release-leads"]])
def test_prefect_deploy_ends_with_what_to_type(client: SyncPrefectClient, which: list[str]) -> None:
    """Before it has made anything, with a work pool of the name or without."""
    ended = subprocess.run(
        [sys.executable, "-m", "prefect", "deploy", *which, "--prefect-file", "deployments/prefect.yaml"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 1
    assert ended.stderr.endswith("Type: python -m deployments.apply leadgate.yaml\n")
    assert client.read_deployments() == []


def test_leftovers_are_named_and_other_pipelines_are_left_alone(
    applied: Apply, client: SyncPrefectClient, pipeline: Practice, beta: Path
) -> None:
    """Deployments and automations that no file wants are drift, with how to delete them; another pipeline is none."""
    assert applied(pipeline.file, beta)[0] == 0
    note = "Not among these files, and left alone: beta. `--remove NAME` takes one off."
    assert applied("--check", pipeline.file) == (0, [apply.NOTHING, note])

    flow_id = client.create_flow_from_name("release-leads")
    old = client.create_deployment(flow_id, "release-leads", tags=["leadgate"])
    trigger = DeploymentEventTrigger(name="leadgate-on-arrival", expect={"leadgate.enrichment.arrived"})
    trigger.set_deployment_id(old)
    automation = client.create_automation(trigger.as_automation())
    named = [
        f"! not in the manifest: deployment release-leads. `prefect deployment delete --id {old}` removes it.",
        f"! not in the manifest: automation {trigger.name}. `prefect automation delete --id {automation}` removes it.",
    ]
    code, lines = applied("--check", pipeline.file)
    assert code == 1
    assert [line for line in lines if "not in the manifest" in line] == named
    for line in named:
        command = line.split("`")[1].split()
        subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True, timeout=60)
    assert applied("--check", pipeline.file) == (0, [apply.NOTHING, note])


def test_a_pipeline_is_taken_off(applied: Apply, client: SyncPrefectClient, pipeline: Practice, beta: Path) -> None:
    """Without its file; the other one is as it was, and with the last one the alarms of all go too."""
    assert applied(pipeline.file, beta)[0] == 0
    pipeline.file.unlink()
    ours = len(automation_names("acme"))
    code, lines = applied("--check", "--remove", "acme")
    assert code == 1
    assert sum(line.startswith("- ") for line in lines) == 6 + ours
    assert len(client.read_deployments()) == 12

    code, lines = applied("--remove", "acme")
    assert code == 0
    assert sum(line.startswith("- deployment ") for line in lines) == 6
    assert sum(line.startswith("- automation ") for line in lines) == ours
    assert {tag for each in client.read_deployments() for tag in each.tags} == {"leadgate", "pipeline:beta"}
    assert applied("--check", beta) == (0, [apply.NOTHING])
    missing = "leadgate: there is no pipeline acme on this server; there are: beta"
    assert applied("--remove", "acme") == (2, [missing])
    assert applied("--remove", "beta")[0] == 0
    assert client.read_deployments() == []
    assert client.read_automations() == []
    assert applied("--remove", "beta")[1] == [
        "leadgate: there is no pipeline beta on this server; there is none at all"
    ]


def test_a_pipeline_has_a_schedule_of_its_own(applied: Apply, client: SyncPrefectClient, pipeline: Practice) -> None:
    """In place of the manifest's; one that somebody made in the UI goes, and apply says where schedules stand."""

    def schedules() -> list[object]:
        return [each.schedule for each in client.read_deployment_by_name(RELEASE).schedules]

    assert applied(pipeline.file)[0] == 0
    pipeline.edit("policy:\n", 'schedule: {cron: "*/5 8-18 * * 1-5", time_zone: Europe/London}\npolicy:\n')
    code, lines = applied("--check", pipeline.file)
    assert code == 1
    assert "    schedules.regular.cron: new: */5 8-18 * * 1-5" in lines
    assert applied(pipeline.file)[0] == 0
    assert schedules() == [CronSchedule(cron="*/5 8-18 * * 1-5", timezone="Europe/London")]
    assert applied("--check", pipeline.file) == (0, [apply.NOTHING])

    pipeline.edit('{cron: "*/5 8-18 * * 1-5", time_zone: Europe/London}', "{every: 15m}")
    release = client.read_deployment_by_name(RELEASE)
    client.create_deployment_schedules(release.id, [DeploymentScheduleCreate(schedule=CronSchedule(cron="0 3 * * *"))])
    code, lines = applied(pipeline.file)
    assert code == 0
    (told,) = [line for line in lines if "(without a slug)" in line]
    assert "`schedule:` in the pipeline file" in told
    (every,) = schedules()
    assert isinstance(every, IntervalSchedule)
    assert every.interval.total_seconds() == 900
    assert applied("--check", pipeline.file) == (0, [apply.NOTHING])


def test_each_line_is_printed_as_it_happens(client: SyncPrefectClient, pipeline: Practice) -> None:
    """Also into a pipe: the first is there while the rest is still to be done."""
    argv = [sys.executable, "-m", "deployments.apply", str(pipeline.file)]
    env = os.environ | {"PYTHONUNBUFFERED": ""}
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=env) as applying:
        assert applying.stdout
        lines = iter(applying.stdout)
        first = next(line for line in lines if line.startswith("+ deployment"))
        assert len(client.read_deployments()) < 6
        assert sum(line.startswith("+ deployment") for line in lines) == 5, first
    assert applying.returncode == 0
