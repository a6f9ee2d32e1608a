"""The alarms as automations: what sets each off, and what it says. Nothing here speaks to a server.

Runs send an event when something begins and when it is over, once each (tasks/alarms.py). What a run cannot say,
since it is dead or never started, the server notices itself: by events that stay away.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture, SequenceTrigger

from deployments.notices import NOTICES, Notice
from deployments.wanted import TAG
from leadgate.health import SILENT_AFTER
from tasks.alarms import HEALTHY

ALERTS = "leadgate-alerts"
"""The notification block that automations use, of whatever type."""
DEAD_AFTER = timedelta(seconds=90)
"""Three heartbeats of a run; the manifest has them sent every 30 seconds."""

_RUN = "prefect.flow-run"
_ENDS_OF_A_RUN = ("Completed", "Failed", "Cancelled", "Crashed", "Skipped")
_READ = "docs/operations.md says what it means and what to type."


def alarms_of_all(
    deployment_ids: Sequence[UUID], alerts: UUID | None, *, dead_after: timedelta = DEAD_AFTER
) -> list[AutomationCore]:
    """The automations that serve every pipeline; `alerts` is the notification block, where there is one."""
    reactive = [
        _automation(notice, EventTrigger(expect={event}, match={_ID: "leadgate.pipeline.*"}, for_each={_ID}), alerts)
        for event, notice in NOTICES.items()
    ]
    return [*_lost_runs(deployment_ids, alerts, dead_after), *reactive]


def alarms_of_one(
    pipeline: str, alerts: UUID | None, *, silent_after: timedelta = SILENT_AFTER
) -> list[AutomationCore]:
    """The dead man's switch of a pipeline, and what tells that it is over; the server keeps its state, and no run."""
    match = {_ID: f"leadgate.pipeline.{pipeline}"}
    silent = f"leadgate-source-silent-{pipeline}"
    silence = EventTrigger(
        posture=Posture.Proactive, after={HEALTHY}, expect={HEALTHY}, match=match, for_each={_ID}, within=silent_after
    )
    fired = EventTrigger(expect={"prefect.automation.triggered"}, match={"prefect.resource.name": silent})
    again = SequenceTrigger(triggers=[fired, EventTrigger(expect={HEALTHY}, match=match)], within=None)
    minutes = f"{silent_after.total_seconds() / 60:g} minutes"
    begins = Notice(
        silent,
        f"no run finds the source healthy for {minutes}, though one had before",
        f"no healthy source for {minutes}",
        "Is a worker running, and the source up? `leadgate status`.",
    )
    ends = Notice(
        f"leadgate-source-heard-{pipeline}",
        "a run finds the source healthy again",
        "the source is healthy again",
        "A run has read it again.",
    )
    return [_automation(begins, silence, alerts), _automation(ends, again, alerts)]


_ID = "prefect.resource.id"


def _lost_runs(deployment_ids: Sequence[UUID], alerts: UUID | None, dead_after: timedelta) -> list[AutomationCore]:
    """Mark runs whose heartbeats stop, and tell of those that are marked, by this or by their worker.

    The first fires for runs too that had ended by then, or begin in a new deployment: it notifies nobody, and the
    server leaves a run that has ended as it is. Where the state really changes it sends the event of a crash.
    """
    of_ours: dict[str, str | list[str]] = {
        "prefect.resource.role": "deployment",
        _ID: sorted(f"prefect.deployment.{each}" for each in deployment_ids),
    }
    silence = EventTrigger(
        posture=Posture.Proactive,
        after={f"{_RUN}.heartbeat"},
        expect={f"{_RUN}.heartbeat", *(f"{_RUN}.{end}" for end in _ENDS_OF_A_RUN)},
        match={_ID: f"{_RUN}.*"},
        # Runs at a keyboard beat more slowly than those of the manifest.
        match_related=of_ours,
        for_each={_ID},
        within=dead_after,
    )
    crash = ChangeFlowRunState(state=StateType.CRASHED, message="Its heartbeats stopped: the process is gone.")
    mark = AutomationCore(
        name="leadgate-zombie-run",
        description=(
            f"Fires when a run has sent no heartbeat for {dead_after.total_seconds():g} seconds, and marks it as "
            "crashed where it has not ended. It notifies nobody."
        ),
        tags=[TAG],
        trigger=silence,
        actions=[crash],
    )
    crashed = EventTrigger(expect={f"{_RUN}.Crashed"}, match={_ID: f"{_RUN}.*"}, match_related=of_ours, for_each={_ID})
    lost = Notice(
        "leadgate-run-lost",
        "a run of leadgate's deployments is marked as crashed",
        "a run was lost",
        "Its process is gone, and the run is marked as crashed. The next one takes over.",
    )
    return [mark, _automation(lost, crashed, alerts, about="{{ flow_run.name }}")]


def _automation(
    notice: Notice,
    trigger: EventTrigger | SequenceTrigger,
    alerts: UUID | None,
    about: str = "{{ event.resource.name }}",
) -> AutomationCore:
    subject, body = f"leadgate {about}: {notice.subject}", f"{notice.body}{notice.more} {_READ}"
    # Without a block it fires all the same, which the event feed of the UI shows: an action that does nothing would be
    # an empty box there.
    actions = [SendNotification(block_document_id=alerts, subject=subject, body=body)] if alerts else []
    return AutomationCore(
        name=notice.name, description=f"Fires when {notice.when}.", tags=[TAG], trigger=trigger, actions=actions
    )
