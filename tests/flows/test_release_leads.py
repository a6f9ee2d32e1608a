"""The flow `release-leads` through the real Prefect engine: what an engineer sees of a run on the server."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect.client.schemas.objects import State
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from flows.release_leads import WAVE, release_leads
from leadgate.ledger.alarms import Alarm
from leadgate.sandbox import Permission, Sandbox, sandbox_thread
from tasks.alarms import BEGINS
from tests.support.pipelines import Practice
from tests.support.prefect_records import PrefectRecords
from tests.support.waiting import wait_until

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
KEYS = {f"leadgate-acme-{what}" for what in ("progress", "summary", "decisions", "people")}


async def run(pipeline: Practice, **parameters: Any) -> tuple[State[Any], UUID]:  # noqa: ANN401
    """Run the flow; return its final state and its id."""
    state = await release_leads(str(pipeline.file), return_state=True, **parameters)
    run_id = state.state_details.flow_run_id
    assert run_id
    return state, run_id


def artifacts(records: PrefectRecords, run_id: UUID) -> dict[str, dict[str, Any]]:
    """A run's artifacts by their keys."""
    return {artifact["key"]: artifact for artifact in records.of_run("artifacts", run_id)}


async def test_a_run_leaves_a_bar_a_table_and_a_summary(pipeline: Practice, records: PrefectRecords) -> None:
    """The artifacts are of the kinds that Prefect draws, and hold the counts."""
    pipeline.quarantine(1, 2, 3)
    pipeline.enrich(1, 2, **COMPLETE)
    pipeline.enrich(2, **COMPLETE, opted_out=True)
    state, run_id = await run(pipeline)

    assert state.is_completed()
    found = artifacts(records, run_id)
    assert {key: artifact["type"] for key, artifact in found.items()} == dict(
        zip(sorted(KEYS), ["table", "markdown", "progress", "markdown"], strict=True)
    )
    assert found["leadgate-acme-progress"]["data"] == pytest.approx(66.7)
    table = json.loads(found["leadgate-acme-decisions"]["data"])
    assert {(row["verdict"], row["rule"], row["decisions"]) for row in table} == {
        ("process", "verified", 1),
        ("reject", "opted-out", 1),
    }
    lines = found["leadgate-acme-summary"]["data"].splitlines()
    assert lines[0] == "# acme"
    assert {"| registered | 3 |", "| processed | 1 |", "| rejected | 1 |", "| waiting | 1 |"} <= set(lines)


async def test_an_observed_run_says_what_it_would_have_done(
    pipeline: Practice, leadbyte: Sandbox, records: PrefectRecords
) -> None:
    """In its summary and in the table of decisions; it is completed, and LeadByte hears nothing of it."""
    pipeline.edit("policy:\n", "delivery: {observe: true}\npolicy:\n")
    pipeline.quarantine(1)
    pipeline.enrich(1, **COMPLETE)
    state, run_id = await run(pipeline)
    found = artifacts(records, run_id)
    told = "**Observed.** This run would have processed 1. Nothing was sent (`delivery.observe`)."
    assert told in found["leadgate-acme-summary"]["data"].splitlines()
    (row,) = json.loads(found["leadgate-acme-decisions"]["data"])
    assert row == {"verdict": "process", "rule": "verified, observed", "decisions": 1}
    assert (state.is_completed(), leadbyte.requests) == (True, [])


async def test_every_run_uses_the_same_keys(pipeline: Practice, records: PrefectRecords) -> None:
    """Prefect shows the artifacts of one key as one history, so a key never holds what changes from run to run."""
    for lead_id in (1, 2):
        pipeline.quarantine(lead_id)
        pipeline.enrich(lead_id, **COMPLETE)
        _, run_id = await run(pipeline)
        assert artifacts(records, run_id).keys() == KEYS


async def test_a_run_is_named_and_tagged_by_its_pipeline(pipeline: Practice, records: PrefectRecords) -> None:
    """Runs of several pipelines can be told apart in the UI, however they were started."""
    _, run_id = await run(pipeline)
    kept = records.run(run_id)
    assert datetime.strptime(kept["name"], "acme-%Y-%m-%d-%H:%M:%S").replace(tzinfo=UTC) > datetime.now(
        UTC
    ) - timedelta(minutes=1)
    assert set(kept["tags"]) == {"leadgate", "pipeline:acme"}


