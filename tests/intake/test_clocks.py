"""Clocks that disagree: no lead is late by them, the look says so, and nothing is written at an instant far ahead."""

from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.ledger import Ledger
from leadgate.model import State
from tests.intake.pipeline import Pipeline
from tests.support.ledgers import new_engine

LEADS = range(1, 21)


@pytest.fixture
def waiting(pipeline: Pipeline) -> Pipeline:
    """Twenty leads wait, one of them with a part of its data, and LeadByte has said what time it is."""
    pipeline.arrive(1, postcode=None)
    pipeline.quarantine(*LEADS)
    began = pipeline.clock()
    pipeline.ledger.their_now = lambda: began
    pipeline.look()
    return pipeline


@pytest.mark.parametrize("hours", [30, -30])
def test_a_clock_that_has_jumped_makes_no_lead_late(waiting: Pipeline, hours: int) -> None:
    """Neither ahead nor back; when it is right again, every lead still waits for its own deadline."""
    waiting.clock.advance(hours=hours)
    looked = waiting.look()
    assert set(waiting.states().values()) == {State.WAITING}
    assert looked.warnings == [
        "This machine's clock and LeadByte's differ by 108000 s: no lead becomes late until they agree."
    ]
    assert not looked.reading.healthy
    waiting.clock.advance(hours=-hours)
    assert (waiting.look().warnings, waiting.look().late) == ([], 0)


def test_a_lead_is_late_where_the_clocks_agree(waiting: Pipeline) -> None:
    """Within two minutes."""
    ends = waiting.clock() + timedelta(hours=24)
    waiting.clock.advance(hours=24)
    waiting.ledger.their_now = lambda: ends - timedelta(minutes=2)
    assert waiting.look().late == len(LEADS)


def test_nobody_is_late_before_anybody_was_asked(waiting: Pipeline) -> None:
    """It is no fault, and the look is healthy all the same."""
    waiting.ledger.their_now = lambda: None
    waiting.clock.advance(hours=30)
    looked = waiting.look()
    assert (looked.late, looked.warnings, looked.reading.healthy) == (0, [], True)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_goes_by_the_clock_of_the_ledgers_server(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own may be hours ahead: leases and due times do not move, and it is told why nobody is late."""
    engine = new_engine(database_url, base_dir=tmp_path)
    right = Ledger(engine, pipeline="acme", owner="run-1")
    real = right.now()
    monkeypatch.setattr("leadgate.ledger.ledger.utc_now", lambda: real + timedelta(hours=30))
    ahead = Ledger(engine, pipeline="acme", owner="run-2")
    assert abs(ahead.now() - real) < timedelta(seconds=30)
    problem = ahead.clock_problem()
    assert problem
    assert problem.startswith("This machine's clock and the ledger's differ by 10")
    engine.dispose()
