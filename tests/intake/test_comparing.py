"""The comparison of everything: when it runs, and when it would read what has just been read."""

from datetime import timedelta

from leadgate.intake import compare_all
from tests.intake.pipeline import Pipeline


def test_a_run_that_has_registered_everything_does_not_go_through_it_again(pipeline: Pipeline) -> None:
    """The first run reads every lead once; the next one, where they are few, once more."""
    begun_at = pipeline.clock()
    pipeline.quarantine(1)
    pipeline.look_forward()
    parts = pipeline.source, pipeline.ledger, pipeline.config()
    assert compare_all(*parts, now=pipeline.clock(), begun_at=begun_at).registered is None
    pipeline.clock.now += timedelta(seconds=1)
    registered = compare_all(*parts, now=pipeline.clock(), begun_at=pipeline.clock()).registered
    assert registered
    assert registered.count == 0
