"""The peers of the benchmark send what leadgate sends; how fast anything is, nobody asks here."""

import json
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from sqlalchemy import create_engine, text

from benchmarks.leads import BATCH_SIZE, fill_source, request_bodies
from benchmarks.measured import Instant, Span
from benchmarks.peers.__main__ import as_rows
from benchmarks.peers.contest import AFTER_A_CRASH, BARE, PREFECT, WAYS, WHOLE, Duties, Entry
from benchmarks.peers.job import CREATE_VIEW, VIEW, Job, body_of, read_rows
from benchmarks.peers.with_drt import BATCH_TEMPLATE

LEADS = BATCH_SIZE + 20


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job over a source with the benchmark's leads."""
    url = f"sqlite:///{tmp_path / 'source.db'}"
    fill_source(url, LEADS)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(CREATE_VIEW))
    engine.dispose()
    return Job("http://127.0.0.1:9", "key", url, "sqlite://", str(tmp_path), LEADS, BATCH_SIZE, 8)


def by_leadgate(batch: int) -> dict[str, Any]:
    """The body that leadgate comes to for one batch of them."""
    return dict(json.loads(request_bodies(LEADS)[batch]))


def test_the_peers_send_what_leadgate_sends(job: Job) -> None:
    """The view decides as the rules do, and its rows come to the same bodies."""
    rows = read_rows(job)
    assert body_of(rows[:BATCH_SIZE]) == by_leadgate(0)
    assert body_of(rows[BATCH_SIZE:]) == by_leadgate(1)


def test_the_template_of_drt_comes_to_the_same_body(job: Job) -> None:
    """What drt renders with Jinja is the JSON that the others write."""
    rendered = Environment(autoescape=True).from_string(BATCH_TEMPLATE).render(rows=read_rows(job)[:BATCH_SIZE])
    assert json.loads(rendered) == by_leadgate(0)


def test_a_job_is_read_as_it_was_written(job: Job) -> None:
    """A peer's process is given the same job."""
    assert Job.read(str(job.write())) == job
    assert VIEW in CREATE_VIEW


def test_leads_a_second_are_compared_and_what_did_not_run_says_why() -> None:
    """A way that is measured with fewer leads is compared by its rate; every way says what a crash makes of it."""
    begun = Instant(0, 0)
    rows = as_rows(
        [
            Entry("sqlite", "20ms", BARE, 1000, Span(begun, Instant(1, 1))),
            Entry("sqlite", "20ms", PREFECT, 100, Span(begun, Instant(2, 1))),
            Entry(
                "sqlite", "20ms", WAYS[Duties.AS_MEANT]["dlt"], 1000, not_run="`uv venv` could not make its environment"
            ),
            Entry("sqlite", "20ms", WAYS[Duties.SAME]["dlt"], 1000, Span(begun, Instant(1, 1))),
        ],
        Duties.AS_MEANT,
    )
    assert len(rows) == 3
    assert rows[1][4:8] == ("2.00", "50", "0.050", "10.00")
    assert rows[2][-1].startswith("not run: `uv venv`")
    assert {BARE, WHOLE, *WAYS[Duties.AS_MEANT].values(), *WAYS[Duties.SAME].values()} == set(AFTER_A_CRASH)
