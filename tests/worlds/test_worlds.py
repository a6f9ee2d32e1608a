"""leadgate is right with every LeadByte that its documentation allows: a few hundred of them, from fixed seeds."""

import pytest

from tests.worlds.run import figures
from tests.worlds.world import play

CHUNKS, WORLDS = 6, 50
EVIDENCE = True
"""Whether the delivery follows DESIGN's "Evidence" yet."""


@pytest.mark.xfail(not EVIDENCE, reason="the delivery does not follow the rules of evidence yet", strict=True)
@pytest.mark.timeout(600)  # some seconds where nothing else runs
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_is_promised_holds_with_every_possible_leadbyte(chunk: int) -> None:
    """No lead is acted on twice, no state contradicts LeadByte's own log, and none is left behind."""
    results = [play(seed) for seed in range(1 + chunk * WORLDS, 1 + (chunk + 1) * WORLDS)]
    failed = [result for result in results if result.violation]
    assert not failed, f"{failed[0].story}\nagain: make worlds SEED={failed[0].seed}\n{figures(results, 1)}"


def test_a_world_is_the_same_each_time_it_is_played() -> None:
    """A seed that failed can be looked at again."""
    assert play(3) == play(3)
