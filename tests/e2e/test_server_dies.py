"""The Prefect server dies in mid-run: acts go on, and the run ends soon after its last one, with its summary."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from leadgate.sandbox import Sandbox
from tests.support.command import start_leadgate, wait_for
from tests.support.pipelines import Practice
from tests.support.prefect_server import PrefectServer
from tests.support.process import reserve_port
from tests.support.waiting import wait_until

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
SECONDS_TO_END = 30
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def mortal() -> Iterator[PrefectServer]:
    """A Prefect server that a test may kill."""
    server = PrefectServer(reserve_port())
    yield server
    server.stop()


def test_a_run_ends_soon_after_its_last_act(lone_lead: Practice, leadbyte: Sandbox, mortal: PrefectServer) -> None:
    """It says in one sentence that its page is not complete, and exits with 1."""
    pipeline = lone_lead
    ids = list(range(2, 42))
    pipeline.quarantine(*ids)
    pipeline.enrich(*ids, **COMPLETE)
    pipeline.trust_leadbyte()
    pipeline.edit("requests_per_second: 0", "requests_per_second: 4")
    run = start_leadgate("run", config=pipeline.file, env={**os.environ, "PREFECT_API_URL": mortal.api_url})
    wait_until(lambda: len(leadbyte.quarantine.acts) > 3, what="acts are under way", seconds=120)
    os.kill(mortal.process.pid, signal.SIGKILL)
    wait_until(lambda: len(leadbyte.quarantine.acts) == len(ids) + 1, what="all acts are done", seconds=120)
    last_act_at = time.monotonic()
    finished = wait_for(run, 120)
    assert time.monotonic() - last_act_at < SECONDS_TO_END
    assert finished.code == 1
    assert "41  processed" in finished.stdout
    assert finished.stderr.count("The Prefect server does not answer any more") == 1
    assert "defect" not in finished.stderr
    assert set(pipeline.states().values()) == {"processed"}
