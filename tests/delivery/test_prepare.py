"""A wave is made: claimed, read once more from the source, decided, and never more rejects than a run may have."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from leadgate.delivery import Preparation
from leadgate.delivery.routes import Route, route_of
from leadgate.errors import SourceUnavailable
from leadgate.ledger import Ledger, claims
from leadgate.ledger.pauses import keep_pause
from leadgate.model import Decided, State, Tally, Verdict
from leadgate.source import Source
from tests.intake.pipeline import NOON, Pipeline, open_pipeline

BOTH = {"postcode": "TN25 6QD", "phone1": "07700 900123"}


@pytest.fixture
def pipeline(database_url: str, tmp_path: Path) -> Iterator[Pipeline]:
    """A source and a ledger on each kind of database."""
    with open_pipeline(database_url, tmp_path) as opened:
        yield opened


LEFT: dict[str, dict[str, Any]] = {
    left: {"leads": {"table": "leads", "id": "id", "quarantined_at": "quarantined_at", "left": left}}
    for left in ("withdraw", "review", "keep")
}


def preparation(
    pipeline: Pipeline, ledger: Ledger | None = None, tally: Tally | None = None, **sections: dict[str, Any]
) -> Preparation:
    """What makes the waves of one run."""
    return Preparation(
        config=pipeline.config(**sections),
        source=pipeline.source,
        ledger=ledger or pipeline.ledger,
        policy=pipeline.policy(**sections),
        tally=tally,
    )


def verdicts(wave: list[Decided]) -> dict[str, str]:
    """Each lead's verdict."""
    return {lead.claim.lead_id: lead.decision.verdict.value for lead in wave}


def test_what_is_due_is_claimed_and_decided(pipeline: Pipeline) -> None:
    """With the values to write; a null is left out, so that it overwrites nothing."""
    pipeline.quarantine(1, 2)
    pipeline.arrive(1, postcode="TN25 6QD", mobile=None, score=0.9)
    pipeline.arrive(2, postcode="AB1 2CD", mobile="07700 900123", score=0.1)
    pipeline.look()
    wave = preparation(pipeline).claim_wave(100)
    assert verdicts(wave) == {"1": "process", "2": "review"}
    assert {lead.claim.lead_id: lead.update for lead in wave} == {
        "1": {"postcode": "TN25 6QD"},
        "2": {"postcode": "AB1 2CD", "phone1": "07700 900123"},
    }


def test_nobody_else_gets_a_claimed_lead_while_the_lease_lasts(pipeline: Pipeline) -> None:
    """Afterwards anybody does."""
    pipeline.complete(1, 2, 3)
    assert len(preparation(pipeline).claim_wave(2)) == 2
    with pipeline.other_run() as ledger:
        assert len(preparation(pipeline, ledger).claim_wave(100)) == 1
        assert preparation(pipeline, ledger).claim_wave(100) == []
        pipeline.clock.advance(minutes=6)
        assert len(preparation(pipeline, ledger).claim_wave(100)) == 3


def test_a_lead_whose_data_has_vanished_waits_again(pipeline: Pipeline) -> None:
    """It is not in the wave, names what is missing, and is complete again when the data is back."""
    pipeline.complete(1, 2)
    pipeline.run_sql("DELETE FROM enrichment WHERE id = 1")
    assert verdicts(preparation(pipeline).claim_wave(100)) == {"2": "process"}
    entry = pipeline.entry("1")
    assert (entry["state"], entry["missing"], entry["arrived_at"]) == ("waiting", ["postcode"], None)
    assert entry["lease_owner"] is None
    pipeline.arrive(1)
    pipeline.look()
    assert verdicts(preparation(pipeline).claim_wave(100)) == {"1": "process"}


def test_a_wave_of_nothing_but_vanished_data_is_followed_by_the_next(pipeline: Pipeline) -> None:
    """An empty wave means that nothing is due, so it must not come from data that went away."""
    pipeline.complete(1, 2, 3)
    pipeline.run_sql("DELETE FROM enrichment WHERE id IN (1, 2)")
    assert verdicts(preparation(pipeline).claim_wave(2)) == {"3": "process"}
    assert preparation(pipeline).claim_wave(2) == []


