"""deployments/compose.yaml: what it names is there, and every command of it does what it is there for.

Compose itself, and the containers, are not part of it.
"""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import distribution
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement

from leadgate.config import read_duration
from tests.deployments.compose import (
    COMPOSE,
    DOCKERFILE,
    ROOT,
    SERVICES,
    Container,
    files_of,
    in_order,
    on_this_machine,
    venv_programs,
)
from tests.support.postgres import PostgresServer, find_binaries
from tests.support.process import Supervised, free_port
from tests.support.waiting import wait_until

WORKDIR = "/leadgate"
OURS = [name for name, service in SERVICES.items() if service["image"] == "leadgate"]
STAYS = [name for name, service in SERVICES.items() if "restart" in service]


def test_every_file_is_there_and_secrets_are_read_by_name() -> None:
    """Each secret is of the name that the practice's file asks for, and may be read by the user of the image."""
    assert f"WORKDIR {WORKDIR}\n" in DOCKERFILE
    for name, service in SERVICES.items():
        for target, source in files_of(service).items():
            assert source.is_file(), f"{name}: {target} is {source}"
            assert source.stat().st_mode & 0o044 == 0o044, source
    asked = set(re.findall(r"\$\{(\w+)\}", on_this_machine("practice/leadgate.yaml").read_text("utf-8")))
    for name in ("apply", "worker", "practice-ledger"):
        files = files_of(SERVICES[name])
        assert asked <= {Path(each).name for each in files if each.startswith("/run/secrets/")}
        assert f"{WORKDIR}/leadgate.yaml" in files


def test_what_others_wait_for_can_come() -> None:
    """A service that must be healthy has a check and stays; one that must be done does not stay."""
    assert set(in_order()) == set(SERVICES)
    for service in SERVICES.values():
        for awaited, how in service.get("depends_on", {}).items():
            stays = how["condition"] == "service_healthy"
            assert (awaited in STAYS, "healthcheck" in SERVICES[awaited]) == (stays, stays)


def test_the_worker_needs_nothing_of_the_practice() -> None:
    """`up worker` starts what a real pipeline needs alone; a ledger is made by no service of it."""
    needed, ahead = set(), ["worker"]
    while ahead:
        name = ahead.pop()
        needed.add(name)
        ahead += SERVICES[name].get("depends_on", {})
    assert needed == {name for name in SERVICES if not name.startswith("practice-")}
    assert not [name for name in needed if "ledger" in SERVICES[name].get("command", "")]


def test_a_run_may_end_before_its_worker_is_killed() -> None:
    """The 30 seconds of a run, and what the worker needs besides."""
    assert read_duration(SERVICES["worker"]["stop_grace_period"], "stop_grace_period").total_seconds() >= 40


def test_the_image_has_all_that_its_commands_import() -> None:
    """Whatever leadgate and its extras for the report and the sandbox require is installed, from either lock."""
    lock = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE))
    (picked,) = re.findall(r"\^\(([a-z|-]+)\)==", DOCKERFILE)
    installed = lock | set(picked.split("|")) | {"leadgate"}
    ahead, seen = [("leadgate", "report"), ("leadgate", "sandbox")], set()
    while ahead:
        name, extra = ahead.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        assert name in installed, name
        for each in map(Requirement, distribution(name).requires or ()):
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                canonical = re.sub(r"[-_.]+", "-", each.name).lower()
                ahead += [(canonical, one) for one in each.extras or {""}]


def test_secrets_become_variables(tmp_path: Path) -> None:
    """Whatever is in them; what is no variable's name is passed over, and the command's exit code is kept."""
    script = (ROOT / "deployments" / "with-secrets").read_text("utf-8").replace("/run/secrets", str(tmp_path / "s"))
    for name, value in {"A_KEY": "it's $HOME \"q\"\n", "no-name": "x", "1ST": "x"}.items():
        (tmp_path / "s").mkdir(exist_ok=True)
        (tmp_path / "s" / name).write_text(value)
    (tmp_path / "s" / "FOLDER").mkdir()
    (tmp_path / "with-secrets").write_text(script)
    container = Path("/bin/sh")
    code = "import os, sys; print(os.environ['A_KEY'], 'FOLDER' in os.environ); sys.exit(3)"
    import subprocess, sys  # noqa

    done = subprocess.run(
        [container, tmp_path / "with-secrets", sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, "it's $HOME \"q\" False\n")


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    """A PostgreSQL as the image of the service `postgres` sets it up: with the user and the database it is told."""
    server = PostgresServer()
    told = SERVICES["postgres"]["environment"]
    with server.connect("postgres") as connection:
        connection.execute(f"CREATE ROLE {told['POSTGRES_USER']} SUPERUSER LOGIN")
    server.create_database(told["POSTGRES_DB"])
    yield server
    server.stop()


@pytest.mark.timeout(300)
def test_every_command_releases_leads_together(database: PostgresServer) -> None:
    """Each alone, in the order of the file; those that end do so again, as at a second `up`."""
    prefect, leadbyte = str(free_port()), str(free_port())
    places = {"5432": str(database.port), "4200": prefect, "8080": leadbyte, "0.0.0.0": "127.0.0.1"}
    hosts = {"postgres": "5432", "prefect": "4200", "localhost": "4200", "practice-leadbyte": "8080"}
    places |= {f"{host}:{port}": f"127.0.0.1:{places[port]}" for host, port in hosts.items()}
    programs = [venv_programs(), find_binaries()]
    containers = {name: Container(name, programs, places) for name in SERVICES}
    printed: dict[str, str] = {}
    with ExitStack() as stack:
        running: dict[str, Supervised] = {}
        for name in in_order():
            if name == "postgres":
                assert "command" not in SERVICES[name]
            elif name in STAYS:
                running[name] = containers[name].start()
                stack.callback(running[name].stop)
            else:
                printed[name] = containers[name].run()
            if "healthcheck" in SERVICES[name]:
                wait_until(containers[name].is_healthy, what=f"{name} is healthy", seconds=100)

        def acts() -> int:
            with urlopen(f"http://127.0.0.1:{leadbyte}/sandbox/state") as answer:
                return int(json.load(answer)["acts"])

        wait_until(lambda: acts() > 10, what=f"leads are released {running['worker'].log()}", seconds=120)
        again = {name: containers[name].run() for name in printed}
        assert "nothing to do" in again["apply"]
        assert "processed" in again["practice-ledger"]
        began = time.monotonic()
        os.kill(running["worker"].pid, signal.SIGTERM)
        with pytest.raises(RuntimeError, match="ended"):
            while time.monotonic() < began + 60:
                running["worker"].check_running()
                time.sleep(0.05)
        print("worker ended after", time.monotonic() - began, acts(), printed, again)
