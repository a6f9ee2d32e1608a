"""Ctrl-C and SIGTERM while requests are on the wire: `leadgate run` ends in time, and leaves no lead in between."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.release_leads import stopped
from leadgate.sandbox import Sandbox, sandbox_thread
from tests.support.command import Finished, start_leadgate, wait_for
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

LEADS = 40
COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
ENDS_WITHIN = 30


@pytest.fixture
def leadbyte() -> Iterator[Sandbox]:
    """A practice LeadByte that applies what it is asked, and answers 2 s later."""
    with sandbox_thread(Sandbox(faults={"slow-after": "always", "slow-for": "2s"})) as sandbox:
        yield sandbox
    assert sandbox.quarantine.acted_twice() == []


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """A pipeline of which four leads at a time are on the wire."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.edit("policy:\n", "delivery: {mode: combined}\npolicy:\n")
    practice.edit("requests_per_second: 0", "requests_per_second: 0\n  batch_size: 1\n  concurrency: 4")
    practice.quarantine(*range(1, LEADS + 1))
    practice.enrich(*range(1, LEADS + 1), **COMPLETE)
    practice.trust_leadbyte()
    yield practice
    practice.audit(leadbyte)
    practice.close()


def stopped_in_flight(pipeline: Practice, leadbyte: Sandbox, number: signal.Signals) -> tuple[Finished, float]:
    """Run until acts are on the wire, send the signal, and give how the command ended and after how many seconds."""
    process = start_leadgate("run", "--json", config=pipeline.file, env=os.environ)
    wait_until(lambda: len(leadbyte.quarantine.acts) >= 2, what="acts are on the wire", seconds=90)
    began = time.monotonic()
    process.send_signal(number)
    finished = wait_for(process, seconds=60)
    return finished, time.monotonic() - began


def test_what_is_on_the_wire_is_waited_for_and_recorded(pipeline: Practice, leadbyte: Sandbox) -> None:
    """Every act that LeadByte took is in the ledger as taken; the other leads are ready."""
    finished, seconds = stopped_in_flight(pipeline, leadbyte, signal.SIGINT)
    assert seconds < ENDS_WITHIN
    assert finished.code == 1
    told = stopped("SIGINT", "acme")
    assert (finished.json()["error"], finished.stderr) == (told, f"leadgate: {told}\n")
    acted = len(leadbyte.quarantine.acts)
    assert Counter(pipeline.states().values()) == {"processed": acted, "ready": LEADS - acted}
    assert 2 <= acted < LEADS


def test_an_answer_that_does_not_come_is_not_waited_for_too_long(pipeline: Practice, leadbyte: Sandbox) -> None:
    """What LeadByte does not answer within the grace is unknown, to be settled by evidence; nothing is `sending`."""
    pipeline.edit("requests_per_second: 0", "requests_per_second: 0\n  timeout: 2m")
    leadbyte.faults.change({"slow-for": "2m"})
    finished, seconds = stopped_in_flight(pipeline, leadbyte, signal.SIGTERM)
    assert seconds < ENDS_WITHIN
    assert finished.code == 1
    assert stopped("SIGTERM", "acme") in finished.stderr
    assert "Traceback" not in finished.stderr
    counts = Counter(pipeline.states().values())
    assert counts.keys() == {"unknown", "ready"}
    # Those whose intent is committed while they wait for a connection count as sent.
    assert len(leadbyte.quarantine.acts) <= counts["unknown"] <= len(leadbyte.quarantine.acts) + 2
