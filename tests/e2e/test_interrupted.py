"""A run that is broken off while requests are under way: by Ctrl-C, or by SIGTERM as from a service manager."""

import signal
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox, sandbox_thread
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

LEADS = 400


@pytest.fixture
def leadbyte() -> Iterator[Sandbox]:
    """A practice LeadByte that takes its time."""
    with sandbox_thread(latency=timedelta(milliseconds=300)) as sandbox:
        yield sandbox


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """A pipeline that sends one lead at a time: it would take two minutes."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.edit("requests_per_second: 0", "requests_per_second: 0\n  batch_size: 1\n  concurrency: 1")
    practice.quarantine(*range(1, LEADS + 1))
    practice.enrich(*range(1, LEADS + 1), postcode="TN25 6QD", phone_verified=True, score=0.9)
    yield practice
    practice.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_broken_off_loses_nothing(pipeline: Practice, leadbyte: Sandbox, number: signal.Signals) -> None:
    """It ends once what is in flight is answered; what was not sent is ready, and nothing is acted on twice."""
    process = start_leadgate("run", "--json", config=pipeline.file)
    wait_until(lambda: len(leadbyte.acts) >= 3, what="a few leads are acted on", seconds=60)
    process.send_signal(number)
    finished = wait_for(process, seconds=20)

    assert finished.code == 1
    assert finished.json()["error"] == (
        f"Stopped by {number.name}; what was in flight is recorded, the rest stays ready."
    )
    assert finished.stderr == f"leadgate: {finished.json()['error']}\n"
    counts = Counter(pipeline.states().values())
    assert counts.total() == LEADS
    assert counts["ready"] > LEADS / 2
    assert counts.keys() == {"processed", "ready"}

    assert leadgate("run", "--json", "--limit", 5, config=pipeline.file).json()["processed"] == 5
    assert leadbyte.acted_twice() == []