def test_a_late_lead_is_decided_as_such(pipeline: Pipeline) -> None:
    """Its data is still missing, and there is nothing to write."""
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.clock.advance(hours=24)
    pipeline.look()
    (lead,) = preparation(pipeline).claim_wave(100)
    assert (lead.decision.rule, lead.decision.late, lead.update) == ("never-enriched", True, {})


def test_a_late_lead_whose_data_came_after_all_is_not_late(pipeline: Pipeline) -> None:
    """What counts is what the source says when it is decided."""
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.clock.advance(hours=24)
    pipeline.look()
    pipeline.arrive(1)
    (lead,) = preparation(pipeline).claim_wave(100)
    assert (lead.decision.verdict, lead.decision.late) == (Verdict.PROCESS, False)


def test_a_lead_whose_row_has_vanished_is_not_decided(pipeline: Pipeline) -> None:
    """It is looked at again in ten minutes."""
    pipeline.complete(1, 2)
    pipeline.run_sql("DELETE FROM leads WHERE id = 1")
    assert verdicts(preparation(pipeline).claim_wave(100)) == {"2": "process"}
    entry = pipeline.entry("1")
    assert (entry["state"], entry["due_at"], entry["lease_owner"]) == ("ready", NOON + timedelta(minutes=10), None)
    assert pipeline.entry("2")["lease_owner"] is not None, "the other lead is held, and will be sent"
    assert preparation(pipeline).claim_wave(100) == []


def test_a_lead_that_is_kept_is_decided_by_its_enrichment(pipeline: Pipeline) -> None:
    """LeadByte still has it; the columns of its row count as missing."""
    pipeline.complete(1)
    pipeline.run_sql("DELETE FROM leads WHERE id = 1")
    (lead,) = preparation(pipeline, source=LEFT["keep"]).claim_wave(100)
    assert (lead.decision.verdict, lead.claim.quarantined_at) == (Verdict.PROCESS, NOON)


def test_rejects_beyond_the_budget_go_to_a_person(pipeline: Pipeline) -> None:
    """The reason says so and keeps the rule's own."""
    pipeline.arrive(99)
    pipeline.quarantine(*range(1, 8))
    pipeline.clock.advance(hours=24)
    pipeline.look()
    tally = Tally()
    making = preparation(pipeline, tally=tally, safety={"budgets": {"reject": "3/hour"}})
    wave = making.claim_wave(9)
    assert [lead.decision.verdict.value for lead in wave] == ["reject"] * 3 + ["review"] * 4
    assert tally.capped == 4
    last = wave[-1].decision
    assert last.rule == "never-enriched"
    assert last.reason.startswith("No enrichment within the deadline.")
    assert "(For a person: safety.budgets.reject, 3/hour, is used up.)" in last.reason


def test_acts_beyond_the_budget_wait_and_are_counted(pipeline: Pipeline) -> None:
    """Each of them, however many waves there are."""
    pipeline.complete(*range(1, 8))
    tally = Tally()
    wave = preparation(pipeline, tally=tally, safety={"budgets": {"process": "3/hour"}}).claim_wave(9)
    assert [lead.decision.verdict.value for lead in wave] == ["process"] * 3 + ["hold"] * 4
    assert (tally.put_off, tally.capped) == (4, 0)


def test_a_budget_of_none_rejects_nothing(pipeline: Pipeline) -> None:
    """And lets everything else through."""
    pipeline.complete(1)
    pipeline.quarantine(2)
    pipeline.clock.advance(hours=24)
    pipeline.look()
    assert verdicts(preparation(pipeline, safety={"budgets": {"reject": "0/hour"}}).claim_wave(9)) == {
        "1": "process",
        "2": "review",
    }


