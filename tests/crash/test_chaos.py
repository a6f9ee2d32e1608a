"""A short chaos run in every test run; `make chaos` makes long ones."""

from pathlib import Path

import pytest

from tests.support.chaos import Plan, chaos
from tests.support.chaos_figures import gather

SHORT = [
    Plan(database="sqlite", workers=2, leads=120, kills=6, seconds=7),
    Plan(database="postgresql", workers=3, leads=150, kills=6, seconds=7, restarts=1),
]


@pytest.mark.parametrize("plan", SHORT, ids=lambda plan: plan.database)
def test_whatever_is_killed_no_lead_is_acted_on_twice_or_stuck(tmp_path: Path, plan: Plan) -> None:
    """Workers die at random moments, answers are lost: each lead ends where the rules say, acted on once at most."""
    with chaos(plan, tmp_path) as ended:
        figures = gather(ended)
    print(figures.as_text())  # noqa: T201 - shown where the test fails
    assert figures.broken == []
    assert figures.doubles == []
    assert figures.late == 0
    assert figures.states.total() == plan.leads
    assert figures.states.keys() <= {"processed", "rejected", "review"}
    # Else there was no chaos.
    assert figures.events.kills.total() >= plan.workers
    assert figures.events.restarts == plan.restarts
