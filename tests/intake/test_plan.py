"""A plan says what a run then does, and changes nothing."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import text

from leadgate.delivery import Delivery, Exchange, Preparation
from leadgate.leadbyte import LeadByteClient
from leadgate.model import Faults, State
from leadgate.plan import Plan, plan_run
from leadgate.sandbox import Sandbox, sandbox_thread
from tests.intake.pipeline import Pipeline, small_pages

TABLES = ["leadgate_entries", "leadgate_entry_decisions", "leadgate_attempts", "leadgate_readings", "leadgate_policies"]


def plan(pipeline: Pipeline, **sections: dict[str, Any]) -> Plan:
    """What a run would do now."""
    config, policy = pipeline.config(**sections), pipeline.policy(**sections)
    return plan_run(config, pipeline.source, pipeline.ledger, policy, now=pipeline.clock())


def run(pipeline: Pipeline, sandbox: Sandbox, **sections: dict[str, Any]) -> Counter[str]:
    """Do it, and count the verdicts of this run."""
    pipeline.look(**sections)
    config, ledger = pipeline.config(**sections), pipeline.ledger
    policy = pipeline.policy(**sections)
    preparation = Preparation(config=config, source=pipeline.source, ledger=ledger, policy=policy)
    verdicts: Counter[str] = Counter()

    async def deliver() -> None:
        client = LeadByteClient(
            base_url=sandbox.url,
            api_key=SecretStr(sandbox.key),
            timeout=timedelta(seconds=5),
            concurrency=4,
            clock=pipeline.clock,
        )
        async with client:
            delivery = Delivery(config, Exchange(config=config, ledger=ledger, client=client))
            while wave := preparation.claim_wave(3):
                verdicts.update(lead.decision.verdict.value for lead in wave)
                await delivery.act(await delivery.update(wave))

    asyncio.run(deliver())
    return verdicts


def counts(planned: Plan) -> Counter[str]:
    """How many leads a plan gives each verdict."""
    return Counter(lead.verdict for lead in planned.leads)


def test_a_plan_tells_verdict_reason_route_and_fields(pipeline: Pipeline) -> None:
    """Field names, never their values; leads that are not registered yet are marked as new."""
    pipeline.complete(1)
    pipeline.quarantine(2, 3)
    pipeline.arrive(2, score=0.1, mobile=None)
    planned = plan(pipeline)
    assert planned.waiting == 1
    found = {lead.lead_id: lead for lead in planned.leads}
    assert set(found) == {"1", "2"}
    assert (found["1"].verdict, found["1"].rule, found["1"].reason) == ("process", "good", "A good score.")
    assert (found["1"].new, found["1"].route) == (False, "update and act in one request")
    assert [each.field for each in found["1"].fields] == ["postcode", "phone1"]
    assert (found["2"].verdict, found["2"].rule, found["2"].new) == ("review", None, True)
    assert (found["2"].route, [each.field for each in found["2"].fields]) == ("update", ["postcode"])
    assert "TN25" not in str(planned)


def test_a_plan_changes_nothing(pipeline: Pipeline) -> None:
    """No row of any table is new, gone or different."""
    pipeline.complete(1)
    pipeline.quarantine(2, 3)
    pipeline.arrive(2)
    before = {table: pipeline.rows(table) for table in TABLES}
    planned = plan(pipeline)
    assert len(planned.leads) == 2
    assert {table: pipeline.rows(table) for table in TABLES} == before


def test_a_plan_names_rows_that_cannot_be_leads(pipeline: Pipeline) -> None:
    """As registering does."""
    pipeline.quarantine(1)
    pipeline.run_sql("UPDATE leads SET quarantined_at = NULL")
    assert plan(pipeline).faults == pipeline.register().faults != Faults()


def test_a_plan_keeps_to_the_reject_cap(pipeline: Pipeline) -> None:
    """What a run would give to a person, the plan does too."""
    pipeline.arrive(99)
    pipeline.quarantine(*range(1, 6))
    pipeline.clock.advance(hours=24)
    assert counts(plan(pipeline, safety={"budgets": {"reject": "2/hour"}})) == {"reject": 2, "review": 3}


def test_a_plan_has_as_many_pages_as_it_needs(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """New, waiting and ready leads alike."""
    small_pages(monkeypatch, 2)
    pipeline.complete(*range(1, 6))
    pipeline.quarantine(*range(6, 11))
    pipeline.register()
    pipeline.quarantine(*range(11, 16))
    for lead_id in range(6, 16):
        pipeline.arrive(lead_id)
    assert sorted(int(lead.lead_id) for lead in plan(pipeline).leads) == list(range(1, 16))


LEADS = st.lists(
    st.tuples(
        st.sampled_from(["absent", "partial", "good", "poor", "early"]),
        st.integers(0, 30),
        st.sampled_from(["new", "registered", "looked"]),
        st.sampled_from(["as it was", "absent", "good"]),
    ),
    max_size=8,
)
SCORES = {"partial": 0.9, "good": 0.9, "poor": 0.2, "early": -1.0}


def let_arrive(pipeline: Pipeline, lead_id: int, what: str) -> None:
    """Put a lead's enrichment into the source, or take it out."""
    pipeline.run_sql("DELETE FROM enrichment WHERE id = :id", id=lead_id)
    if what != "absent":
        pipeline.arrive(lead_id, score=SCORES[what], **({"postcode": None} if what == "partial" else {}))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(leads=LEADS, cap=st.integers(0, 3), mode=st.sampled_from(["combined", "separate"]))
def test_a_run_does_what_was_planned(pipeline: Pipeline, leads: list[Any], cap: int, mode: str) -> None:
    """Whatever waits, is due, late, held or has lost its data: the verdicts are as many of each kind."""
    for table in ("leads", "enrichment"):
        pipeline.run_sql(f"DELETE FROM {table}")  # noqa: S608
    with pipeline.ledger.engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
    sections: dict[str, Any] = {"safety": {"budgets": {"reject": f"{cap}/hour"}}, "delivery": {"mode": mode}}
    for stage in ("looked", "registered", "new"):
        for lead_id, (what, hours, seen, _) in enumerate(leads, 1):
            if seen == stage:
                pipeline.quarantine(lead_id, at=pipeline.clock.now - timedelta(hours=hours))
                let_arrive(pipeline, lead_id, what)
        if stage != "new":
            _ = pipeline.look() if stage == "looked" else pipeline.register()
    for lead_id, (*_, later) in enumerate(leads, 1):
        if later != "as it was":
            let_arrive(pipeline, lead_id, later)
    planned = plan(pipeline, **sections)
    with sandbox_thread() as sandbox:
        assert run(pipeline, sandbox, **sections) == counts(planned)
        left = Counter(pipeline.states().values())
        assert left[State.WAITING] == planned.waiting + counts(planned)["hold"]
        again = plan(pipeline, **sections)
        assert run(pipeline, sandbox, **sections) == counts(again)
        assert sandbox.quarantine.acted_twice() == []
