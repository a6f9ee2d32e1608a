"""The Prefect server dies or falls silent in mid-run: acts go on, and the run ends soon after the last of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from leadgate.sandbox import Sandbox
from tests.support.command import start_leadgate, wait_for
from tests.support.pipelines import Practice
from tests.support.prefect_server import PrefectServer
from tests.support.process import reserve_port
from tests.support.waiting import wait_until

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
IDS = list(range(2, 42))
LOST = "The Prefect server does not answer any more"
SECONDS_TO_END = 30
_QUIET = {"PREFECT_CLIENT_MAX_RETRIES", "PREFECT_API_REQUEST_TIMEOUT", "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"}
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def mortal() -> Iterator[PrefectServer]:
    """A Prefect server that a test may kill."""
    server = PrefectServer(reserve_port())
    yield server
    server.stop()


@pytest.fixture
def pipeline(lone_lead: Practice) -> Practice:
    """A pipeline of which four leads a second are sent."""
    lone_lead.quarantine(*IDS)
    lone_lead.enrich(*IDS, **COMPLETE)
    lone_lead.trust_leadbyte()
    lone_lead.edit("requests_per_second: 0", "requests_per_second: 4")
    return lone_lead


def last_act_after(leadbyte: Sandbox, server: PrefectServer, number: signal.Signals) -> float:
    """Send the server a signal while acts are under way, and wait for the last of them; when that was, in seconds."""
    wait_until(lambda: len(leadbyte.quarantine.acts) > 3, what="acts are under way", seconds=120)
    os.kill(server.process.pid, number)
    wait_until(lambda: len(leadbyte.quarantine.acts) == len(IDS) + 1, what="all acts are done", seconds=120)
    return time.monotonic()


def test_a_run_ends_soon_after_its_last_act(pipeline: Practice, leadbyte: Sandbox, mortal: PrefectServer) -> None:
    """It says in one sentence that its page is not complete, and exits with 1."""
    run = start_leadgate("run", config=pipeline.file, env={**os.environ, "PREFECT_API_URL": mortal.api_url})
    last_act_at = last_act_after(leadbyte, mortal, signal.SIGKILL)
    finished = wait_for(run, 120)
    assert time.monotonic() - last_act_at < SECONDS_TO_END
    assert finished.code == 1
    assert "41  processed" in finished.stdout
    assert finished.stderr.count(LOST) == 1
    assert "defect" not in finished.stderr
    assert set(pipeline.states().values()) == {"processed"}


def test_the_process_of_a_worker_s_run_ends_soon_too(
    pipeline: Practice, leadbyte: Sandbox, mortal: PrefectServer
) -> None:
    """The server accepts what comes and never answers; Prefect would try for minutes to say how the run has ended."""
    # Verbs that a test calls in this process keep Prefect quiet, and its client impatient: a worker does neither.
    env = {name: value for name, value in os.environ.items() if name not in _QUIET}
    env |= {"PREFECT_API_URL": mortal.api_url}
    root = Path(__file__).parents[2]
    applied = [sys.executable, "-m", "deployments.apply", str(pipeline.file)]
    subprocess.run(applied, env=env, cwd=root, check=True, capture_output=True, timeout=120)
    with httpx.Client(base_url=mortal.api_url, timeout=60) as client:
        found = client.get("/deployments/name/release-leads/release-leads-acme").raise_for_status().json()
        begun = client.post(f"/deployments/{found['id']}/create_flow_run", json={"state": {"type": "PENDING"}})
    env["PREFECT__FLOW_RUN_ID"] = begun.raise_for_status().json()["id"]
    # As a worker starts it.
    run = subprocess.Popen(
        [sys.executable, "-m", "prefect.engine"],
        env=env,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    last_act_at = last_act_after(leadbyte, mortal, signal.SIGSTOP)
    said, _ = run.communicate(timeout=120)
    assert time.monotonic() - last_act_at < SECONDS_TO_END
    assert run.returncode == 1
    assert "processed=41" in said
    assert said.count(f"leadgate: {LOST}") == 1
    assert "defect" not in said
    assert set(pipeline.states().values()) == {"processed"}
