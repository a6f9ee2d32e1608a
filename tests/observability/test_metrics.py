"""What Prometheus is told of a ledger: on either database, by the flow that watches, and when something is down."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from flows.watch_enrichment import watch_enrichment
from leadgate.clock import utc_now
from leadgate.config import load_config
from leadgate.ledger import Ledger, claims, sending
from leadgate.metrics import LedgerCollector, PortTaken, serve_metrics
from leadgate.model import RequestKind, Result, State
from leadgate.wiring.ledger import open_ledger
from tasks import wait
from tests.delivery.world import release_brake
from tests.ledger.steps import LEASE, attempt, claim, intend, make_ready, outcome
from tests.support.command import leadgate
from tests.support.pipelines import Practice
from tests.support.process import free_port, reserve_port
from tests.support.scrape import is_served, scrape, value
from tests.support.waiting import wait_until


@pytest.fixture
def practice(tmp_path: Path, database_url: str) -> Iterator[Practice]:
    """A pipeline whose LeadByte is never asked, its ledger in either kind of database."""
    practice = Practice(tmp_path, "http://127.0.0.1:9", ledger_url=database_url)
    yield practice
    practice.close()


@pytest.fixture
def ledger(practice: Practice) -> Iterator[Ledger]:
    """Its ledger, as a worker elsewhere would write it."""
    ledger = open_ledger(practice.file, load_config(practice.file))
    release_brake(ledger)
    yield ledger
    ledger.close()


def test_requests_are_counted_once_and_timed(practice: Practice, ledger: Ledger) -> None:
    """However many leads were in them; each at the limit it took less than, and those before it are in its bar too."""
    now = utc_now()
    make_ready(ledger, "1", "2", now=now)
    together = [attempt(held) for held in claims.claim(ledger, limit=2, lease=LEASE, now=now)]
    intend(ledger, *together, now=now)
    sending.record(
        ledger,
        [outcome(each, Result.TAKEN, State.PROCESSED) for each in together],
        now=now + timedelta(milliseconds=300),
    )
    alone = attempt(claim(ledger, "3", now=now), RequestKind.ACT, request="r2")
    intend(ledger, alone, now=now)
    sending.record(
        ledger, [outcome(alone, Result.IN_DOUBT, State.UNKNOWN, due_at=now)], now=now + timedelta(seconds=40)
    )
    port = free_port()
    with serve_metrics(practice.file, port):
        found = scrape(port)
    assert value(found, "leadgate_requests_total", kind="update_and_act") == 1
    assert value(found, "leadgate_answers_total", kind="update_and_act", outcome="taken") == 2
    assert value(found, "leadgate_answers_total", kind="act", outcome="in_doubt") == 1
    bars = {bar: value(found, "leadgate_request_seconds_bucket", kind="update_and_act", le=bar) for bar in BARS}
    assert bars == {"0.25": 0, "0.5": 1, "30.0": 1, "+Inf": 1}
    assert value(found, "leadgate_request_seconds_bucket", kind="act", le="30.0") == 0
    assert value(found, "leadgate_request_seconds_sum", kind="act") == pytest.approx(40, abs=0.01)
    assert value(found, "leadgate_leads", state="unknown") == 1
    assert not is_served(port), "it ends with what it is for"


BARS = ("0.25", "0.5", "30.0", "+Inf")


def test_a_ledger_that_cannot_be_read_is_told(ledger: Ledger, practice: Practice) -> None:
    """By one number, without an error; the others are not there."""
    collector = LedgerCollector(ledger)
    assert len(list(collector.collect())) == 13
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW leadgate_requests")
        connection.exec_driver_sql("DROP TABLE leadgate_attempts")
    (up,) = LedgerCollector(ledger).collect()
    assert (up.name, up.samples[0].value) == ("leadgate_ledger_up", 0)


def test_what_was_read_is_given_again_for_a_while(ledger: Ledger) -> None:
    """So that scrapes cost a share of the time at most: a reading that took long is kept long."""
    collector = LedgerCollector(ledger)
    list(collector.collect())
    collector._status._read_again_at += 3600
    claim(ledger, "1", now=utc_now())
    counts = {s.labels["state"]: s.value for m in collector.collect() if m.name == "leadgate_leads" for s in m.samples}
    assert counts["ready"] == 0
    collector._status._read_again_at = 0
    counts = {s.labels["state"]: s.value for m in collector.collect() if m.name == "leadgate_leads" for s in m.samples}
    assert counts["ready"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_flow_that_watches_answers_prometheus(
    practice: Practice, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is stopped; where the port stays taken, it fails with one message."""
    practice.quarantine(1, hours_ago=2)
    monkeypatch.setattr(wait, "PORT_PATIENCE", timedelta())
    with reserve_port() as taken:
        taken.listen()
        port = taken.getsockname()[1]
        state = await watch_enrichment(str(practice.file), "1s", metrics_port=port, return_state=True)
    assert state.is_failed()
    assert f"metrics port {port}: cannot be listened on (Address already in use)" in str(state.message)

    def ask_and_stop() -> float:
        wait_until(lambda: is_served(port) and "leadgate_oldest_wait_seconds" in scrape(port), what="a lead waits")
        oldest = value(scrape(port), "leadgate_oldest_wait_seconds")
        os.kill(os.getpid(), signal.SIGTERM)
        return oldest

    with ThreadPoolExecutor() as pool:
        asking = pool.submit(ask_and_stop)
        state = await watch_enrichment(str(practice.file), "1h", metrics_port=port, return_state=True)
        assert asking.result() >= 7200
    assert state.is_cancelled()


def test_a_monitor_is_told_whether_all_is_well(practice: Practice, ledger: Ledger) -> None:
    """At the named address alone; 503 says what is wrong, and that the ledger cannot be read."""
    port = free_port()
    now = utc_now()
    with serve_metrics(practice.file, port, "127.0.0.1"):
        assert ask_health(port) == (200, {"pipeline": "acme", "healthy": True, "reasons": []})
    sent = attempt(claim(ledger, "1", now=now))
    intend(ledger, sent, now=now)
    sending.record(ledger, [outcome(sent, Result.REFUSED, State.FAILED, note="no")], now=now)
    with serve_metrics(practice.file, port, "127.0.0.1"):
        assert ask_health(port) == (503, {"pipeline": "acme", "healthy": False, "reasons": ["1 lead is parked."]})
    with serve_metrics(practice.file, port, "127.0.0.1"):
        with ledger.transaction() as connection:
            connection.execute(text("drop table leadgate_alarms"))
        status, told = ask_health(port)
        assert (status, told["reasons"]) == (503, ["The ledger cannot be read."])


def ask_health(port: int) -> tuple[int, dict[str, Any]]:
    """What a monitor is answered."""
    answer = httpx.get(f"http://127.0.0.1:{port}/health", timeout=10)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_port_that_is_taken_is_one_clear_error(practice: Practice) -> None:
    """At once, before a Prefect server is started; and a run that does not stay is not there to be asked."""
    with reserve_port() as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken), serve_metrics(practice.file, port):
            pass
        done = leadgate("run", "--watch", "1s", "--metrics-port", port, config=practice.file)
    assert (done.code, len(done.stderr.splitlines())) == (2, 1)
    assert f"metrics port {port}" in done.stderr
    alone = leadgate("run", "--metrics-port", port, config=practice.file)
    assert (alone.code, "goes with --watch" in alone.stderr) == (2, True)
