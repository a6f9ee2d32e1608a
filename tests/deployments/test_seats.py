"""A burst of events on a real server with a real worker: one run works, one waits, and the others are Skipped."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from sqlalchemy import select

from deployments import apply
from leadgate.clock import utc_now
from leadgate.ledger.schema import seats
from leadgate.ledger.seats import Seat, keep_seat, leave_seat, take_seat
from leadgate.sandbox import Sandbox, sandbox_thread
from leadgate.wiring.ledger import ledger_of
from tasks.announce import EVENT
from tasks.observed import tell
from tasks.seat import SKIPPED
from tests.support.pipelines import Practice
from tests.support.process import Supervised, new_folder
from tests.support.waiting import wait_until

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
EVENTS = 4
pytestmark = pytest.mark.timeout(300)
RELEASE = "release-leads/release-leads-acme"


@pytest.fixture
def leadbyte() -> Iterator[Sandbox]:
    """A practice LeadByte that answers slowly, so that a run is still at work when the others begin."""
    with sandbox_thread(Sandbox(faults={"slow-after": "always", "slow-for": "2s"})) as sandbox:
        yield sandbox
    assert sandbox.quarantine.acted_twice() == []


@pytest.fixture
def released(pipeline: Practice, client: SyncPrefectClient) -> Iterator[UUID]:
    """The deployment of the main job, without its schedule, and a worker that starts its runs at once."""
    pipeline.edit("requests_per_second: 0", "requests_per_second: 0\n  batch_size: 1\n  concurrency: 1")
    pipeline.trust_leadbyte()
    assert apply.main([str(pipeline.file)]) == 0
    release = client.read_deployment_by_name(RELEASE)
    for schedule in release.schedules:
        client.update_deployment_schedule(release.id, schedule.id, active=False)
    argv = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "leadgate", "--name", "seats"]
    worker = Supervised(argv, folder=new_folder("worker", {}), env=os.environ | {"PREFECT_WORKER_QUERY_SECONDS": "1"})
    yield release.id
    worker.stop()


def runs_of(client: SyncPrefectClient, deployment_id: UUID) -> list[FlowRun]:
    """The runs of a deployment that no schedule has planned."""
    chosen = DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id]))
    return [run for run in client.read_flow_runs(deployment_filter=chosen) if not run.auto_scheduled]


def states_of(client: SyncPrefectClient, deployment_id: UUID) -> Counter[str]:
    """How many of those runs are in each state."""
    return Counter(run.state.name or "" if run.state else "" for run in runs_of(client, deployment_id))


def wait_for_the_end(client: SyncPrefectClient, deployment_id: UUID, count: int) -> Counter[str]:
    """Wait until so many runs are over; count them by how they ended."""

    def over() -> list[FlowRun]:
        return [run for run in runs_of(client, deployment_id) if run.state and run.state.is_final()]

    what = f"{count} runs are over"
    wait_until(lambda: len(over()) == count, what=what, seconds=150, found=lambda: states_of(client, deployment_id))
    return Counter(run.state.name or "" for run in over() if run.state)


def seated(pipeline: Practice) -> dict[str, str]:
    """Who has which seat."""
    with ledger_of(pipeline.file) as (_, ledger), ledger.reading() as connection:
        return {row.seat: row.owner for row in connection.execute(select(seats.c.seat, seats.c.owner))}


def test_while_one_works_another_is_to_come_and_the_rest_are_skipped(
    pipeline: Practice, leadbyte: Sandbox, client: SyncPrefectClient, released: UUID
) -> None:
    """Nothing is missed, also not what came after the last event."""
    pipeline.quarantine(1)
    pipeline.enrich(1, **COMPLETE)

    def skipped() -> list[FlowRun]:
        keep_seat(elsewhere, now=elsewhere.now())
        return [run for run in runs_of(client, released) if run.state and run.state.name == SKIPPED]

    with ledger_of(pipeline.file) as (_, elsewhere):  # a run on another machine
        assert take_seat(elsewhere, now=elsewhere.now()) is Seat.AT_WORK
        for _ in range(EVENTS):
            tell(EVENT, "acme", {})
        what = "all runs but one are skipped"
        found = partial(states_of, client, released)
        wait_until(lambda: len(skipped()) == EVENTS - 1, what=what, seconds=250, found=found)
        assert seated(pipeline).keys() == set(Seat)
        assert leadbyte.quarantine.acts == {}
        pipeline.quarantine(2)
        pipeline.enrich(2, **COMPLETE)
        leave_seat(elsewhere)
    assert wait_for_the_end(client, released, EVENTS) == {"Completed": 1, SKIPPED: EVENTS - 1}
    assert leadbyte.quarantine.acts.keys() == {"1", "2"}
    assert seated(pipeline) == {}
    for run in skipped():
        assert run.state
        assert run.state.is_completed()
        assert run.state.message == "One run is at work and another is to come: it takes what is due now."


def test_a_killed_run_is_followed_when_its_lease_ends(
    pipeline: Practice, leadbyte: Sandbox, client: SyncPrefectClient, released: UUID
) -> None:
    """The one to come waits as long as the seat may be somebody's, and then works."""
    pipeline.quarantine(1, 2, 3)
    pipeline.enrich(1, 2, 3, **COMPLETE)
    client.create_flow_run_from_deployment(released)
    wait_until(lambda: len(leadbyte.quarantine.acts) > 0, what="the run is at work", seconds=90)
    killed = seated(pipeline)[Seat.AT_WORK]
    os.kill(int(killed.split("-")[-2]), signal.SIGKILL)
    pipeline.quarantine(9)
    pipeline.enrich(9, **COMPLETE)
    client.create_flow_run_from_deployment(released)
    wait_until(lambda: Seat.TO_COME in seated(pipeline), what="the next run is to come", seconds=90)
    assert seated(pipeline)[Seat.AT_WORK] == killed
    assert "9" not in leadbyte.quarantine.acts
    with ledger_of(pipeline.file) as (_, ledger), ledger.transaction() as connection:
        ends = utc_now() + timedelta(seconds=2)
        connection.execute(seats.update().where(seats.c.seat == Seat.AT_WORK).values(until=ends))
    ended = wait_for_the_end(client, released, 2)
    assert ended == {"Crashed": 1, "Completed": 1}
    assert "9" in leadbyte.quarantine.acts
