"""Waking up and events through the real Prefect engine: what is told, how often, and that losing it changes nothing."""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from flows.release_leads import release_leads
from flows.watch_enrichment import watch_enrichment
from leadgate.ledger.status import Due
from leadgate.sandbox import Sandbox
from tasks import announce, observed, wait
from tasks.announce import AT_MOST_EVERY, EVENT, SAY_AGAIN_AFTER, is_worth_telling
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

NOTIFY = (Path(__file__).parents[2] / "examples" / "notify_postgresql.sql").read_text(encoding="utf-8")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


@pytest.mark.parametrize(
    ("since", "told_at", "tells"),
    [
        (None, None, False),
        (None, NOON - SAY_AGAIN_AFTER, False),
        (NOON, None, True),
        (NOON, NOON - AT_MOST_EVERY, True),
        (NOON, NOON - AT_MOST_EVERY / 2, False),
        (NOON - 2 * SAY_AGAIN_AFTER, NOON - AT_MOST_EVERY, False),
        (NOON - 2 * SAY_AGAIN_AFTER, NOON - SAY_AGAIN_AFTER, True),
    ],
    ids=["nothing", "nothing-more", "first", "new", "new-too-soon", "told-before", "told-long-ago"],
)
def test_what_is_worth_telling(since: datetime | None, told_at: datetime | None, tells: bool) -> None:
    """New leads are told of soon, those told of before again after a while, and nothing while nothing is due."""
    assert is_worth_telling(Due(ready=1, unknown=0, since=since), told_at, NOON) is tells


@pytest.fixture
def sent(prefect_server: str) -> Callable[[object], list[dict[str, Any]]]:
    """The events of ours that the server has from a flow run."""

    def of_run(run_id: object) -> list[dict[str, Any]]:
        query = {"filter": {"event": {"name": [EVENT]}}, "limit": 50}
        found = httpx.post(f"{prefect_server}/events/filter", json=query).raise_for_status().json()["events"]
        return [event for event in found if f"prefect.flow-run.{run_id}" in json.dumps(event["related"])]

    return of_run


async def test_a_burst_is_one_event_with_counts(
    pipeline: Practice, sent: Callable[[object], list[dict[str, Any]]]
) -> None:
    """However many rows arrive, at once and while the flow runs: it tells how many are due, and names nobody."""
    pipeline.quarantine(*range(2_932_000, 2_934_000))
    pipeline.enrich(*range(2_932_000, 2_933_900), **COMPLETE)

    def go_on() -> None:
        for lead_id in range(2_933_900, 2_933_910):
            pipeline.enrich(lead_id, **COMPLETE)
            time.sleep(0.05)

    with ThreadPoolExecutor() as pool:
        more = pool.submit(go_on)
        state = await watch_enrichment(str(pipeline.file), "3s", return_state=True)
        more.result()
    assert await state.aresult() == 1
    run_id = state.state_details.flow_run_id
    wait_until(lambda: bool(sent(run_id)), what="the server has the event")
    (event,) = sent(run_id)
    assert event["resource"] == {"prefect.resource.id": "leadgate.pipeline.acme", "prefect.resource.name": "acme"}
    assert event["payload"].keys() == {"ready", "unknown"}
    assert 1900 <= event["payload"]["ready"] <= 1910
    assert "2932" not in json.dumps([event["payload"], event["resource"]])


