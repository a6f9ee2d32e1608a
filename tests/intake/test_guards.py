"""What a source can do to us: be gone, be empty, be swapped, tell another time. No lead is turned away for it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from leadgate.ledger import Ledger, claims, sending
from leadgate.ledger.schema import standstills
from leadgate.ledger.source_health import keep_reading, latest_late
from leadgate.model import Result, SourceReading, State
from leadgate.plan import plan_run
from leadgate.source import Source
from tests.intake.pipeline import NOON, Pipeline, open_pipeline
from tests.ledger.steps import LEASE, attempt, intend, outcome

DAY = timedelta(hours=24)
FRESH = {"source_fresh_within": "2h"}


@pytest.fixture
def waiting(pipeline: Pipeline) -> Pipeline:
    """Leads 1 and 2 wait, and the source has a row."""
    pipeline.arrive(99)
    pipeline.quarantine(1, 2)
    pipeline.look()
    return pipeline


def settle(ledger: Ledger, now: datetime) -> None:
    """Process every lead that is due."""
    sent = [attempt(claim) for claim in claims.claim(ledger, limit=100, lease=LEASE, now=now)]
    intend(ledger, *sent, now=now)
    sending.record(ledger, [outcome(each, Result.TAKEN, State.PROCESSED) for each in sent], now=now)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pipeline: pipeline.run_sql("DELETE FROM enrichment"),
        lambda pipeline: pipeline.run_sql("UPDATE enrichment SET updated_at = '2026-02-01 12:00:00'"),
    ],
    ids=["emptied", "exchanged for an older copy"],
)
def test_a_source_that_has_lost_rows_makes_no_lead_late(waiting: Pipeline, spoil: Callable[[Pipeline], None]) -> None:
    """Until it has a newer row than any that was seen; and then the time it was so does not count."""
    waiting.clock.advance(hours=1)
    spoil(waiting)
    looked = waiting.look()
    assert "no lead becomes late" in looked.warnings[0]
    waiting.clock.advance(hours=29)
    assert waiting.look().late == 0
    waiting.arrive(98)
    looked = waiting.look()
    assert (looked.reading.healthy, looked.late, looked.warnings) == (True, 0, [])
    waiting.arrive(1)
    # An hour had passed when the rows went, and they may have been gone since.
    waiting.clock.advance(hours=23, seconds=-1)
    looked = waiting.look()
    assert (looked.arrived, looked.late) == (1, 0)
    waiting.clock.advance(seconds=1)
    assert waiting.look().late == 1
    assert waiting.states() == dict.fromkeys(("1", "2"), State.READY)


def test_a_source_that_is_down_for_longer_than_the_deadline_rejects_nobody(waiting: Pipeline) -> None:
    """After it returns, what arrives within the rest of the time is in time."""
    waiting.clock.advance(hours=23)
    down = SourceReading(waiting.clock.now, None, healthy=False, problem="down")
    keep_reading(waiting.ledger, down)
    waiting.clock.advance(hours=48)
    assert waiting.look().late == 0
    waiting.clock.advance(minutes=59)
    waiting.arrive(1)
    assert (waiting.look().arrived, waiting.look().late) == (1, 0)
    waiting.clock.advance(minutes=1)
    assert waiting.look().late == 1


def test_a_stale_source_stops_the_clock(waiting: Pipeline) -> None:
    """Its newest row is older than source_fresh_within."""
    waiting.clock.advance(hours=3)
    assert not waiting.look(wait=FRESH).reading.healthy
    waiting.clock.advance(hours=22)
    waiting.arrive(98)
    assert waiting.look(wait=FRESH).late == 0
    waiting.clock.advance(hours=21)
    waiting.arrive(98)
    assert waiting.look(wait=FRESH).late == 2


def test_a_lead_that_came_during_an_outage_has_its_whole_deadline(waiting: Pipeline) -> None:
    """Counted from the end of the outage."""
    ledger = waiting.ledger
    keep_reading(ledger, SourceReading(NOON + timedelta(hours=1), None, healthy=False, problem="down"))
    keep_reading(ledger, SourceReading(NOON + timedelta(hours=11), None, healthy=True))
    keep_reading(ledger, SourceReading(NOON + timedelta(hours=20), None, healthy=False, problem="down"))
    keep_reading(ledger, SourceReading(NOON + timedelta(hours=21), None, healthy=True))

    def since(hours: float) -> float | None:
        late = latest_late(ledger, deadline=DAY, now=NOON + timedelta(hours=hours))
        return None if late is None else (late - NOON) / timedelta(hours=1)

    assert since(35) == 0
    assert since(36 - 1e-6) == pytest.approx(1 - 1e-6)
    assert since(36) == 11
    assert since(45) == 21
    assert since(46) == 22


def test_a_deadline_that_is_changed_applies_to_those_that_wait(waiting: Pipeline) -> None:
    """Shorter or longer: it is counted when looked."""
    waiting.clock.advance(hours=25)
    assert waiting.look(wait={"deadline": "48h"}).late == 0
    assert waiting.look(wait={"deadline": "26h"}).late == 0
    assert waiting.look(wait={"deadline": "25h"}).late == 2


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_two_clocks_that_disagree_make_no_lead_late(postgres_url: str, tmp_path: Path, hours: int) -> None:
    """One of both has jumped, and nobody knows which."""
    with open_pipeline(postgres_url, tmp_path) as pipeline:
        pipeline.arrive(99)
        source = Source.open(
            pipeline.config().source, base_dir=tmp_path, clock=lambda: datetime.now(UTC) + timedelta(hours=hours)
        )
        reading = source.reading(NOON, None)
        assert reading.healthy == (hours == 0)
        assert ("clock" in str(reading.problem)) == (hours != 0)
        source.close()


def test_data_that_changes_after_the_act_is_counted_once_and_changes_nothing(waiting: Pipeline) -> None:
    """A lead that waits is no such case."""
    waiting.arrive(1)
    waiting.look()
    settle(waiting.ledger, waiting.clock.now)
    waiting.clock.advance(minutes=5)
    waiting.arrive(1, score=0.1)
    waiting.arrive(2, postcode=None)
    looked = waiting.look()
    assert (looked.changed, looked.arrived) == (1, 0)
    waiting.clock.advance(seconds=5)
    assert waiting.look().changed == 0
    assert waiting.states() == {"1": State.PROCESSED, "2": State.WAITING}


def test_times_without_a_zone_are_of_the_zone_the_file_names(pipeline: Pipeline) -> None:
    """Both for the deadline and for reading forward."""
    zone = {"time_zone": "America/New_York"}
    pipeline.reopen_source(source=zone)
    pipeline.clock.advance(hours=-5)
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.clock.advance(hours=5)
    pipeline.look(source=zone)
    assert pipeline.entry("1")["quarantined_at"] == NOON
    pipeline.clock.advance(hours=-5, minutes=3)
    pipeline.arrive(1)
    pipeline.clock.advance(hours=5)
    assert pipeline.look_forward(source=zone).arrived == 1


@pytest.mark.parametrize("stamp", ["2099-01-01 00:00:00", "2026-03-02 21:30:00"], ids=["2099", "three hours ahead"])
def test_a_row_of_the_future_does_not_keep_a_dead_source_fresh(waiting: Pipeline, stamp: str) -> None:
    """The source has been dead for a day and more, and one row says otherwise: nobody is late, and it is named."""
    waiting.run_sql(f"UPDATE enrichment SET updated_at = '{stamp}' WHERE id = 99")  # noqa: S608 - made here
    waiting.run_sql("INSERT INTO enrichment VALUES (98, '2026-03-01 11:59:00', 'TN25', NULL, 0.1)")
    waiting.clock.advance(hours=30)
    looked = waiting.look(wait={**FRESH, "deadline": "24h", "require": ["postcode"]})
    assert (looked.late, looked.reading.healthy) == (0, False)
    assert any("with a `updated_at` of the future" in fault for fault in looked.reading.faults.lines())
    assert set(waiting.states().values()) == {State.WAITING}


def test_an_enrichment_that_is_stamped_ahead_arrives_all_the_same(waiting: Pipeline) -> None:
    """Its stamp says nothing of how fresh the source is, and its data is there."""
    waiting.run_sql("INSERT INTO enrichment VALUES (1, '2026-03-01 15:00:00', 'TN25', '0770', 0.9)")
    assert waiting.look().arrived == 1


def test_many_leads_are_not_late_before_any_has_ever_had_a_row(pipeline: Pipeline) -> None:
    """The two tables may write ids differently, so that no lead would ever be complete; few may be unlucky."""
    pipeline.arrive(99)
    pipeline.quarantine(*range(1, 10))
    pipeline.clock.advance(hours=25)
    assert pipeline.look().late == 9
    pipeline.quarantine(*range(11, 31), at=NOON)
    looked = pipeline.look()
    assert (looked.late, looked.reading.healthy) == (0, False)
    [warning] = looked.warnings
    assert warning == (
        "source.enrichment: no lead has ever had a row in it, and 20 would be late. The two relations may write ids "
        "differently: `leadgate check` compares them. No lead becomes late until one has a row."
    )
    config, policy = pipeline.config(), pipeline.policy()
    plan = plan_run(config, pipeline.source, pipeline.ledger, policy, now=pipeline.clock())
    assert ({lead.lead_id for lead in plan.leads}, plan.source_problem) == (
        {str(lead_id) for lead_id in range(1, 10)},
        warning,
    )
    pipeline.arrive(11, postcode=None)
    looked = pipeline.look()
    assert (looked.late, looked.reading.healthy, looked.warnings) == (20, True, [])


def test_a_plan_says_it_before_the_first_run_and_changes_nothing(pipeline: Pipeline) -> None:
    """Nothing is registered yet."""
    pipeline.arrive(99)
    pipeline.quarantine(*range(1, 21))
    pipeline.clock.advance(hours=25)
    config, policy = pipeline.config(), pipeline.policy()
    plan = plan_run(config, pipeline.source, pipeline.ledger, policy, now=pipeline.clock())
    assert (plan.leads, plan.waiting) == ([], 20)
    assert "`leadgate check` compares them" in (plan.source_problem or "")
    assert pipeline.ledger.fetch_rows(select(standstills)) == []