async def test_a_run_that_leadbyte_refuses_is_failed_and_says_why(
    pipeline: Practice, leadbyte: Sandbox, records: PrefectRecords
) -> None:
    """The reason is the state's message and stands in the summary, which is there all the same."""
    pipeline.quarantine(1)
    pipeline.enrich(1, **COMPLETE)
    leadbyte.faults.change({"permission": "read-only"})
    state, run_id = await run(pipeline)

    assert state.is_failed()
    kept = records.run(run_id)["state"]
    assert kept["type"] == "FAILED"
    assert kept["message"].startswith(f"LeadByte at {leadbyte.url} refused the API key (HTTP 403).")
    summary = artifacts(records, run_id)["leadgate-acme-summary"]["data"]
    assert f"**Stopped early.** {kept['message']}" in summary
    assert "| ready | 1 |" in summary


async def test_a_key_that_is_refused_when_leadbyte_is_back_is_reported(
    pipeline: Practice, leadbyte: Sandbox, records: PrefectRecords
) -> None:
    """The run that has waited out an outage ends with its summary too, and the leads are ready."""
    pipeline.edit("requests_per_second: 0", "requests_per_second: 0\n  batch_size: 1")
    pipeline.quarantine(*range(1, 41))
    pipeline.enrich(*range(1, 41), **COMPLETE)
    leadbyte.faults.change({"503": "always", "retry-after": 0})

    def come_back() -> None:
        wait_until(lambda: [request.body for request in leadbyte.requests[-1:]] == [{"leads": []}], what="it is asked")
        leadbyte.faults.change({"401": "always"})

    with ThreadPoolExecutor() as pool:
        back = pool.submit(come_back)
        state, run_id = await run(pipeline)
        back.result()
    assert state.is_failed()
    assert records.run(run_id)["state"]["message"].startswith(f"LeadByte at {leadbyte.url} refused the API key")
    assert "| ready | 40 |" in artifacts(records, run_id)["leadgate-acme-summary"]["data"]


async def test_shadow_rules_are_counted_and_not_acted_on(
    pipeline: Practice, leadbyte: Sandbox, records: PrefectRecords
) -> None:
    """A table says what they would have made of which leads; the acts are the live rules'."""
    stricter = pipeline.file.read_text("utf-8").replace("enrichment.score >= 0.6", "enrichment.score >= 0.8")
    assert stricter != pipeline.file.read_text("utf-8")
    pipeline.file.with_name("stricter.yaml").write_text(stricter, "utf-8")
    pipeline.edit("keep_facts: [score]", "keep_facts: [score]\n  shadow: stricter.yaml")
    pipeline.quarantine(1, 2, 3)
    pipeline.enrich(1, **COMPLETE)
    pipeline.enrich(2, 3, **COMPLETE | {"score": 0.7})
    state, run_id = await run(pipeline)
    assert state.is_completed()
    assert len(leadbyte.quarantine.acts) == 3
    found = artifacts(records, run_id)
    assert "| disagreed | 2 |" in found["leadgate-acme-summary"]["data"]
    rows = json.loads(found["leadgate-acme-shadow"]["data"])
    assert {(row["verdict"], row["shadow_verdict"], row["agree"], row["leads"]) for row in rows} == {
        ("process", "hold", False, 2),
        ("process", "process", True, 1),
    }


async def test_rules_that_reject_everything_stop_at_the_cap(
    pipeline: Practice, leadbyte: Sandbox, records: PrefectRecords, prefect_server: str
) -> None:
    """The rest is for a person, one event says so, and the summary tells what to look at."""
    pipeline.edit("keep_facts: [score]", "keep_facts: [score]\nsafety: {budgets: {reject: 3/hour}}")
    pipeline.quarantine(*range(1, 11))
    pipeline.enrich(*range(1, 11), **COMPLETE, opted_out=True)
    _, run_id = await run(pipeline)
    assert Counter(pipeline.states().values()) == {"rejected": 3, "review": 7}
    assert len(leadbyte.quarantine.acts) == 3
    assert "**Too many rejects.** 7 leads" in artifacts(records, run_id)["leadgate-acme-summary"]["data"]

    def told() -> list[dict[str, Any]]:
        query = {"filter": {"event": {"name": [BEGINS[Alarm.BUDGET]]}}}
        found = httpx.post(f"{prefect_server}/events/filter", json=query).raise_for_status().json()["events"]
        return [event for event in found if f"prefect.flow-run.{run_id}" in json.dumps(event["related"])]

    wait_until(lambda: told() != [], what="the event has come")
    (event,) = told()
    assert event["resource"]["prefect.resource.id"] == "leadgate.pipeline.acme"
    assert event["payload"] == {"to_review": 7, "waiting": 0, "reject": "3/hour", "process": "none"}


async def test_a_run_that_cannot_begin_is_failed_and_says_why(pipeline: Practice, records: PrefectRecords) -> None:
    """A file that is wrong fails the run with the message that the command gives."""
    pipeline.edit("deadline: 24h", "deadline: soon")
    state, run_id = await run(pipeline)
    assert state.is_failed()
    assert "wait.deadline: 'soon' is not a duration" in records.run(run_id)["state"]["message"]


