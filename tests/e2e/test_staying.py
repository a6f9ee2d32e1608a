"""A run that does not watch stays for what falls due soon, and no longer."""

import time

from leadgate.sandbox import Sandbox
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.pipelines import Practice

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


def test_one_429_leaves_no_lead_ready(pipeline: Practice, leadbyte: Sandbox) -> None:
    """LeadByte asks for five seconds, once: the run stays, and the leads go in it."""
    leadbyte.faults.change({"429": {"count": 1}, "retry-after": 5})
    ids = list(range(1, 61))
    pipeline.quarantine(*ids)
    pipeline.enrich(*ids, **COMPLETE)
    finished = wait_for(start_leadgate("run", "--json", config=pipeline.file))
    assert finished.json()["processed"] == len(ids), finished.stderr
    assert set(pipeline.states().values()) == {"processed"}


def test_what_comes_again_and_again_keeps_no_run(pipeline: Practice, leadbyte: Sandbox) -> None:
    """LeadByte puts one lead off each time, for some seconds: the run ends, and leaves it to the next."""
    leadbyte.faults.change({"429": {"leads": ["2"]}, "retry-after": 4})
    pipeline.trust_leadbyte()
    pipeline.edit("policy:\n", "delivery: {attempts: 100}\npolicy:\n")
    pipeline.quarantine(1, 2)
    pipeline.enrich(1, 2, **COMPLETE)
    began = time.monotonic()
    wait_for(start_leadgate("run", config=pipeline.file), 90)
    assert time.monotonic() - began < 75
    assert pipeline.states()["2"] == "ready"


def test_a_run_with_nothing_due_soon_ends_at_once(pipeline: Practice) -> None:
    """A lead that only waits keeps nobody."""
    pipeline.quarantine(1)
    began = time.monotonic()
    assert "1  waiting" in leadgate("run", config=pipeline.file).stdout
    assert time.monotonic() - began < 15
