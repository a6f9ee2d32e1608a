"""One run of the command, watched by everything that can watch it: Prometheus, OpenTelemetry, Prefect's log."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from leadgate.sandbox import Permission, Sandbox, sandbox_thread
from tests.support.command import start_leadgate, wait_for
from tests.support.otlp import Receiver, otlp_receiver
from tests.support.pipelines import Practice
from tests.support.prefect_records import PrefectRecords
from tests.support.process import free_port
from tests.support.scrape import Scraped, is_served, scrape, value
from tests.support.waiting import wait_until

COMPLETE = {"postcode": "MARKED-POSTCODE", "phone_verified": True, "score": 0.9, "mobile": "MARKED-PHONE"}
KEY = "MARKED-KEY"
IDS = [9_293_200_171, 9_293_200_172, 9_293_200_173, 9_293_200_174]


@pytest.fixture
def leadbyte() -> Iterator[Sandbox]:
    """A practice LeadByte with a key that is found again wherever it goes."""
    with sandbox_thread(Sandbox(keys={KEY: Permission.FULL})) as sandbox:
        yield sandbox


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """A pipeline that uses this key."""
    practice = Practice(tmp_path, leadbyte.url, key=KEY)
    yield practice
    practice.audit(leadbyte)
    practice.close()


def test_a_run_is_seen_from_everywhere(pipeline: Practice, leadbyte: Sandbox, prefect_server: str) -> None:
    """Metrics while it watches; spans below those of Prefect at its end; and the core's log lines."""
    pipeline.quarantine(*IDS)
    pipeline.enrich(IDS[0], **COMPLETE)
    pipeline.enrich(IDS[1], opted_out=True, **COMPLETE)
    with pipeline.source.begin() as connection:
        row = f"({IDS[2]}, 'x', true, 'MARKED-SCORE', '2026-03-01 12:00:00')"
        columns = "(quarantine_id, postcode, phone_verified, score, updated_at)"
        connection.execute(text(f"INSERT INTO lead_enrichment {columns} VALUES {row}"))  # noqa: S608 - constants
    port = free_port()
    with otlp_receiver() as receiver:
        environment = os.environ | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "PREFECT_LOGGING_TO_API_ENABLED": "true",
        }
        options = ("--watch", "90s", "--limit", 3, "--metrics-port", port, "--json")
        process = start_leadgate("run", *options, config=pipeline.file, env=environment)
        wait_until(lambda: is_served(port), what="metrics are served", seconds=60)
        wait_until(lambda: two_have_gone(scrape(port)), what="two leads have gone", seconds=60)
        found = scrape(port)
        pipeline.enrich(IDS[3], **COMPLETE)
        finished = wait_for(process)
        # The lead with a score that is none waits for one.
        assert (finished.code, finished.stderr) == (1, "")

        check_spans(receiver)
        told = receiver.text()
    check_scrape(found)
    run_id = finished.json()["flow_run_id"]
    records = PrefectRecords(prefect_server)
    core = 'event=source_fault problem="source.enrichment (table lead_enrichment): 1 row with a `score` that is no'
    wait_until(
        lambda: sum(log["message"].startswith(core) for log in records.of_run("logs", run_id)) == 1,
        what="the core's line is in the run's log",
    )
    logged = str(records.of_run("logs", run_id))
    assert "event=finished" in logged
    for secret in ("MARKED", leadbyte.url):
        assert secret not in told + str(found) + logged
    for lead_id in map(str, IDS):
        assert lead_id not in told + str(found), "only the log may name a lead"


def two_have_gone(found: Scraped) -> bool:
    """Whether everything that is told of them is told: the readings behind it are of different moments."""
    counts = ("leadgate_decisions_total", "leadgate_requests_total")
    if not all(name in found for name in counts) or value(found, "leadgate_leads", state="rejected") != 1:
        return False
    acts = [sample.value for sample in found["leadgate_requests_total"] if sample.labels["kind"] == "update_and_act"]
    return sum(acts) == 2


def check_scrape(found: Scraped) -> None:
    """After two leads of four: what the ledger says."""
    assert value(found, "leadgate_ledger_up") == 1
    assert value(found, "leadgate_leads", pipeline="acme", state="processed") == 1
    assert value(found, "leadgate_leads", state="waiting") == 2
    assert value(found, "leadgate_oldest_wait_seconds") >= 3600
    assert 0 <= value(found, "leadgate_source_healthy_age_seconds") < 600
    assert value(found, "leadgate_decisions_total", verdict="process", rule="verified") == 1
    assert value(found, "leadgate_decisions_total", verdict="reject", rule="opted-out") == 1
    # The first act of an account goes alone.
    assert value(found, "leadgate_requests_total", kind="update", status="2xx") == 1
    assert value(found, "leadgate_requests_total", kind="update_and_act", status="2xx") == 2
    assert value(found, "leadgate_answers_total", kind="update_and_act", outcome="taken") == 2
    assert value(found, "leadgate_request_seconds_bucket", kind="update_and_act", le="+Inf") == 2
    assert value(found, "leadgate_request_seconds_count", kind="update_and_act") == 2
    assert 0 < value(found, "leadgate_request_seconds_sum", kind="update_and_act") < 60


def check_spans(receiver: Receiver) -> None:
    """In one trace, requests are below the stage that sent them, and that is below the run."""
    spans = {span.span_id: span for span in receiver.spans()}
    sent = [span for span in spans.values() if span.name == "PUT /leads"]
    assert len(sent) == 5
    assert {span.parent_span_id for span in sent} <= spans.keys()
    stages = [spans[span.parent_span_id] for span in sent]
    assert {stage.name.partition("-")[0] for stage in stages} == {"update", "act"}
    whole = spans[stages[0].parent_span_id]
    assert {each.key: each.value.string_value for each in whole.attributes}["leadgate.pipeline"] == "acme"
    assert {span.trace_id for span in spans.values()} == {whole.trace_id}