async def test_what_a_run_leaves_grows_with_waves_and_not_with_leads(
    pipeline: Practice, records: PrefectRecords, prefect_server: str
) -> None:
    """3,000 leads: three task runs for each wave of a thousand and six for the whole, three events for each of them."""
    leads = 3000
    pipeline.quarantine(*range(1, leads + 1))
    pipeline.enrich(*range(1, leads + 1), **COMPLETE)
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        state, run_id = await run(pipeline)
        handed_over = APILogWorker.drain_all(timeout=10)
        assert isawaitable(handed_over), "as it is inside an event loop"
        await handed_over

    summary = await state.aresult()
    assert summary.processed == leads
    wait_until(
        lambda: any(task["name"].startswith("report") for task in records.of_run("task_runs", run_id)),
        what="Prefect has written down the last task run",
    )
    waves = -(-leads // WAVE)
    counted = Counter(task["name"].rpartition("-")[0] for task in records.of_run("task_runs", run_id))
    # The last look for leads that are due finds none.
    once = {"register": 1, "wait": 1, "reconcile": 1, "compare": 1, "report": 1}
    assert counted == once | {"decide": waves + 1, "update": waves, "act": waves}
    tasks = counted.total()
    assert tasks == 15

    assert artifacts(records, run_id).keys() == KEYS
    assert len(records.of_run("artifacts", run_id)) == len(KEYS), "the bar is moved, not drawn again"
    assert tasks < len(records.of_run("logs", run_id)) < 3 * tasks

    def told() -> int:
        query = {"filter": {"related": {"id": [f"prefect.flow-run.{run_id}"]}}}
        total: int = httpx.post(f"{prefect_server}/events/filter", json=query).raise_for_status().json()["total"]
        return total

    wait_until(lambda: told() >= 3 * tasks, what="the events of every task run have come")
    assert told() < 5 * tasks


@pytest.fixture
def marked(tmp_path: Path, prefect_server: str) -> Iterator[tuple[Practice, Sandbox]]:
    """A pipeline where every value of a person, and the key, can be known again; LeadByte refuses in many ways."""
    values = {"postcode": "MARKED-1", "mobile": "MARKED-2", "phone_verified": True}
    refusals = {"not-success": ["1"], "release-refused": ["2"], "poison": ["3"], "drop-before": ["4"]}
    with sandbox_thread(Sandbox(keys={"MARKED-KEY": Permission.FULL}, faults=refusals)) as leadbyte:
        pipeline = Practice(tmp_path, leadbyte.url, key="MARKED-KEY")
        pipeline.edit("keep_facts: [score]", "keep_facts: [score]\nsafety: {budgets: {reject: 1/hour}}")
        pipeline.edit("requests_per_second: 0", "requests_per_second: 0\n  batch_size: 2")
        at = datetime.now(UTC) - timedelta(hours=25)
        ids = [*range(1, 9), None, 8]
        pipeline.add_leads({"quarantine_id": n, "quarantined_at": at, "campaign": "MARKED-3"} for n in ids)
        pipeline.enrich(1, 2, 3, 4, 5, score=0.9, **values)
        pipeline.enrich(6, 7, opted_out=True, score=0.1, **values)
        yield pipeline, leadbyte
        pipeline.close()


async def test_nothing_of_a_person_reaches_prefect(marked: tuple[Practice, Sandbox], records: PrefectRecords) -> None:
    """Neither logs nor artifacts, states, parameters and events hold a value of the source, nor the key."""
    pipeline, leadbyte = marked
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        _, first = await run(pipeline)
        leadbyte.faults.change({"401": "always"})
        pipeline.quarantine(9, hours_ago=25)
        pipeline.enrich(9, score=0.9, postcode="MARKED-1", mobile="MARKED-2", phone_verified=True)
        refused, second = await run(pipeline)
        handed_over = APILogWorker.drain_all(timeout=10)
        assert isawaitable(handed_over), "as it is inside an event loop"
        await handed_over
    assert refused.is_failed()
    wait_until(lambda: bool(records.of_run("task_runs", second)), what="Prefect has written down the task runs")
    kept = {
        what: [*records.of_run(what, first), *records.of_run(what, second)]
        for what in ("task_runs", "artifacts", "logs")
    }
    kept |= {"runs": [records.run(first), records.run(second)], "events": records.events()}
    assert all(kept.values()), "each kind of record was looked at"
    logged = json.dumps(kept["logs"])
    assert "event=decided" in logged
    assert "rows of leads that are on more than one" in logged
    assert "KeyRefused" in logged
    assert "MARKED" not in json.dumps(kept)
