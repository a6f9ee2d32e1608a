"""`python -m deployments.apply` on a real server: everything once, nothing the second time, and drift put right."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partialmethod
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient, SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.schemas.automations import AutomationCore

from deployments import apply, serve
from deployments.differences import differences
from deployments.wanted import ENTRIES, read_manifest
from leadgate.sandbox import Sandbox
from tests.deployments.conftest import Apply
from tests.support.http_server import Handler, serving
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

NIGHTLY = {"cron": "0 3 * * *", "timezone": None, "day_or": True}
SCHEDULE_GOES = (
    f"    schedules.nightly: on the server, not in the file: {NIGHTLY} goes. Schedules stand in files: "
    "`schedule:` in the pipeline file for release-leads, deployments/prefect.yaml for the others"
)
SCHEDULE_OFF = (
    "! schedule regular of release-leads/release-leads-acme is off, and stays so: somebody did that, and switches the "
    "schedule on again in the UI (Deployments)"
)
AUTOMATION_OFF = (
    "! automation leadgate-on-arrival-acme is switched off, and stays so: switch it on in the UI (Automations)"
)


def has_planned_runs(client: SyncPrefectClient, deployment_id: UUID) -> bool:
    """Whether the server has planned runs by a deployment's schedule."""
    chosen = DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id]))
    return bool(client.read_flow_runs(deployment_filter=chosen, limit=1))