async def test_leads_that_nobody_takes_are_told_of_again(
    pipeline: Practice, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So an event that was lost is made up for; once the leads are taken, no more is said."""
    monkeypatch.setattr(announce, "SAY_AGAIN_AFTER", timedelta(milliseconds=500))
    monkeypatch.setattr(wait, "POLL_EVERY", timedelta(milliseconds=100))
    pipeline.quarantine(1, 2)
    assert await watch_enrichment(str(pipeline.file), "1s") == 0, "nothing is due"
    pipeline.enrich(1, **COMPLETE)
    told: list[str] = []

    def tell(event: str, pipeline: str, payload: Mapping[str, int]) -> None:
        observed.tell(event, pipeline, payload)
        told.append(event)
        if told.count(EVENT) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(announce, "tell", tell)
    state = await watch_enrichment(str(pipeline.file), "1h", return_state=True)
    assert state.is_cancelled()
    assert told.count(EVENT) == 2
    await release_leads(str(pipeline.file))
    assert await watch_enrichment(str(pipeline.file), "1s") == 0, "nobody waits to be taken"


async def test_a_stop_ends_the_watch(pipeline: Practice) -> None:
    """SIGTERM, as a worker sends it when the run is cancelled, ends it at once and not in an hour."""
    pipeline.quarantine(1)
    pipeline.enrich(1, **COMPLETE)

    def stop() -> None:
        wait_until(lambda: pipeline.states() == {"1": "ready"}, what="the watch has looked")
        os.kill(os.getpid(), signal.SIGTERM)

    with ThreadPoolExecutor() as pool:
        stopping = pool.submit(stop)
        state = await watch_enrichment(str(pipeline.file), "1h", return_state=True)
        stopping.result()
    assert state.is_cancelled()
    assert state.message == "Stopped by SIGTERM; leads that are due are told of by the next."


async def test_a_time_to_stay_that_is_none_is_told(pipeline: Practice) -> None:
    """The run fails with the message that the command gives."""
    state = await watch_enrichment(str(pipeline.file), "a while", return_state=True)
    assert state.is_failed()
    assert "'a while' is not a duration" in str(state.message)


FINAL = {"1": "processed", "2": "rejected", "3": "review", "4": "processed", "5": "rejected", "6": "processed"}
OUTCOMES: dict[str, dict[str, Any]] = {
    "processed": COMPLETE,
    "rejected": COMPLETE | {"opted_out": True},
    "review": COMPLETE | {"score": 0.1},
}


def arrive(pipeline: Practice) -> None:
    """Let the leads of `FINAL` come and be enriched, one after the other, some of them in two steps."""
    for lead_id, outcome in FINAL.items():
        pipeline.quarantine(int(lead_id))
        if outcome == "rejected":
            pipeline.enrich(int(lead_id), postcode="TN25 6QD")
        time.sleep(0.05)
        pipeline.enrich(int(lead_id), **OUTCOMES[outcome])


@pytest.fixture
def on_postgres(tmp_path: Path, leadbyte: Sandbox, prefect_server: str, postgres_url: str) -> Iterator[Practice]:
    """A pipeline whose source is a PostgreSQL."""
    practice = Practice(tmp_path, leadbyte.url, database_url=postgres_url)
    yield practice
    practice.audit(leadbyte)
    practice.close()


def notified(address: str, ended: threading.Event) -> None:
    """Tell of each change as the example does, and of nothing else."""


def disturbed(address: str, ended: threading.Event) -> None:
    """Send notifications that belong to nothing, at any moment and several at once, and cut who listens."""
    chance = random.Random(7)  # noqa: S311 - moments need no secrets
    with psycopg.connect(address, autocommit=True) as connection:
        while not ended.wait(chance.uniform(0, 0.05)):
            for _ in range(chance.randrange(5)):
                connection.execute("NOTIFY leadgate")
            if chance.random() < 0.1:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE query = 'LISTEN leadgate' AND datname = current_database()"
                )


@pytest.mark.parametrize(
    ("has_trigger", "poll_every", "meanwhile"),
    [
        (True, timedelta(hours=1), notified),
        (False, timedelta(milliseconds=200), notified),
        (False, timedelta(milliseconds=200), disturbed),
        (True, timedelta(milliseconds=200), disturbed),
    ],
    ids=["notifications-alone", "dropped", "unrelated-and-cut", "doubled-and-cut"],
)
async def test_notifications_change_latency_and_nothing_else(
    on_postgres: Practice,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    has_trigger: bool,
    poll_every: timedelta,
    meanwhile: Callable[[str, threading.Event], None],
) -> None:
    """As they are, all lost, too many, too early or too late: every lead ends where it should, and acted on once."""
    monkeypatch.setattr(wait, "POLL_EVERY", poll_every)
    address = postgres_url.replace("+psycopg", "")
    if has_trigger:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(NOTIFY.encode())
    ended = threading.Event()
    with ThreadPoolExecutor() as pool:
        arriving, disturbing = pool.submit(arrive, on_postgres), pool.submit(meanwhile, address, ended)
        try:
            await release_leads(str(on_postgres.file), limit=len(FINAL), watch_for="60s")
        finally:
            ended.set()
        arriving.result()
        disturbing.result()
    assert on_postgres.states() == FINAL


@pytest.mark.parametrize("runs", [(0, 0, 1), (2, 2, 2), (1, 0, 2)], ids=["dropped", "doubled", "too-early"])
async def test_events_change_latency_and_nothing_else(pipeline: Practice, runs: tuple[int, int, int]) -> None:
    """An event starts a run; however many are started before, between and after the arrivals, the end is the same."""
    arrivals: list[Callable[[], None]] = [lambda: None, lambda: arrive(pipeline), lambda: pipeline.quarantine(7)]
    for happens, count in zip(arrivals, runs, strict=True):
        happens()
        for _ in range(count):
            await release_leads(str(pipeline.file))
    assert pipeline.states() == FINAL | {"7": "waiting"}
