"""Waits of the data people really have: choices, conditions, the lead's own row, and deadlines that differ by lead."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadgate.ledger.history import read_history
from leadgate.model import State
from leadgate.plan import plan_run
from leadgate.story import tell
from tests.intake.pipeline import Pipeline, open_pipeline

SOLAR = {"when": "lead.campaign == 'solar'", "after": "6h"}
WAIT: dict[str, Any] = {
    "wait": {"require": ["postcode", {"any": ["mobile", "lead.campaign"]}], "deadline": "24h", "deadlines": [SOLAR]}
}


@pytest.fixture
def own(database_url: str, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline whose leads have a campaign."""
    with open_pipeline(database_url, tmp_path) as pipeline:
        pipeline.run_sql("DROP TABLE leads", "CREATE TABLE leads (id BIGINT, quarantined_at TIMESTAMP, campaign TEXT)")
        pipeline.reopen_source()
        yield pipeline


def quarantine(pipeline: Pipeline, lead_id: int, campaign: str | None) -> None:
    """Put a lead of a campaign into quarantine, now."""
    at = pipeline.clock().replace(tzinfo=None).isoformat(" ")
    pipeline.run_sql("INSERT INTO leads VALUES (:id, :at, :campaign)", id=lead_id, at=at, campaign=campaign)


def now_of(pipeline: Pipeline, lead_id: int) -> str:
    """What `explain` says holds now."""
    history = read_history(pipeline.ledger, str(lead_id))
    assert history
    return tell(history, pipeline.config(**WAIT)).now


def test_a_choice_is_complete_with_one_of_its_columns(own: Pipeline) -> None:
    """Of either relation; a blank is none."""
    for lead_id, campaign in ((1, None), (2, "heat"), (3, " ")):
        quarantine(own, lead_id, campaign)
    own.arrive(1)
    own.arrive(2, mobile=None)
    own.arrive(3, mobile="")
    assert own.look(**WAIT).arrived == 2
    assert own.states() == {"1": State.READY, "2": State.READY, "3": State.WAITING}
    assert "waits for one of mobile, lead.campaign; until 2026-03-02 12:00:00Z; then it is late" in now_of(own, 3)


def test_what_comes_into_the_lead_s_own_row_completes_it(own: Pipeline) -> None:
    """The comparison of everything finds it, though no enrichment was written."""
    quarantine(own, 1, None)
    own.arrive(1, mobile=None)
    own.look(**WAIT)
    assert own.states() == {"1": State.WAITING}
    own.run_sql("UPDATE leads SET campaign = 'heat'")
    own.look(**WAIT)
    assert own.states() == {"1": State.READY}


def test_each_lead_is_late_by_its_own_deadline(own: Pipeline) -> None:
    """After six hours those of solar, after a day the others; each once."""
    own.arrive(99)
    for lead_id, campaign in ((1, "solar"), (2, "heat"), (3, None)):
        quarantine(own, lead_id, campaign)
    own.look(**WAIT)
    told = "waits for postcode until 2026-03-01 18:00:00Z, by the deadline of 6h for `lead.campaign == 'solar'`; "
    assert now_of(own, 1).startswith(f"Now: {told}then it is late")
    own.clock.advance(hours=6)
    assert own.look_forward(**WAIT).late == 1
    assert own.states() == {"1": State.READY, "2": State.WAITING, "3": State.WAITING}
    own.clock.advance(hours=18)
    assert own.look_forward(**WAIT).late == 2
    assert set(own.states().values()) == {State.READY}


def test_a_plan_goes_by_the_same_deadlines(own: Pipeline) -> None:
    """Before any run has looked."""
    own.arrive(99)
    quarantine(own, 1, "solar")
    quarantine(own, 2, "heat")
    own.clock.advance(hours=7)
    policy = own.policy()
    plan = plan_run(own.config(**WAIT), own.source, own.ledger, policy, now=own.clock())
    assert [(lead.lead_id, lead.late) for lead in plan.leads] == [("1", True)]
    assert plan.missing == {"postcode": 1}


def test_a_lead_that_changes_its_campaign_changes_its_deadline(own: Pipeline) -> None:
    """Also by a file that has other deadlines: once everything was compared."""
    own.arrive(99)
    quarantine(own, 1, "heat")
    own.look(**WAIT)
    own.run_sql("UPDATE leads SET campaign = 'solar'")
    own.clock.advance(hours=7)
    assert own.look(**WAIT).late == 1
    quarantine(own, 2, "solar")
    own.look(**WAIT)
    shorter = {"wait": WAIT["wait"] | {"deadlines": [SOLAR | {"after": "30m"}]}}
    own.clock.advance(minutes=30)
    assert own.look(**shorter).late == 1
    assert own.entry("2")["deadline"] == 30 * 60


def test_a_standstill_counts_for_no_deadline(own: Pipeline) -> None:
    """An hour in which the source was not healthy makes each of them an hour later."""
    own.arrive(99)
    quarantine(own, 1, "solar")
    own.look(**WAIT)
    own.run_sql("DELETE FROM enrichment")
    own.clock.advance(hours=1)
    own.look(**WAIT)
    own.clock.advance(hours=1)
    own.arrive(99)
    own.look(**WAIT)
    own.clock.advance(hours=4, minutes=59)
    assert own.look(**WAIT).late == 0
    own.clock.advance(minutes=1)
    assert own.look(**WAIT).late == 1
    assert own.entry("1")["quarantined_at"] + timedelta(hours=7) == own.clock()
