"""Every alarm on a real server: it is heard once when it begins and once when it is over, by a webhook."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from prefect import get_client
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events import emit_event
from prefect.states import Completed, Crashed, Failed, Running

from deployments.automations import ALERTS, alarms_of_all, alarms_of_one
from deployments.server import Server
from flows.maintain_ledger import maintain_ledger
from flows.release_leads import release_leads
from leadgate.clock import utc_now
from leadgate.ledger import Ledger, open_engine, people
from leadgate.ledger.alarms import Alarm, read_alarms
from leadgate.model import Chosen, Resolution
from leadgate.sandbox import Sandbox
from tasks.alarms import BEGINS
from tasks.failing import count_failures
from tasks.observed import tell
from tasks.page import noted_end
from tasks.seat import SKIPPED
from tests.support.http_server import Handler, serving
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

SHORT = timedelta(seconds=10)
"""The least that a server takes for an absence."""
LONG = timedelta(hours=1)
NOBODY = "http://127.0.0.1:9"
ALL = [
    "leadgate acme: a budget is used up",
    "leadgate acme: budgets have room again",
    "leadgate acme: LeadByte takes no requests",
    "leadgate acme: LeadByte answers again",
    "leadgate acme: reviews are overdue",
    "leadgate acme: no review is overdue any more",
    "leadgate acme: no healthy source for 0.166667 minutes",
    "leadgate acme: the source is healthy again",
    "leadgate lost-run: a run was lost",
    "leadgate counted: a run was lost",
    "leadgate counted: runs fail",
    "leadgate counted: runs are good again",
    "leadgate last: a budget is used up",
]
COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


class Heard:
    """The subjects of the notifications that have come."""

    def __init__(self) -> None:
        self.subjects: Counter[str] = Counter()
        self.bodies: dict[str, str] = {}

    def wait_for(self, subject: str) -> None:
        """Wait until a subject has come."""
        wait_until(lambda: self.subjects[subject] > 0, what=f"{subject!r} is heard, of {self.subjects}", seconds=60)


@pytest.fixture
def heard(client: SyncPrefectClient) -> Iterator[Heard]:
    """A webhook on a local port, which the notification block of the automations names."""
    found = Heard()

    class Webhook(Handler):
        def respond(self) -> None:
            sent = self.read_json()
            found.subjects[sent["subject"]] += 1
            found.bodies[sent["subject"]] = sent["body"]
            self.answer(204)

    with serving(Webhook) as place:
        block = CustomWebhookNotificationBlock(
            name="alerts", url=f"http://{place}/", json_data={"subject": "{{subject}}", "body": "{{body}}"}
        )
        block.save(ALERTS)
        yield found


async def arm(deployment_id: UUID, *, silent_after: timedelta) -> None:
    """Create the automations with short patience, or change how long a healthy source may be missed."""
    async with get_client() as client:
        server = Server(client, only_look=False)
        alerts = await server.find_alerts()
        assert alerts
        alarms = alarms_of_all([deployment_id], alerts, dead_after=SHORT)
        for automation in [*alarms, *alarms_of_one("acme", alerts, silent_after=silent_after)]:
            await server.automation(automation)


async def run(pipeline: Practice) -> None:
    """Let the main job run to its end."""
    await release_leads(str(pipeline.file), return_state=True)


async def run_by_hand(pipeline: Practice) -> None:
    """Let it run as at a keyboard, on a server of its own that nobody listens to."""
    with noted_end(on_own_server=True):
        await run(pipeline)


def ledger_of(pipeline: Practice) -> Ledger:
    """The pipeline's ledger, as a person's command opens it."""
    return Ledger(open_engine(pipeline.ledger_url, base_dir=pipeline.file.parent), pipeline="acme", owner="person")


def begin_a_run(client: SyncPrefectClient, deployment_id: UUID, name: str) -> FlowRun:
    """Let a run of a deployment begin, whose process is nowhere."""
    return client.create_flow_run_from_deployment(deployment_id, name=name, state=Running())


def beat(run: FlowRun) -> None:
    """Send one heartbeat of a run, as its process does."""
    of = {"prefect.resource.id": f"prefect.deployment.{run.deployment_id}", "prefect.resource.role": "deployment"}
    resource = {"prefect.resource.id": f"prefect.flow-run.{run.id}", "prefect.resource.name": run.name}
    emit_event("prefect.flow-run.heartbeat", resource=resource, related=[of])


async def end_a_run(client: SyncPrefectClient, deployment_id: UUID, state: State) -> None:
    """Let a run end so, and its hook look at it."""
    ended = begin_a_run(client, deployment_id, "counted")
    client.set_flow_run_state(ended.id, state)
    if not state.is_crashed():
        await count_failures(release_leads, client.read_flow_run(ended.id), state)


async def test_each_alarm_is_heard_once_and_so_is_its_end(
    pipeline: Practice, leadbyte: Sandbox, client: SyncPrefectClient, heard: Heard
) -> None:
    """Runs find the same trouble again and again; who is notified hears of changes alone."""
    deployment_id = client.create_deployment(client.create_flow(maintain_ledger), "release-leads-counted")
    await arm(deployment_id, silent_after=LONG)
    lost, failed = (begin_a_run(client, deployment_id, name) for name in ("lost-run", "failed-run"))
    beat(lost)
    # One that fails at once sends its heartbeat afterwards.
    client.set_flow_run_state(failed.id, Failed(message="no key"))
    beat(failed)

    pipeline.edit(
        "keep_facts: [score]", "keep_facts: [score]\nreview: {within: 1s}\nsafety: {budgets: {reject: 1/hour}}"
    )
    pipeline.quarantine(1, 2)
    pipeline.enrich(1, 2, **COMPLETE, opted_out=True)
    await run(pipeline)
    pipeline.edit(leadbyte.url, NOBODY)
    pipeline.quarantine(3)
    pipeline.enrich(3, **COMPLETE)
    await run_by_hand(pipeline)
    for _ in range(2):
        await run(pipeline)
    ledger = ledger_of(pipeline)
    assert {found.alarm for found in read_alarms(ledger)} == {"leadbyte", "reviews", "budget"}

    pipeline.edit(NOBODY, leadbyte.url)
    pipeline.edit("reject: 1/hour", "reject: 9/hour")
    chosen = Chosen(["1", "2"])
    people.resolve(ledger, chosen, Resolution.PROCESS, reason="looked at", by="Sam", hold_for=LONG, now=utc_now())
    await run_by_hand(pipeline)
    pipeline.quarantine(4)
    pipeline.enrich(4, **COMPLETE)
    await run(pipeline)
    await arm(deployment_id, silent_after=SHORT)
    await run(pipeline)
    assert read_alarms(ledger) == []
    ledger.close()
    heard.wait_for("leadgate acme: no healthy source for 0.166667 minutes")
    heard.wait_for("leadgate lost-run: a run was lost")
    assert client.read_flow_run(lost.id).state_type is StateType.CRASHED
    assert client.read_flow_run(failed.id).state_type is StateType.FAILED

    await arm(deployment_id, silent_after=LONG)
    for _ in range(2):
        await run(pipeline)
    heard.wait_for("leadgate acme: the source is healthy again")
    bad: State = Failed(message="no key")
    good: State = Completed()
    skipped: State = Completed(name=SKIPPED)
    for ending in (good, bad, bad, good, bad, skipped, bad, Crashed(), bad, bad, bad, bad, good, good, bad, bad):
        await end_a_run(client, deployment_id, ending)
    # What comes after all the others: nothing more is under way.
    tell(BEGINS[Alarm.BUDGET], "last", {"to_review": 1, "waiting": 1, "reject": "1/hour", "process": "none"})
    heard.wait_for(ALL[-1])
    assert heard.subjects == dict.fromkeys(ALL, 1)
    assert all("docs/operations.md" in body for body in heard.bodies.values())
    told = heard.bodies["leadgate acme: reviews are overdue"]
    assert (
        "Leads that wait for a person: 1. Type `leadgate review list`. By rule: opted-out 1. docs/operations.md" in told
    )
