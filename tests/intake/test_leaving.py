"""Leads whose rows leave the source: withdrawn when they stay away, back with their row, never because rows were lost."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from leadgate.model import State
from tests.intake.pipeline import Pipeline, open_pipeline

LEADS = {"table": "leads", "id": "id", "quarantined_at": "quarantined_at"}


@pytest.fixture
def pipeline(database_url: str, tmp_path: Path) -> Iterator[Pipeline]:
    """A source and a ledger on each kind of database."""
    with open_pipeline(database_url, tmp_path) as opened:
        yield opened


def left(what: str) -> dict[str, dict[str, Any]]:
    """The section that says what becomes of leads whose row has left."""
    return {"source": {"leads": {**LEADS, "left": what}}}


def leave(pipeline: Pipeline, *ids: int) -> None:
    """Delete the rows of leads."""
    for lead_id in ids:
        pipeline.run_sql("DELETE FROM leads WHERE id = :id", id=lead_id)


def put(pipeline: Pipeline, lead_id: int, state: str) -> None:
    """Put an entry into a state."""
    more = {"review": "", "failed": ", note = 'refused'", "ready": ", due_at = registered_at"}[state]
    with pipeline.ledger.engine.begin() as connection:
        statement = f"UPDATE leadgate_entries SET state = :state{more} WHERE lead_id = :lead_id"  # noqa: S608
        connection.execute(text(statement), {"state": state, "lead_id": str(lead_id)})


@pytest.mark.parametrize("state", ["waiting", "ready", "review", "failed"])
def test_a_lead_is_withdrawn_after_two_looks_ten_minutes_apart(pipeline: Pipeline, state: str) -> None:
    """Not after one: its row may be between two statements of whoever loads it."""
    pipeline.arrive(99)
    pipeline.quarantine(1, 2)
    pipeline.look()
    if state != "waiting":
        put(pipeline, 1, state)
    leave(pipeline, 1)
    pipeline.look()
    pipeline.clock.advance(minutes=9)
    pipeline.look()
    assert pipeline.states() == {"1": State(state), "2": State.WAITING}
    pipeline.clock.advance(minutes=2)
    pipeline.look()
    assert pipeline.states() == {"1": State.WITHDRAWN, "2": State.WAITING}


def test_a_row_that_is_back_in_time_withdraws_nothing(pipeline: Pipeline) -> None:
    """The ten minutes begin anew with the next time it is away."""
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.look()
    leave(pipeline, 1)
    pipeline.look()
    pipeline.quarantine(1)
    pipeline.clock.advance(minutes=11)
    pipeline.look()
    leave(pipeline, 1)
    pipeline.look()
    assert pipeline.states() == {"1": State.WAITING}


def test_a_withdrawn_lead_comes_back_with_its_row_and_its_deadline(pipeline: Pipeline) -> None:
    """It waits like a new one, and is late where its time is up."""
    began = pipeline.clock()
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.look()
    leave(pipeline, 1)
    pipeline.look()
    pipeline.clock.advance(minutes=11)
    pipeline.look()
    pipeline.clock.advance(hours=25)
    pipeline.look()
    assert pipeline.states() == {"1": State.WITHDRAWN}
    pipeline.quarantine(1, at=began)
    pipeline.look()
    entry = pipeline.entry("1")
    assert (entry["state"], entry["late"], entry["absent_since"]) == ("ready", True, None)


def test_what_may_have_been_acted_on_is_never_withdrawn(pipeline: Pipeline) -> None:
    """LeadByte may have it: evidence decides."""
    pipeline.arrive(99)
    pipeline.complete(1)
    with pipeline.ledger.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE leadgate_entries SET state = 'unknown', token = 1, decided_token = 1, due_at = registered_at,"
                " doubt_since = registered_at"
            )
        )
    leave(pipeline, 1)
    for _ in range(3):
        pipeline.look()
        pipeline.clock.advance(minutes=20)
    assert pipeline.states() == {"1": State.UNKNOWN}


def test_many_rows_that_are_missing_at_once_are_a_source_that_is_not_healthy(pipeline: Pipeline) -> None:
    """More than twenty and a twentieth of all: nobody is withdrawn, nobody is late, and the look says so."""
    pipeline.arrive(99)
    pipeline.quarantine(*range(1, 101))
    pipeline.look()
    leave(pipeline, *range(1, 31))
    pipeline.look()
    pipeline.clock.advance(hours=25)
    looked = pipeline.look()
    assert State.WITHDRAWN not in pipeline.states().values()
    assert not looked.reading.healthy
    assert looked.reading.problem
    assert "30 of 100 open leads have no row any more" in looked.reading.problem


@pytest.mark.parametrize(("what", "state"), [("review", State.REVIEW), ("keep", State.WAITING)])
def test_the_file_says_what_becomes_of_them(pipeline: Pipeline, what: str, state: State) -> None:
    """A person decides, or nothing changes."""
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.look()
    leave(pipeline, 1)
    pipeline.look(**left(what))
    pipeline.clock.advance(minutes=11)
    pipeline.look(**left(what))
    assert pipeline.states() == {"1": state}
    pipeline.clock.advance(seconds=timedelta(minutes=11).total_seconds())
    pipeline.look(**left(what))
    assert pipeline.states() == {"1": state}
