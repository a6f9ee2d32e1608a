"""The peers with leadgate's duties decide as leadgate does, and never send a lead a second time."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.leads import fill_source, write_pipeline
from benchmarks.peers.duties import LeadRecords, decide
from benchmarks.peers.job import Job, read_rows
from leadgate.config import load_config
from leadgate.model import Columns, ColumnType, Enrichment, Lead
from leadgate.policy.compiling import compile_policy
from leadgate.sandbox.bodies import RELEASE_RESULTS

LEADS = 60
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ODD = [
    {"opted_out": True, "phone_verified": False, "score": 0.1},
    {"opted_out": False, "phone_verified": False, "score": 0.9},
    {"opted_out": False, "phone_verified": True, "score": 0.5},
    {"opted_out": False, "phone_verified": True, "score": 0.49},
]
"""What the made-up leads never are."""


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    """The benchmark's leads as a peer with these duties reads them."""
    url = f"sqlite:///{tmp_path / 'source.db'}"
    fill_source(url, LEADS)
    job = Job("http://127.0.0.1:9", "key", url, "sqlite://", str(tmp_path), LEADS, 50, 8)
    return read_rows(replace(job, same_duties=True))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[LeadRecords]:
    """An empty table of records in a file."""
    records = LeadRecords(f"sqlite:///{tmp_path / 'state.db'}")
    yield records
    records.engine.dispose()


def test_the_peers_decide_as_the_pipeline_file_does(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    """The verdict and the reason of every made-up lead are the same."""
    file, ledger_url = tmp_path / "leadgate.yaml", f"sqlite:///{tmp_path / 'ledger.db'}"
    write_pipeline(file, base_url="http://127.0.0.1:9", source_url="sqlite://", ledger_url=ledger_url, leads=LEADS)
    flags = {"opted_out": ColumnType.BOOL, "phone_verified": ColumnType.BOOL}
    columns = Columns(lead={}, enrichment={**flags, "score": ColumnType.DOUBLE})
    policy = compile_policy(load_config(file).policy, columns)
    for row in [*rows, *(rows[0] | odd for odd in ODD)]:
        seen = {name: bool(row[name]) for name in flags} | {"score": row["score"]}
        decision = policy.decide(Lead("1", NOW), Enrichment("1", NOW, seen), late=False, now=NOW)
        decided = decide(row)
        assert (decided["action"], decided["reason"]) == (decision.verdict, decision.reason)


def test_a_lead_is_intended_once(rows: list[dict[str, Any]], records: LeadRecords) -> None:
    """A second intent is refused, with an outcome or without one, and the rest of its batch is sent."""
    decided = [decide(row) for row in rows]
    assert records.intend(decided[:2]) == decided[:2]
    records.record(decided[:1], 200, "")
    assert records.count() == (1, 1)
    assert records.intend(decided[:3]) == decided[2:3]


def test_a_lead_to_be_reviewed_is_recorded_and_not_sent(rows: list[dict[str, Any]], records: LeadRecords) -> None:
    """It is no lead in doubt either."""
    assert records.intend([decide(rows[0] | ODD[-1])]) == []
    assert records.count() == (0, 0)


def test_an_outcome_holds_what_the_answer_says_of_its_lead(rows: list[dict[str, Any]], records: LeadRecords) -> None:
    """The sentence about the act, else the one about the update, else the whole answer; it is written once."""
    sent = records.intend([decide(row) for row in rows[:3]])
    first, second, _ = (row["quarantine_id"] for row in sent)
    answer = {
        "leads": [
            {"quarantineId": first, "message": "updated"},
            {"quarantineId": str(second), "message": "not updated"},
        ],
        RELEASE_RESULTS: [f"Quarantine ID '{first}' queued for processing"],
    }
    records.record(sent[:2], 200, json.dumps(answer))
    records.record(sent, 502, "Bad gateway")
    with records.engine.connect() as connection:
        kept = connection.execute(text("select status, sentence from lead_records order by quarantine_id")).all()
    assert [tuple(row) for row in kept] == [
        (200, f"Quarantine ID '{first}' queued for processing"),
        (200, "not updated"),
        (502, "Bad gateway"),
    ]


def test_commits_reach_the_disk(records: LeadRecords) -> None:
    """As those of leadgate's ledger do: an intent survives a power cut."""
    with records.engine.connect() as connection:
        assert connection.execute(text("pragma synchronous")).scalar() == 2
        assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
