"""Every figure that leadgate counts of a simulation, held against that of brute force."""

from datetime import timedelta
from typing import Any

from leadgate.backtest import WaitChange, run_backtest
from leadgate.waits import Waits, count_waits
from leadgate.waits.tally import Point
from tests.waits.brute_force import BruteForce
from tests.waits.simulated import COLUMNS, RULES, WAIT, Simulation


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


WAITS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"deadline": "3h"}, {"deadline": timedelta(hours=3)}),
    ({"deadline": "10h"}, {"deadline": timedelta(hours=10)}),
    ({"require": ["postcode"]}, {"deadline": timedelta(hours=6), "left_out": "one of mobile, score"}),
    ({"require": ["mobile"], "deadline": "2h"}, {"deadline": timedelta(hours=2), "mobile_only": True}),
]


def backtest(simulation: Simulation, **wait: Any) -> WaitChange:  # noqa: ANN401 - sections of a file
    """What another wait would have changed."""
    pipeline = simulation.pipeline
    found = run_backtest(
        pipeline.source,
        pipeline.ledger,
        policy=pipeline.policy(policy={"rules": RULES}),
        old_wait=simulation.config.wait,
        new_wait=pipeline.config(wait=WAIT | wait).wait,
        since=simulation.began_at,
        now=pipeline.clock(),
    )
    assert found.wait
    return found.wait


def compare_backtest(simulation: Simulation, brute: BruteForce) -> int:
    """Compare every figure of other waits; return how many those are."""
    for wait, same in WAITS:
        found = backtest(simulation, **wait)
        left_out = [same["left_out"]] if "left_out" in same else []
        true = brute.rewait(same["deadline"], *left_out, mobile_only=same.get("mobile_only", False))
        for name in ("late_before", "newly_late", "no_longer_late", "open"):
            assert getattr(found, name) == true.get(name, 0), (wait, name)
        assert sorted(found.sooner) == true["sooner"], wait
        assert sorted(found.later) == true["later"], wait
        assert (found.sooner_unmeasured, found.later_unmeasured) == (0, 0)
    return 8 * len(WAITS)