def test_a_server_is_made_as_the_files_say_and_then_left_alone(
    applied: Apply, client: SyncPrefectClient, pipeline: Practice, leadbyte: Sandbox, tmp_path: Path
) -> None:
    """What somebody changed on the server is shown, and put right; a schedule somebody paused stays paused."""
    code, lines = applied(pipeline.file)
    names = [entry["name"] for entry in read_manifest()[ENTRIES]]
    assert code == 0
    assert [line for line in lines if "deployment" in line] == [f"+ deployment {name}/{name}-acme" for name in names]
    assert sum(line.startswith("+ automation") for line in lines) == 27
    assert applied(pipeline.file) == (0, [apply.NOTHING])
    assert applied("--check", pipeline.file) == (0, [apply.NOTHING])

    release = client.read_deployment_by_name("release-leads/release-leads-acme")
    # A server may take a schedule and never follow it: one whose scheduler fails says so in its own log alone.
    wait_until(lambda: has_planned_runs(client, release.id), what="the server plans runs by the schedule", seconds=90)
    (every,) = release.schedules
    client.update_deployment_schedule(release.id, every.id, active=False)
    extra = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 3 * * *"), slug="nightly")
    client.create_deployment_schedules(release.id, [extra])
    (arrival,) = [each for each in client.read_automations() if each.name == "leadgate-on-arrival-acme"]
    otherwise = arrival.model_dump(exclude={"id", "owner_resource"}) | {"description": "?", "enabled": False}
    client.update_automation(arrival.id, AutomationCore.model_validate(otherwise))
    expected = [
        "~ deployment release-leads/release-leads-acme",
        SCHEDULE_GOES,
        SCHEDULE_OFF,
        AUTOMATION_OFF,
        "~ automation leadgate-on-arrival-acme",
        "    description: ? becomes Leads are due that nobody has taken.",
    ]
    assert applied("--check", pipeline.file) == (1, expected)
    assert applied(pipeline.file) == (0, expected)
    assert applied(pipeline.file) == (0, [SCHEDULE_OFF, AUTOMATION_OFF])
    release = client.read_deployment_by_name("release-leads/release-leads-acme")
    assert [(each.slug, each.active) for each in release.schedules] == [("regular", False)]
    assert [each.enabled for each in client.read_automations() if each.name == arrival.name] == [False]

    pipeline.quarantine(1)
    pipeline.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.9)
    begun = client.create_flow_run_from_deployment(release.id, parameters={"config": str(pipeline.file), "limit": 10})
    executed = subprocess.run(
        [sys.executable, "-m", "prefect", "flow-run", "execute", str(begun.id)],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert executed.returncode == 0, executed.stdout + executed.stderr
    kept = client.read_flow_run(begun.id)
    assert kept.state
    assert kept.state.is_completed(), kept.state
    assert set(kept.tags) == {"leadgate", "pipeline:acme"}
    assert leadbyte.quarantine.acts.keys() == {"1"}


def test_two_pipelines_are_applied_together(
    applied: Apply, client: SyncPrefectClient, pipeline: Practice, tmp_path: Path
) -> None:
    """Each has its deployments; two files of one name are refused."""
    other, text = tmp_path / "beta.yaml", pipeline.file.read_text("utf-8")
    other.write_text(text.replace("pipeline: acme", "pipeline: beta"), "utf-8")
    code, lines = applied(pipeline.file, other)
    assert (code, sum(line.startswith("+ deployment") for line in lines)) == (0, 12)
    other.write_text(text, "utf-8")
    code, lines = applied(pipeline.file, other)
    assert (code, lines) == (2, [f"leadgate: {other} and {pipeline.file}: both are `pipeline: acme`; rename one"])


def test_every_deployment_of_ours_is_seen(
    applied: Apply, client: SyncPrefectClient, pipeline: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are: a server gives no more at a time than it likes, here two."""
    read = PrefectClient.read_deployments
    monkeypatch.setattr(PrefectClient, "read_deployments", partialmethod(read, limit=2))
    flow_id = client.create_flow_from_name("release-leads")
    names = {f"old-{number}" for number in range(5)}
    for name in names:
        client.create_deployment(flow_id, name, tags=["leadgate", "pipeline:acme"])
    _, lines = applied("--check", pipeline.file)
    told = [line for line in lines if line.startswith("! not in the manifest: deployment ")]
    assert {line.split()[6].rstrip(".") for line in told} == names


@pytest.mark.parametrize("main", [apply.main, serve.main])
def test_a_file_that_is_wrong_is_told(
    main: Callable[[list[str]], int], client: SyncPrefectClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and the message is the command's."""
    assert main([str(tmp_path / "nowhere.yaml")]) == 2
    assert capsys.readouterr().err == (
        f"leadgate: {tmp_path}/nowhere.yaml: there is no such file. "
        "`leadgate init` writes one to start from, or name another.\n"
    )


def test_the_watch_is_as_long_as_its_schedule_is_wide() -> None:
    """So that one run takes over from the other without a gap."""
    (watch,) = [entry for entry in read_manifest()[ENTRIES] if entry["name"] == "watch-enrichment"]
    assert timedelta(seconds=watch["schedules"][0]["interval"]) == timedelta(minutes=10)
    assert watch["parameters"]["watch_for"] == "10m"


def run_command(command: str, pipeline: Practice, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run one of the commands of deployments/ as a process of its own; what it was doing meanwhile is left out."""
    ended = subprocess.run(
        [sys.executable, "-m", f"deployments.{command}", str(pipeline.file)],
        env=os.environ | variables,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = ended.stderr.splitlines(keepends=True)
    ended.stderr = "".join(line for line in lines if not line.endswith(" ...\n"))
    return ended


@pytest.mark.parametrize("command", ["apply", "serve", "worker"])
def test_a_server_that_is_not_there_is_one_sentence(command: str, pipeline: Practice) -> None:
    """Without the password that its address may hold."""
    ended = run_command(command, pipeline, PREFECT_API_URL="http://admin:s3cr3t@127.0.0.1:9/api")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("leadgate: The Prefect server at http://127.0.0.1:9/api does not answer (")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["apply", "serve", "worker"])
def test_a_server_that_wants_another_password_is_one_sentence(command: str, pipeline: Practice) -> None:
    """It says which variable has it; the one that was given stands nowhere."""

    class Locked(Handler):
        def respond(self) -> None:
            self.answer(401, b'{"exception_message": "Unauthorized"}')

    with serving(Locked) as place:
        variables = {"PREFECT_API_URL": f"http://{place}/api", "PREFECT_API_AUTH_STRING": "admin:s3cr3t"}
        ended = run_command(command, pipeline, **variables)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"leadgate: The Prefect server at http://{place}/api wants another password")
    assert "PREFECT_API_AUTH_STRING" in ended.stderr
    assert (ended.stderr.count("\n"), "s3cr3t" in ended.stderr) == (1, False)


def test_a_server_that_does_not_understand_is_one_sentence(pipeline: Practice) -> None:
    """Prefect 3.8.8 with fastapi 0.151 answers so: the page says which versions go together."""

    class Unprocessable(Handler):
        def respond(self) -> None:
            self.answer(422, b"{}")

    with serving(Unprocessable) as place:
        ended = run_command("apply", pipeline, PREFECT_API_URL=f"http://{place}/api")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"leadgate: The Prefect server at http://{place}/api refused a request (HTTP 422): its Prefect and "
        "its libraries may not go together; docs/upgrading.md says which do.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PREFECT_API_URL", "usr:s3cr3t@127.0.0.1/api", "the address in PREFECT_API_URL"),
        ("PREFECT_API_URL", "http://usr:s3cr3t@127.0.0.1:abc/api", "the address in PREFECT_API_URL"),
        ("PREFECT_CLIENT_MAX_RETRIES", "s3cr3t", "PREFECT_CLIENT_MAX_RETRIES: holds what Prefect cannot read"),
        ("PREFECT_LOGGING_LEVEL", "s3cr3t", "PREFECT_LOGGING_LEVEL: holds what Prefect cannot read"),
    ],
)
@pytest.mark.parametrize("command", ["apply", "serve"])
def test_an_odd_setting_of_prefect_is_one_sentence(
    command: str, name: str, value: str, said: str, pipeline: Practice
) -> None:
    """The variable is named, and what it holds is not."""
    ended = run_command(command, pipeline, **{name: value})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "s3cr3t" not in ended.stderr.lower()
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [apply, serve], ids=["apply", "serve"])
def test_what_nobody_foresaw_is_one_sentence_too(
    command: ModuleType, pipeline: Practice, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its type and place; with LEADGATE_TRACEBACK it goes on."""

    def fail(*_: object) -> None:
        raise ValueError("Jane Doe")

    monkeypatch.setattr(command, "read_files", fail)
    monkeypatch.delenv("LEADGATE_TRACEBACK", raising=False)
    assert command.main([str(pipeline.file)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("leadgate: unexpected ValueError at ")
    assert "Jane" not in said
    monkeypatch.setenv("LEADGATE_TRACEBACK", "1")
    with pytest.raises(ValueError, match="Jane Doe"):
        command.main([str(pipeline.file)])


def test_long_values_are_shown_where_they_differ() -> None:
    """Two of which only the beginning is seen would look the same."""
    long = "a" * 200
    [line] = differences({"text": f"{long} new words"}, {"text": f"{long} old words"})
    assert (line.startswith("text: ...a"), "old words becomes ...a" in line, line.endswith("new words")) == (True,) * 3
    assert differences({"text": "b" + long}, {"text": long}) == [f"text: {'a' * 60}... becomes b{'a' * 59}..."]
    assert differences({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"d": 3}}) == [
        "b.c: new: 2",
        "b.d: on the server, not in the file: 3 goes",
    ]
