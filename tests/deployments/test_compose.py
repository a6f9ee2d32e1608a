"""deployments/compose.yaml and the image: what they name is there, and every command does what it is there for.

Containers, and compose itself, are no part of it.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import distribution
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from tests.support.compose import DOCKERFILE, FILE, ROOT, SECRETS, SERVICES, WORKDIR, Stand, files_of, in_order
from tests.support.postgres import PostgresServer
from tests.support.process import Supervised, free_port
from tests.support.waiting import wait_until

STAY = {name for name, service in SERVICES.items() if "restart" in service}
WITH_SECRETS = ROOT / "deployments" / "with-secrets"


def test_every_file_is_there_and_may_be_read() -> None:
    """Mounts and secrets alike, by the users of the images."""
    for name in SERVICES:
        for target, source in files_of(name).items():
            assert source.is_file(), f"{name}: {target} is {source}"
            assert source.stat().st_mode & 0o044 == 0o044, source


@pytest.mark.parametrize("name", ["apply", "worker", "practice-ledger", "practice-run"])
def test_the_pipeline_file_is_where_the_image_looks(name: str) -> None:
    """For apply and the workers at one place; each variable that it asks for is a secret of that name."""
    files = files_of(name)
    assert f"WORKDIR {WORKDIR}\n" in DOCKERFILE
    asked = re.findall(r"\$\{(\w+)\}", files[f"{WORKDIR}/leadgate.yaml"].read_text("utf-8"))
    assert asked
    assert {f"{SECRETS}/{variable}" for variable in asked} <= files.keys()


def test_what_others_wait_for_can_come() -> None:
    """A service that must be healthy stays and has a check; one that must be done does not stay."""
    assert set(in_order()) == set(SERVICES)
    for name, service in SERVICES.items():
        for awaited, how in service.get("depends_on", {}).items():
            is_server = awaited in STAY and "healthcheck" in SERVICES[awaited]
            assert (how["condition"] == "service_healthy") == is_server, f"{name} waits for {awaited}"


def test_a_real_worker_needs_nothing_of_the_practice() -> None:
    """`up worker` starts its services alone, and none of them makes a ledger."""
    needed: set[str] = set()
    ahead = ["worker"]
    while ahead:
        needed.add(name := ahead.pop())
        ahead += SERVICES[name].get("depends_on", {})
    assert needed == {name for name in SERVICES if not name.startswith("practice-")}
    assert [name for name in needed if "ledger" in SERVICES[name].get("command", "")] == []


def test_runs_may_end_before_the_worker_is_killed() -> None:
    """They take 30 seconds at most, and the worker a moment more."""
    assert SERVICES["worker"]["stop_grace_period"] == "40s"


def test_the_image_has_all_that_its_commands_import() -> None:
    """Whatever leadgate, its extras and what builds it require is in the production lock or picked from the other."""
    production = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    (picked,) = re.findall(r"\^\(([a-z|-]+)\)==", DOCKERFILE)
    ahead = [("leadgate", "report"), ("leadgate", "sandbox"), ("hatchling", ""), ("editables", "")]
    seen: set[tuple[str, str]] = set()
    while ahead:
        name, extra = ahead.pop()
        if (name, extra) not in seen:
            seen.add((name, extra))
            required = [Requirement(each) for each in distribution(name).requires or ()]
            ahead += [
                (re.sub(r"[-_.]+", "-", each.name).lower(), one)
                for each in required
                if not each.marker or each.marker.evaluate({"extra": extra})
                for one in each.extras or {""}
            ]
    assert {name for name, _ in seen} - {"leadgate", *production, *picked.split("|")} == set()


def test_secrets_become_variables(tmp_path: Path) -> None:
    """As they are, quotes and all; a folder and a name that is no variable's are left out."""
    written = {"KEY": 'it\'s "$HOME" \\n\n', "no-name": "x", "1ST": "x"}
    for name, value in written.items():
        (tmp_path / name).write_text(value)
    (tmp_path / "FOLDER").mkdir()
    code = (
        f"import os, sys; print({written['KEY'].strip()!r} == os.environ['KEY'], 'FOLDER' in os.environ); sys.exit(3)"
    )
    done = _with_secrets(tmp_path, sys.executable, "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (3, "True False\n", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's place")
def test_a_secret_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """With what to type, before the command is started."""
    (tmp_path / "KEY").write_text("secret")
    (tmp_path / "KEY").chmod(0o600)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    done = _with_secrets(tmp_path, "echo", "started", user=10001)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"user 10001 may not read {tmp_path}/KEY: chmod 644" in done.stderr


def _with_secrets(folder: Path, *argv: str, user: int | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command by the entry of the image, with the secrets of a folder."""
    script = WITH_SECRETS.read_text("utf-8").replace(SECRETS, str(folder))
    return subprocess.run(
        ["/bin/sh", "-c", script, "with-secrets", *argv], capture_output=True, text=True, check=False, user=user
    )


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    """A PostgreSQL as the service `postgres` sets it up: with the user and the database that it is told."""
    server = PostgresServer()
    told = SERVICES["postgres"]["environment"]
    with server.connect("postgres") as connection:
        connection.execute(f"CREATE ROLE {told['POSTGRES_USER']} SUPERUSER LOGIN".encode())
    server.create_database(told["POSTGRES_DB"])
    yield server
    server.stop()


@pytest.mark.timeout(400)
def test_every_command_does_its_part(database: PostgresServer) -> None:
    """Singly, in the order of compose, until leads are released; those that end do so again, as at a second `up`."""
    ports = {"5432": database.port, "4200": free_port(), "8080": free_port()}
    stands = {name: Stand(name, ports) for name in SERVICES}

    def acts() -> int:
        return sum(httpx.get(f"http://127.0.0.1:{ports['8080']}/sandbox/state").json()["acts"].values())

    with ExitStack() as stack:
        running: dict[str, Supervised] = {}
        done: list[str] = []
        for name in in_order():
            if "command" not in SERVICES[name]:
                assert SERVICES[name]["image"].startswith("postgres:")
            elif name in STAY:
                running[name] = stands[name].start()
                stack.callback(running[name].stop)
            else:
                stands[name].run()
                done.append(name)
            if "healthcheck" in SERVICES[name]:
                wait_until(stands[name].is_healthy, what=f"{name} is healthy", seconds=100)
        wait_until(lambda: acts() > 0, what="the practice LeadByte has taken an act", seconds=100)
        again = {name: stands[name].run() for name in done}
        assert "nothing to do" in again["apply"]
        assert "practice: 1,000 leads" in again["practice-ledger"]
        os.kill(running["worker"].pid, signal.SIGTERM)
        wait_until(lambda: _has_ended(running["worker"]), what="the worker has ended with its runs", seconds=40)
        assert _states(ports["4200"], "watch-enrichment") == ["CANCELLED"]


def _has_ended(process: Supervised) -> bool:
    try:
        process.check_running()
    except RuntimeError:
        return True
    return False


def _states(port: int, flow: str) -> list[str]:
    """How the runs of a flow that have begun stand, by a server of the practice."""
    login = (FILE.parent / "practice" / "secrets" / "UI_LOGIN").read_text("utf-8").strip()
    answer = httpx.post(
        f"http://127.0.0.1:{port}/api/flow_runs/filter",
        auth=httpx.BasicAuth(*login.split(":")),
        json={"flows": {"name": {"any_": [flow]}}, "flow_runs": {"start_time": {"is_null_": False}}},
    )
    return [run["state_type"] for run in answer.raise_for_status().json()]
