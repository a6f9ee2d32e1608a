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
    assert done.code == 0
    assert done.stdout.splitlines() == [
        "Leads that are forgotten: 1.",
        "Nothing but a hash of each id is kept: leadgate never registers or acts on them again.",
        "What LeadByte, your database, logs and backups hold of them stays: erase it there as well.",
    ]
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
        assert "was pruned or forgotten: nothing else is kept of it" in told.stderr
    again = leadgate("forget", "1001", "--json", config=practice.file)
    assert again.json() == {"forgotten": ["1001"], "unknown": [], "not_yet": {}}


def test_forgetting_asks_first(practice: Practice, leadbyte: Sandbox) -> None:
    """Without a terminal it wants --yes; an id that nobody knows may be a slip, and is left until --unknown is said."""
    run(practice)
    asked = leadgate("forget", "1001", "1003", "9999", "--unknown", config=practice.file)
    assert asked.code == 2
    assert "and leadgate never processes or rejects them: 1001: processed; 1003: waiting; 9999: not" in asked.stderr
    assert "Say that you mean it with --yes. Nothing was done" in asked.stderr
    assert set(practice.states()) == {"1001", "1002", "1003"}
    done = leadgate("forget", "1003,9999", "--yes", config=practice.file)
    assert done.code == 1
    assert "Leads that are forgotten: 1." in done.stdout
    assert "Left, since the ledger does not know them: 9999. If it is no slip: --unknown." in done.stdout
    assert leadgate("forget", "9999", "--unknown", "--yes", "--json", config=practice.file).json() == {
        "forgotten": ["9999"],
        "unknown": ["9999"],
        "not_yet": {},
    }
    practice.quarantine("9999")
    practice.enrich("1003", "9999", **COMPLETE)
    run(practice)
    assert practice.states() == {"1001": "processed", "1002": "processed"}
    assert acts(leadbyte) == {"1001": 1, "1002": 1}


def test_a_lead_that_is_sending_is_named_with_when_to_type_it_again(practice: Practice) -> None:
    """The others are forgotten all the same."""
    run(practice)
    now = utc_now()
    with ledger_of(practice.file) as (_, ledger), ledger.transaction() as connection:
        in_doubt = {"state": "unknown", "settled_at": None, "due_at": now, "doubt_since": now}
        connection.execute(update(entries).where(entries.c.lead_id == "1001").values(in_doubt))
    told = leadgate("forget", "1001", "1002", "--yes", config=practice.file)
    assert (told.code, told.stdout.splitlines()[0]) == (1, "Leads that are forgotten: 1.")
    assert "1001: not forgotten yet: an act may have been taken" in told.stderr
    assert "type `leadgate forget 1001` again when `leadgate explain 1001` says that it is settled." in told.stderr
    assert practice.states() == {"1001": "unknown", "1003": "waiting"}


@pytest.mark.parametrize(
    ("keep", "why"),
    [("29d", "ledger.keep: '29d' is shorter than 30 days"), ("41d", "ledger.keep: must be longer than")],
)
def test_too_short_a_time_is_refused(practice: Practice, keep: str, why: str) -> None:
    """Evidence and budgets need the leads for longer."""
    practice.edit("ledger:\n", f"ledger:\n  keep: {keep}\n")
    practice.edit("policy:\n", "delivery: {patience: 41d}\npolicy:\n")
    refused = leadgate("status", config=practice.file)
    assert refused.code == 2
    assert why in refused.stderr
