"""The network to the ledger stalls in a run: it ends in time, in one sentence, and no act happens twice."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.support.command import start_leadgate, wait_for
from tests.support.pipelines import Practice
from tests.support.stalling import StallingProxy
from tests.support.waiting import wait_until

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
SECONDS_TO_STOP = 30
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[StallingProxy]:
    """The way to the ledger's PostgreSQL."""
    with StallingProxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture
def pipeline(
    tmp_path: Path, leadbyte: Sandbox, prefect_server: str, postgres_url: str, proxy: StallingProxy
) -> Iterator[Practice]:
    """A pipeline whose ledger is reached by that way."""
    practice = Practice(tmp_path, leadbyte.url, ledger_url=postgres_url)
    practice.edit(postgres_url, proxy.url)
    yield practice
    practice.close()


def test_a_run_ends_in_time_after_a_signal(pipeline: Practice, proxy: StallingProxy, leadbyte: Sandbox) -> None:
    """A run that watches, with acts on the wire: SIGTERM ends it within 30 s, and what was sent is not sent again."""
    leadbyte.faults.change({"slow": "always", "slow-for": 0.2})
    ids = list(range(1, 61))
    pipeline.quarantine(*ids)
    pipeline.enrich(*ids, **COMPLETE)
    run = start_leadgate("run", "--watch", "10m", config=pipeline.file)
    wait_until(lambda: len(leadbyte.quarantine.acts) > 3, what="acts are under way", seconds=60)
    proxy.stall()
    time.sleep(3)  # by now its calls hang
    asked_at = time.monotonic()
    run.send_signal(signal.SIGTERM)
    finished = wait_for(run, 60)
    assert time.monotonic() - asked_at < SECONDS_TO_STOP
    assert finished.code == 1
    assert "ledger postgresql" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert leadbyte.quarantine.acted_twice() == []
