"""`leadgate forget` and `ledger.keep`, with real runs: what was forgotten is not acted on a second time."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from flows.maintain_ledger import maintain_ledger
from leadgate.clock import utc_now
from leadgate.ledger.schema import entries
from leadgate.sandbox import Sandbox
from leadgate.wiring.ledger import ledger_of
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.pipelines import Practice

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


@pytest.fixture
def practice(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """A pipeline of three leads: two are processed, and one waits."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.quarantine("1001", "1002", "1003")
    practice.enrich("1001", "1002", **COMPLETE)
    yield practice
    practice.close()


def run(practice: Practice) -> None:
    """Run once as a process of its own."""
    finished = wait_for(start_leadgate("run", "--json", config=practice.file))
    assert (finished.code, finished.stderr) == (0, "")


def acts(leadbyte: Sandbox) -> dict[str, int]:
    """How many acts LeadByte has seen of each lead."""
    return {lead_id: len(seen) for lead_id, seen in leadbyte.quarantine.acts.items()}


def test_what_was_pruned_or_forgotten_is_not_acted_on_again(practice: Practice, leadbyte: Sandbox) -> None:
    """Neither is registered again, though both are back in quarantine and their rows are in the source."""
    run(practice)
    assert acts(leadbyte) == {"1001": 1, "1002": 1}
    with ledger_of(practice.file) as (_, ledger), ledger.transaction() as connection:
        aged = update(entries).where(entries.c.lead_id == "1001").values(settled_at=utc_now() - timedelta(days=31))
        connection.execute(aged)
    practice.edit("ledger:\n", "ledger:\n  keep: 30d\n")
    assert asyncio.run(maintain_ledger(str(practice.file))) == {"rescued": 0, "pruned": 1, "probed": 0, "inferred": 0}
    done = leadgate("forget", "1002", "--yes", config=practice.file)
    assert (done.code, done.stdout) == (
        0,
        "Lead 1002 is forgotten: nothing but a hash of its id is kept. It is never acted on again.\n",
    )
    assert practice.states() == {"1003": "waiting"}

    leadbyte.quarantine.add(["1001", "1002"])
    practice.enrich("1001", "1002", "1003", **COMPLETE)
    plan = leadgate("plan", "--json", config=practice.file)
    assert "1001" not in plan.stdout
    run(practice)
    assert practice.states() == {"1003": "processed"}
    assert acts(leadbyte) == {"1001": 1, "1002": 1, "1003": 1}
    for lead_id in ("1001", "1002"):
        told = leadgate("explain", lead_id, config=practice.file)
        assert told.code == 2
        assert "was forgotten: nothing else is kept of it" in told.stderr
    again = leadgate("forget", "1001", "--json", config=practice.file)
    assert again.json() == {"lead_id": "1001", "forgotten": True, "not_yet": None}


def test_forgetting_asks_first(practice: Practice) -> None:
    """Without a terminal it wants --yes; an id that nobody knows is an error."""
    run(practice)
    asked = leadgate("forget", "1003", config=practice.file)
    assert asked.code == 2
    assert "Lead 1003 is waiting. Everything that the ledger keeps of it would be erased" in asked.stderr
    assert "leadgate would never act on it: say that you mean it with --yes" in asked.stderr
    unknown = leadgate("forget", "9999", "--yes", config=practice.file)
    assert unknown.code == 2
    assert "knows no lead '9999'" in unknown.stderr
    assert set(practice.states()) == {"1001", "1002", "1003"}


@pytest.mark.parametrize(
    ("keep", "why"), [("29d", "ledger.keep: '29d' is shorter than 30 days"), ("40d", "ledger.keep: must be")]
)
def test_too_short_a_time_is_refused(practice: Practice, keep: str, why: str) -> None:
    """Evidence and budgets need the leads for longer."""
    practice.edit("ledger:\n", f"ledger:\n  keep: {keep}\n")
    practice.edit("policy:\n", "delivery: {patience: 41d}\npolicy:\n")
    refused = leadgate("status", config=practice.file)
    assert refused.code == 2
    assert why in refused.stderr
