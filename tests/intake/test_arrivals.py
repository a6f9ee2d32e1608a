"""How leads come in, and when one is complete, late or held: read from the source each time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from leadgate.errors import SourceError
from leadgate.intake import Looked, look_for_arrivals
from leadgate.intake.look import look_at
from leadgate.ledger import Ledger, claims, sending
from leadgate.ledger.status import read_status
from leadgate.model import Conclusion, Enrichment, SourceReading, State, Waiting, fingerprint
from leadgate.source import Source
from tests.delivery.world import config_with, decision_of
from tests.intake.pipeline import NOON, Pipeline, small_pages

LAST_DAY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
REQUIRE = config_with().wait.columns
DAY = timedelta(hours=24)
DUE = NOON + DAY


def waiting(seen: dict[str, object] | None = None) -> Waiting:
    """An entry that waits for its postcode; `seen` is the enrichment it was last seen with."""
    return Waiting("1", NOON, ["postcode"], fingerprint(seen) if seen else None, None)


def hold(pipeline: Pipeline, ledger: Ledger, until: datetime) -> None:
    """Decide every lead that is due: hold."""
    found = claims.claim(ledger, limit=100, lease=DAY, now=pipeline.clock())
    assert found
    held = [Conclusion(claim, decision_of("hold"), State.WAITING, until, "Too early.") for claim in found]
    sending.conclude(ledger, held, now=pipeline.clock())


def test_looks_are_counted_together() -> None:
    """Of each count the sum, of the readings the newer one, and each warning once."""
    older = SourceReading(NOON, None, healthy=False, problem="stale")
    newer = SourceReading(NOON + timedelta(minutes=1), NOON, healthy=True)
    looked = Looked(older, seen=1, arrived=2, late=3, changed=4, again=5, warnings=["a"])
    looked.add(Looked(newer, seen=10, arrived=20, late=30, changed=40, again=50, warnings=["a", "b"]))
    assert looked == Looked(newer, seen=11, arrived=22, late=33, changed=44, again=55, warnings=["a", "b"])
    assert looked.due == 22 + 33 + 55


def test_every_new_lead_is_registered_once(pipeline: Pipeline) -> None:
    """Those that have an entry are left alone, and counted no more."""
    pipeline.quarantine(1, 2)
    assert (pipeline.register().count, pipeline.register().count) == (2, 0)
    pipeline.quarantine(3)
    assert pipeline.register().count == 1
    assert pipeline.states() == dict.fromkeys(("1", "2", "3"), State.WAITING)


def test_a_row_that_cannot_be_a_lead_is_named(pipeline: Pipeline) -> None:
    """The others are registered."""
    pipeline.quarantine(1, 2)
    pipeline.run_sql("UPDATE leads SET quarantined_at = NULL WHERE id = 2", "INSERT INTO leads VALUES (NULL, NULL)")
    registered = pipeline.register()
    assert registered.count == 1
    assert len(registered.faults) == 2


def test_more_leads_than_a_page_are_all_seen(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registering and looking go page by page."""
    small_pages(monkeypatch, 3)
    pipeline.quarantine(*range(1, 12))
    for lead_id in range(2, 11):
        pipeline.arrive(lead_id)
    assert pipeline.look().arrived == 9
    assert set(pipeline.states().values()) == {State.READY, State.WAITING}
    assert {lead_id for lead_id, state in pipeline.states().items() if state is State.WAITING} == {"1", "11"}


def test_a_lead_is_ready_when_its_data_is_complete(pipeline: Pipeline) -> None:
    """Not when some of it is there: then it is stored what is missing still."""
    pipeline.quarantine(1, 2, 3)
    pipeline.arrive(1)
    pipeline.arrive(2, postcode=None)
    looked = pipeline.look()
    assert (looked.arrived, looked.late) == (1, 0)
    assert pipeline.states() == {"1": State.READY, "2": State.WAITING, "3": State.WAITING}
    assert [pipeline.entry(n)["missing"] for n in "123"] == [[], ["postcode"], ["postcode"]]
    assert [pipeline.entry(n)["arrived_at"] for n in "123"] == [NOON, None, None]
    pipeline.arrive(2)
    assert pipeline.look().arrived == 1


def test_an_arrival_is_counted_once(pipeline: Pipeline) -> None:
    """Looking again finds nothing new."""
    pipeline.complete(1)
    pipeline.quarantine(2)
    pipeline.look()
    before = pipeline.rows()
    pipeline.clock.advance(minutes=5)
    looked = pipeline.look()
    assert (looked.arrived, looked.late) == (0, 0)
    assert pipeline.rows() == before


def test_a_lead_is_late_from_its_deadline_on(pipeline: Pipeline) -> None:
    """A second earlier it waits."""
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.clock.advance(hours=24, seconds=-1)
    assert pipeline.look().late == 0
    pipeline.clock.advance(seconds=1)
    assert (pipeline.look().late, pipeline.look().late) == (1, 0)
    assert (pipeline.entry("1")["state"], pipeline.entry("1")["late"]) == ("ready", True)


def test_a_complete_lead_is_never_late(pipeline: Pipeline) -> None:
    """However long after its deadline its data came, as long as nobody had looked."""
    pipeline.quarantine(1)
    pipeline.clock.advance(days=30)
    pipeline.arrive(1)
    looked = pipeline.look()
    assert (looked.arrived, looked.late) == (1, 0)


