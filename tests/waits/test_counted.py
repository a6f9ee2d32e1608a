"""Every figure of `waits` is the one that is counted by hand, from what is true of leads that came at random."""

from datetime import timedelta
from pathlib import Path

from tests.waits.brute_force import BruteForce
from tests.waits.compared import compare, compare_backtest, count
from tests.waits.simulated import simulated


def test_every_figure_is_that_of_brute_force(database_url: str, tmp_path: Path) -> None:
    """Also with runs that did not come, and while the source was down."""
    with simulated(database_url, tmp_path, leads=600, steps=120, seed=1) as simulation:
        found = count(simulation)
        assert compare(found, BruteForce(simulation)) > 150
        (group,) = found.groups
        assert group.now.had > 100
        assert group.now.had_not > 50
        assert any(point.unclear for point in group.whole)
        assert found.sees_later
        assert sum(next(iter(found.regret.values())).came) > 20
        assert simulation.standstills
        assert group.deadline == timedelta(hours=6)
        assert compare_backtest(simulation, BruteForce(simulation)) > 30
