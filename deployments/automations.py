"""The alarms as automations: what sets each off, and what it says. Nothing here speaks to a server.

Runs send an event when something begins and when it is over, once each (tasks/alarms.py). What a run cannot say,
since it is dead or never started, the server notices itself: by events that stay away.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, DoNothing, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture, SequenceTrigger

from deployments.wanted import TAG
from leadgate.ledger.alarms import Alarm
from tasks.alarms import BEGINS, ENDS, HEALTHY

ALERTS = "leadgate-alerts"
"""The notification block that automations use, of whatever type."""
SILENT_AFTER = timedelta(minutes=30)
"""How long no run may find the source healthy: six of the schedule's runs."""
DEAD_AFTER = timedelta(seconds=90)
"""Three heartbeats of a run; the manifest has them sent every 30 seconds."""

_RUN = "prefect.flow-run"
_ENDS_OF_A_RUN = ("Completed", "Failed", "Cancelled", "Crashed", "Skipped")
_READ = "docs/operations.md says what it means and what to type."


class Notice(NamedTuple):
    """What a person is told: a subject, and a sentence or two."""

    subject: str
    body: str
    more: str = ""
    """What only a notification tells, since it is a template beyond reading."""


_NOTICES: dict[str, tuple[str, Notice]] = {
    "leadgate-leadbyte-unavailable": (
        BEGINS[Alarm.LEADBYTE],
        Notice("LeadByte takes no requests", "Leads stay ready and nothing is lost: `leadgate status`."),
    ),
    "leadgate-leadbyte-recovered": (
        ENDS[Alarm.LEADBYTE],
        Notice("LeadByte answers again", "The leads that were ready are being sent."),
    ),
    "leadgate-rejects-capped": (
        BEGINS[Alarm.REJECTS],
        Notice(
            "too many rejects",
            "{{ event.payload.to_review }} leads went to a person, since the run had rejected "
            "{{ event.payload.max_rejects_per_run }}: look at the rules, then `leadgate review list`.",
        ),
    ),
    "leadgate-rejects-uncapped": (
        ENDS[Alarm.REJECTS],
        Notice("rejects are as usual again", "A run has decided leads and kept below safety.max_rejects_per_run."),
    ),
    "leadgate-reviews-overdue": (
        BEGINS[Alarm.REVIEWS],
        Notice(
            "reviews are overdue",
            "{{ event.payload.overdue }} leads wait for a person: `leadgate review list`.",
            "{% if event.payload.by_rule %} By rule: {{ event.payload.by_rule }}.{% endif %}"
            "{% if event.payload.form %} To decide: {{ event.payload.form }} .{% endif %}"
            "{% if event.payload.lead %} Open for longest: {{ event.payload.lead }} .{% endif %}",
        ),
    ),
    "leadgate-reviews-cleared": (
        ENDS[Alarm.REVIEWS],
        Notice("no review is overdue any more", "Every lead that had waited too long for a person is decided."),
    ),
    "leadgate-brake-on": (
        BEGINS[Alarm.BRAKE],
        Notice(
            "acts are held back", "{{ event.payload.in_doubt }} leads are in doubt: `leadgate status` says what to do."
        ),
    ),
    "leadgate-brake-off": (ENDS[Alarm.BRAKE], Notice("acts go on", "LeadByte answers acts as documented again.")),
    "leadgate-control-stays": (
        BEGINS[Alarm.CONTROL],
        Notice(
            "a released lead does not leave quarantine",
            "LeadByte still updates it, so no lead in doubt can be freed: `leadgate status` names it.",
        ),
    ),
    "leadgate-control-left": (
        ENDS[Alarm.CONTROL],
        Notice("released leads leave quarantine again", "Leads in doubt are settled by evidence again."),
    ),
    "leadgate-doubts-old": (
        BEGINS[Alarm.DOUBTS],
        Notice("an act has been in doubt for more than a day", "`leadgate status`, then `leadgate review list`."),
    ),
    "leadgate-doubts-cleared": (
        ENDS[Alarm.DOUBTS],
        Notice("no act has been in doubt for long", "Those that had been are settled."),
    ),
}


