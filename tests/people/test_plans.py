"""A run that keeps to a plan sends the leads that are still as planned, and no others."""

import json
from pathlib import Path
from typing import Any

import pytest

from leadgate.delivery import PlanKeeper
from leadgate.errors import ConfigError
from leadgate.ledger.pauses import keep_pause
from leadgate.model import State
from leadgate.plan import plan_run, read_plan, write_plan
from tests.people.runs import Runs, Sections

OTHER_RULES: Sections = {"policy": {"rules": [{"name": "all", "when": "true", "then": "process", "because": "All."}]}}


def make(runs: Runs, file: Path, **sections: dict[str, Any]) -> None:
    """Write what a run would do now."""
    config, policy = runs.pipeline.config(**sections), runs.pipeline.policy(**sections)
    now = runs.pipeline.clock()
    found = plan_run(config, runs.pipeline.source, runs.pipeline.ledger, policy, now=now)
    write_plan(file, found, pipeline="acme", policy_version=policy.version, now=now)


def keep(runs: Runs, file: Path, **sections: dict[str, Any]) -> dict[str, str]:
    """Run by the plan; return what was skipped and why."""
    keeper: PlanKeeper = read_plan(file, pipeline="acme", policy_version=runs.pipeline.policy(**sections).version)
    runs.run(keeper=keeper, sections=sections)
    return keeper.skipped


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the plan is written."""
    return tmp_path / "plan.json"


def test_what_is_as_planned_is_sent_and_nothing_else(runs: Runs, file: Path) -> None:
    """Leads that have come since wait for a run without a plan."""
    runs.pipeline.quarantine(1, 2)
    runs.pipeline.arrive(1)
    runs.pipeline.arrive(2, score=0.3)
    make(runs, file)
    runs.pipeline.complete(3)
    assert keep(runs, file) == {}
    assert runs.acted() == {"1": ["process"]}
    assert runs.updates() == ["2"]
    assert runs.pipeline.states() == {"1": State.PROCESSED, "2": State.REVIEW, "3": State.READY}


def test_a_lead_whose_data_has_changed_is_not_sent(runs: Runs, file: Path) -> None:
    """What a rule reads, and what would be written; a column that is neither may change."""
    runs.pipeline.complete(1, 2, 3)
    make(runs, file)
    runs.pipeline.arrive(1, score=0.8)
    runs.pipeline.arrive(2, mobile="07700 900456")
    runs.pipeline.run_sql("UPDATE enrichment SET updated_at = '2026-03-01 12:30:00' WHERE id = 3")
    assert keep(runs, file) == {"1": "its data has changed", "2": "its data has changed"}
    assert (runs.acted(), runs.updates()) == ({"3": ["process"]}, [])
    assert runs.pipeline.states()["1"] is State.READY
    runs.run()
    assert runs.acted().keys() == {"1", "2", "3"}


def test_a_lead_that_has_moved_on_is_not_sent(runs: Runs, file: Path) -> None:
    """Processed meanwhile, waiting for data again, or gone from the source before it was registered."""
    runs.pipeline.complete(1, 2)
    runs.pipeline.quarantine(3)
    runs.pipeline.arrive(3)
    make(runs, file)
    runs.pipeline.run_sql("DELETE FROM leads WHERE id = 3")
    runs.pipeline.arrive(2, postcode=None)
    runs.run()
    assert keep(runs, file) == {
        "1": "it is processed now",
        "2": "it is waiting now",
        "3": "it is not among the leads that this run knows",
    }
    assert runs.acted() == {"1": ["process"]}


def test_with_other_rules_nothing_is_sent(runs: Runs, file: Path) -> None:
    """Each lead is listed."""
    runs.pipeline.complete(1, 2)
    make(runs, file)
    skipped = keep(runs, file, **OTHER_RULES)
    assert skipped.keys() == {"1", "2"}
    assert all(why.startswith("the rules have changed: ") for why in skipped.values())
    assert runs.acted() == {}


def test_a_person_who_has_decided_meanwhile_changes_the_plan(runs: Runs, file: Path) -> None:
    """The lead is the person's."""
    runs.review(1)
    runs.resolve(1)
    make(runs, file)
    runs.run()
    assert keep(runs, file) == {"1": "it is processed now"}
    assert runs.acted() == {"1": ["process"]}


def test_a_paused_pipeline_keeps_to_no_plan(runs: Runs, file: Path) -> None:
    """A plan that was made before the pause is no way round it."""
    runs.pipeline.complete(1)
    make(runs, file)
    keep_pause(runs.pipeline.ledger, by="ann", reason="", now=runs.pipeline.clock())
    assert keep(runs, file) == {"1": "the pipeline is paused"}
    assert runs.acted() == {}


def test_the_cap_falls_on_the_leads_it_was_planned_for(runs: Runs, file: Path) -> None:
    """In the order of the plan, so that none is rejected that the plan gives to a person."""
    runs.pipeline.arrive(99)
    runs.pipeline.quarantine(*range(1, 6))
    runs.pipeline.clock.advance(hours=24)
    safety: Sections = {"safety": {"budgets": {"reject": "2/hour"}}}
    make(runs, file, **safety)
    assert keep(runs, file, **safety) == {}
    planned = {lead["lead_id"]: lead["verdict"] for lead in json.loads(file.read_text("utf-8"))["leads"]}
    assert runs.acted() == {lead_id: ["reject"] for lead_id, verdict in planned.items() if verdict == "reject"}
    assert len(runs.acted()) == 2


def test_a_plan_holds_no_value_of_a_lead(runs: Runs, file: Path) -> None:
    """Ids, verdicts, rules and hashes."""
    runs.pipeline.complete(1)
    make(runs, file)
    document = json.loads(file.read_text("utf-8"))
    assert document.keys() == {"leadgate_plan", "pipeline", "policy_version", "made_at", "leads"}
    (lead,) = document["leads"]
    assert lead.keys() == {"lead_id", "verdict", "rule", "data_hash"}
    assert "TN25" not in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no such file. To go on, make one with `leadgate plan --out FILE`"),
        ("hello", "is no plan .*make one with"),
        ('{"leadgate_plan": 2}', r"is no plan \(leadgate_plan: .*make one with"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(file: Path, text: str | None, message: str) -> None:
    """The message names the file and says what to do."""
    if text is not None:
        file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=f"plan.json: {message}"):
        read_plan(file, pipeline="acme", policy_version="v1")


def test_a_plan_is_for_its_pipeline_and_for_a_run_of_its_own(runs: Runs, file: Path) -> None:
    """Another pipeline's is refused, and so is a limit beside it."""
    make(runs, file)
    with pytest.raises(ConfigError, match="is a plan of the pipeline 'acme', not of 'other'"):
        read_plan(file, pipeline="other", policy_version="v1")
    with pytest.raises(ConfigError, match="neither a limit nor a time"):
        read_plan(file, pipeline="acme", policy_version="v1", limit=1)


def test_a_plan_says_what_people_have_decided(runs: Runs) -> None:
    """Not `otherwise`: no rule was asked."""
    runs.review(1)
    runs.resolve(1)
    config, policy = runs.pipeline.config(), runs.pipeline.policy()
    [lead] = plan_run(config, runs.pipeline.source, runs.pipeline.ledger, policy, now=runs.pipeline.clock()).leads
    assert (lead.verdict, lead.decider, lead.decided_by) == ("process", "a person", "ann")
