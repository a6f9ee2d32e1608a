"""Every figure of `waits` is the one that is counted by hand, from what is true of leads that came at random."""

from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.waits import Waits, count_waits
from leadgate.waits.tally import Point
from tests.waits.brute_force import BruteForce
from tests.waits.simulated import COLUMNS, Simulation, simulated


def told(point: Point) -> tuple[int, int, int]:
    """A point as the brute force has it."""
    return point.leads, point.had, point.had_not


def count(simulation: Simulation) -> Waits:
    """Count as `leadgate waits` does."""
    pipeline = simulation.pipeline
    return count_waits(pipeline.ledger, simulation.config, since=simulation.began_at, now=pipeline.clock())


def compare(found: Waits, brute: BruteForce) -> int:
    """Compare every figure; return how many those are."""
    (group,) = found.groups
    assert (found.leads, found.unwatched, group.leads) == (len(brute.leads), 0, len(brute.leads))
    figures = 3
    for point in group.whole:
        assert told(point) == brute.point(point.span), point.span
    for column in COLUMNS:
        for point in group.columns[column]:
            assert told(point) == brute.point(point.span, column), (column, point.span)
    for each in group.without:
        assert told(each.point) == brute.point(group.deadline, None, each.need)
        assert each.alone == brute.alone(each.need)
    rejected, came = brute.regret()
    (regret,) = found.regret.values()
    assert (regret.rejected, regret.came, regret.unwatched) == (rejected, came, 0)
    figures += 3 * len(group.whole) * (1 + len(COLUMNS)) + 4 * len(group.without) + 2 + len(came)
    return figures


@pytest.mark.parametrize("seed", [1, 2])
def test_every_figure_is_that_of_brute_force(database_url: str, tmp_path: Path, seed: int) -> None:
    """Also with runs that did not come, and while the source was down."""
    with simulated(database_url, tmp_path, leads=600, steps=120, seed=seed) as simulation:
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