def alarms_of_all(
    deployment_ids: Sequence[UUID], alerts: UUID | None, *, dead_after: timedelta = DEAD_AFTER
) -> list[AutomationCore]:
    """The automations that serve every pipeline; `alerts` is the notification block, where there is one."""
    reactive = [
        _automation(name, EventTrigger(expect={event}, match=_any_pipeline(), for_each={_ID}), notice, alerts)
        for name, (event, notice) in _NOTICES.items()
    ]
    return [_zombies(deployment_ids, alerts, dead_after), *reactive]


def alarms_of_one(
    pipeline: str, alerts: UUID | None, *, silent_after: timedelta = SILENT_AFTER
) -> list[AutomationCore]:
    """The dead man's switch of a pipeline, and what tells that it is over; the server keeps its state, and no run."""
    match = {_ID: f"leadgate.pipeline.{pipeline}"}
    silent, heard = f"leadgate-source-silent-{pipeline}", f"leadgate-source-heard-{pipeline}"
    silence = EventTrigger(
        posture=Posture.Proactive, after={HEALTHY}, expect={HEALTHY}, match=match, for_each={_ID}, within=silent_after
    )
    fired = EventTrigger(expect={"prefect.automation.triggered"}, match={"prefect.resource.name": silent})
    again = SequenceTrigger(triggers=[fired, EventTrigger(expect={HEALTHY}, match=match)], within=None)
    minutes = f"{silent_after.total_seconds() / 60:g} minutes"
    told = Notice(f"no healthy source for {minutes}", "Is a worker running, and the source up? `leadgate status`.")
    over = Notice("the source is healthy again", "A run has read it again.")
    return [_automation(silent, silence, told, alerts), _automation(heard, again, over, alerts)]


_ID = "prefect.resource.id"


def _any_pipeline() -> dict[str, str | list[str]]:
    return {_ID: "leadgate.pipeline.*"}


def _zombies(deployment_ids: Sequence[UUID], alerts: UUID | None, dead_after: timedelta) -> AutomationCore:
    trigger = EventTrigger(
        posture=Posture.Proactive,
        after={f"{_RUN}.heartbeat"},
        expect={f"{_RUN}.heartbeat", *(f"{_RUN}.{end}" for end in _ENDS_OF_A_RUN)},
        match={_ID: f"{_RUN}.*"},
        # Runs at a keyboard beat more slowly than those of the manifest.
        match_related={
            "prefect.resource.role": "deployment",
            _ID: sorted(f"prefect.deployment.{each}" for each in deployment_ids),
        },
        for_each={_ID},
        within=dead_after,
    )
    crash = ChangeFlowRunState(state=StateType.CRASHED, message="Its heartbeats stopped: the process is gone.")
    told = Notice("a run was lost", "Its process is gone, and the run is marked as crashed. The next one takes over.")
    return _automation("leadgate-zombie-run", trigger, told, alerts, first=crash, about="{{ flow_run.name }}")


def _automation(  # noqa: PLR0913
    name: str,
    trigger: EventTrigger | SequenceTrigger,
    notice: Notice,
    alerts: UUID | None,
    *,
    first: ActionTypes | None = None,
    about: str = "{{ event.resource.name }}",
) -> AutomationCore:
    subject, body = f"leadgate {about}: {notice.subject}", f"{notice.body}{notice.more} {_READ}"
    # Without a block it fires all the same, which the event feed of the UI shows.
    notify = SendNotification(block_document_id=alerts, subject=subject, body=body) if alerts else DoNothing()
    actions = [first, notify] if first else [notify]
    return AutomationCore(name=name, description=notice.body, tags=[TAG], trigger=trigger, actions=actions)