def test_a_source_that_fails_costs_no_lease(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was claimed is given back at once, and another run has it without waiting."""
    pipeline.complete(1, 2)

    def fail(_source: Source, _ids: object) -> None:
        raise SourceUnavailable("source: cannot be reached. Try again.")

    with monkeypatch.context() as patched:
        patched.setattr(Source, "enrichments", fail)
        with pytest.raises(SourceUnavailable):
            preparation(pipeline).claim_wave(100)
    assert pipeline.states() == {"1": State.READY, "2": State.READY}
    with pipeline.other_run() as ledger:
        assert len(preparation(pipeline, ledger).claim_wave(100)) == 2


def test_a_dropped_table_costs_no_lease(pipeline: Pipeline) -> None:
    """Nor does an error that will stay."""
    pipeline.complete(1)
    pipeline.run_sql("DROP TABLE enrichment")
    with pytest.raises(Exception, match="enrichment"):
        preparation(pipeline).claim_wave(100)
    assert pipeline.entry("1")["lease_owner"] is None


def test_a_lead_that_was_written_before_is_marked_so(pipeline: Pipeline) -> None:
    """Unless a value has changed since. What to write stays with it, for an act that may go with it."""
    pipeline.complete(1)
    (lead,) = preparation(pipeline).claim_wave(1)
    assert (lead.update, lead.is_written) == (BOTH, False)
    with pipeline.ledger.engine.begin() as connection:
        connection.execute(
            text("UPDATE leadgate_entries SET updated_hash = :hash, lease_owner = NULL, lease_until = NULL"),
            {"hash": lead.payload_hash},
        )
    (again,) = preparation(pipeline).claim_wave(1)
    assert (again.update, again.payload_hash, again.is_written) == (BOTH, lead.payload_hash, True)
    claims.release(pipeline.ledger, now=pipeline.clock())
    pipeline.run_sql("UPDATE enrichment SET postcode = 'AB1 2CD' WHERE id = 1")
    (changed,) = preparation(pipeline).claim_wave(1)
    assert (changed.update, changed.is_written) == (BOTH | {"postcode": "AB1 2CD"}, False)


def test_a_lead_with_nothing_to_write_was_not_written_before(pipeline: Pipeline) -> None:
    """No hash is like no hash: a late lead that was never written is told from one that was."""
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.clock.advance(hours=24)
    pipeline.look()
    (lead,) = preparation(pipeline).claim_wave(1)
    assert (lead.update, lead.payload_hash, lead.is_written) == ({}, None, False)


def test_a_text_for_all_is_something_to_write_for_a_late_lead(pipeline: Pipeline) -> None:
    """So that it goes in a batch like the others, and can be probed."""
    pipeline.arrive(99)
    pipeline.quarantine(1)
    pipeline.clock.advance(hours=24)
    pipeline.look()
    (lead,) = preparation(pipeline, update={"data20": {"text": "leadgate"}}).claim_wave(1)
    assert (lead.decision.late, lead.update) == (True, {"data20": "leadgate"})
    assert route_of(lead, "update_first") is Route.UPDATE_FIRST


def test_a_lead_without_a_value_that_is_needed_is_held_until_it_has_one(pipeline: Pipeline) -> None:
    """What would be processed is held by its update; its other fields are written, and it goes with the value."""
    needed = {"phone1": {"from": "mobile", "when_null": "hold"}}
    pipeline.quarantine(1)
    pipeline.arrive(1, mobile="  ")
    pipeline.look()
    (held,) = preparation(pipeline, update=needed).claim_wave(1)
    assert (held.decision.verdict, held.decision.rule, held.update) == (Verdict.HOLD, "good", {"postcode": "TN25 6QD"})
    assert held.decision.reason.startswith("Held: update.phone1 has no value, and `when_null: hold`.")
    claims.release(pipeline.ledger, now=pipeline.clock())
    pipeline.arrive(1)
    (lead,) = preparation(pipeline, update=needed).claim_wave(1)
    assert (lead.decision.verdict, lead.update) == (Verdict.PROCESS, BOTH)


@pytest.mark.parametrize("is_paused", [False, True])
def test_the_next_wave_leaves_the_last_one_alone(pipeline: Pipeline, *, is_paused: bool) -> None:
    """They overlap: whatever ends the second, the first has still to be sent."""
    pipeline.complete(1, 2)
    if is_paused:
        keep_pause(pipeline.ledger, by="ann", reason="", now=pipeline.clock())
    waves = preparation(pipeline)
    held = waves.claim_wave(1)
    waves.claim_wave(1)
    assert waves.claim_wave(1) == []
    assert pipeline.entry(held[0].claim.lead_id)["lease_owner"] == pipeline.ledger.owner
    pipeline.complete(3)
    pipeline.run_sql("DROP TABLE enrichment")
    with pytest.raises(Exception, match="enrichment"):
        waves.claim_wave(1)
    assert [pipeline.entry(lead_id)["lease_owner"] is None for lead_id in "123"] == [False, False, True]