def test_a_stale_source_stops_the_clock(pipeline: Pipeline) -> None:
    """What is complete goes on; what is missing may only be late in coming. A fresh row sets the clock going."""
    pipeline.quarantine(1, 2)
    pipeline.arrive(2)
    pipeline.clock.advance(hours=30)
    fresh = {"source_fresh_within": "2h"}
    looked = pipeline.look(wait=fresh)
    assert (looked.arrived, looked.late, looked.reading.healthy) == (1, 0, False)
    status = read_status(pipeline.ledger)
    assert (status.read_at, status.healthy_at) == (pipeline.clock.now, None)
    pipeline.arrive(99)
    looked = pipeline.look(wait=fresh)
    assert (looked.late, looked.reading.healthy) == (1, True)
    assert read_status(pipeline.ledger).healthy_at == pipeline.clock.now


def test_freshness_needs_a_column_to_see_it_by(pipeline: Pipeline, tmp_path: Path) -> None:
    """A source without one is told so, and no deadline falls due."""
    pipeline.quarantine(1)
    pipeline.register()
    config = pipeline.config(
        source={"enrichment": {"table": "enrichment", "id": "id"}}, wait={"source_fresh_within": "2h"}
    )
    source = Source.open(config.source, base_dir=tmp_path)
    with pytest.raises(SourceError, match="updated_at"):
        look_for_arrivals(source, pipeline.ledger, config, now=DUE)
    source.close()
    assert pipeline.states() == {"1": State.WAITING}


def test_a_held_lead_is_decided_again_in_its_time(pipeline: Pipeline) -> None:
    """Not before."""
    pipeline.complete(1)
    hold(pipeline, pipeline.ledger, NOON + timedelta(hours=1))
    pipeline.clock.advance(minutes=59)
    assert pipeline.look().arrived == 0
    pipeline.clock.advance(minutes=1)
    assert pipeline.look().arrived == 1
    assert pipeline.states() == {"1": State.READY}


def test_changed_data_ends_a_hold(pipeline: Pipeline) -> None:
    """In any column, also one that no rule reads."""
    pipeline.complete(1)
    hold(pipeline, pipeline.ledger, NOON + timedelta(hours=1))
    pipeline.run_sql("UPDATE enrichment SET mobile = '07700 900999' WHERE id = 1")
    assert pipeline.look().arrived == 1


def test_data_that_vanishes_ends_a_hold_too(pipeline: Pipeline) -> None:
    """The lead waits for its data again, and not for the hour."""
    pipeline.complete(1)
    hold(pipeline, pipeline.ledger, NOON + timedelta(hours=1))
    pipeline.run_sql("UPDATE enrichment SET postcode = NULL WHERE id = 1")
    assert pipeline.look().arrived == 0
    assert (pipeline.entry("1")["missing"], pipeline.entry("1")["due_at"]) == (["postcode"], None)


def test_a_late_lead_that_is_held_is_left_alone(pipeline: Pipeline) -> None:
    """Decided again at every look, a run that watches would decide it without end."""
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.clock.advance(hours=24)
    assert pipeline.look().late == 1
    hold(pipeline, pipeline.ledger, pipeline.clock.now + timedelta(hours=1))
    assert pipeline.look().late == 0
    pipeline.clock.advance(minutes=59)
    assert pipeline.look().late == 0
    pipeline.clock.advance(minutes=1)
    assert pipeline.look().late == 1


def test_a_lead_quarantined_on_the_last_day_is_never_late(pipeline: Pipeline) -> None:
    """Databases write "never" that way, and one such row must not stop all the others."""
    pipeline.arrive(99)
    pipeline.quarantine(1, at=LAST_DAY)
    pipeline.quarantine(2)
    pipeline.clock.advance(hours=24)
    assert pipeline.look().late == 1
    assert pipeline.states() == {"1": State.WAITING, "2": State.READY}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("complete", [False, True])
def test_what_one_look_says(late: bool, complete: bool) -> None:
    """Complete is due; incomplete only when it has waited since the instant that makes it late."""
    enrichment = Enrichment("1", NOON, {"postcode": "TN25 6QD" if complete else None})
    look = look_at(
        waiting(),
        enrichment,
        [] if complete else REQUIRE,
        NOON + DAY,
        NOON if late else NOON - timedelta(seconds=1),
        fingerprint,
    )
    assert look is not None
    assert (look.due, look.late) == (complete or late, late and not complete)
    assert list(look.missing) == ([] if complete else ["postcode"])


def test_nothing_new_is_nothing_to_write() -> None:
    """A lead that waits costs no row of the ledger."""
    row: dict[str, object] = {"postcode": None, "mobile": "07700 900123"}
    assert look_at(waiting(row), Enrichment("1", NOON, row), REQUIRE, NOON, None, fingerprint) is None
    assert look_at(waiting(), None, REQUIRE, NOON, None, fingerprint) is None
    first = Waiting("1", NOON, None, None, None)
    assert look_at(first, None, REQUIRE, NOON, None, fingerprint) is not None


def test_half_a_character_in_a_row_is_data_like_any_other() -> None:
    """JSON columns may hold one, and no row may stop a run."""
    look = look_at(waiting(), Enrichment("1", NOON, {"postcode": "\ud800"}), [], NOON, None, fingerprint)
    assert look is not None
    assert look.due
