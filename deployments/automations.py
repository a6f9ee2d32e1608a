"""The alarms as automations: what sets each off, and what it says. Nothing here speaks to a server.

Runs send an event when something begins and when it is over, once each (tasks/alarms.py). What a run cannot say,
since it is dead or never started, the server notices itself: by events that stay away.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, DoNothing, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture, SequenceTrigger

from deployments.wanted import TAG
from leadgate.ledger.alarms import Alarm
from tasks.alarms import BEGINS, ENDS, HEALTHY
from tasks.failing import FAILING, IN_A_ROW, RECOVERED

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
    """When it fires, for the page of automations; and what a person is told: a subject, and a sentence or two."""

    when: str
    subject: str
    body: str
    more: str = ""
    """What only a notification tells, since it is a template beyond reading."""


_NOTICES: dict[str, tuple[str, Notice]] = {
    "leadgate-leadbyte-unavailable": (
        BEGINS[Alarm.LEADBYTE],
        Notice(
            "a run finds that LeadByte takes no requests",
            "LeadByte takes no requests",
            "Leads stay ready and nothing is lost: `leadgate status`.",
        ),
    ),
    "leadgate-leadbyte-recovered": (
        ENDS[Alarm.LEADBYTE],
        Notice(
            "LeadByte answers again after that", "LeadByte answers again", "The leads that were ready are being sent."
        ),
    ),
    "leadgate-budget-spent": (
        BEGINS[Alarm.BUDGET],
        Notice(
            "leads meet a budget of safety.budgets that is used up",
            "a budget is used up",
            "{{ event.payload.waiting }} leads wait to be processed ({{ event.payload.process }}), and "
            "{{ event.payload.to_review }} that rules reject ({{ event.payload.reject }}) went to a person: look at "
            "the rules, then `leadgate review list`.",
        ),
    ),
    "leadgate-budget-free": (
        ENDS[Alarm.BUDGET],
        Notice(
            "no lead waits for a budget any more, and rules may process and reject",
            "budgets have room again",
            "No lead waits for one, and rules may process and reject.",
        ),
    ),
    "leadgate-reviews-overdue": (
        BEGINS[Alarm.REVIEWS],
        Notice(
            "a run finds reviews that are open for longer than review.within",
            "reviews are overdue",
            "{{ event.payload.overdue }} leads wait for a person: `leadgate review list`.",
            "{% if event.payload.by_rule %} By rule: {{ event.payload.by_rule }}.{% endif %}"
            "{% if event.payload.form %} To decide: {{ event.payload.form }} .{% endif %}"
            "{% if event.payload.lead %} Open for longest: {{ event.payload.lead }} .{% endif %}",
        ),
    ),
    "leadgate-reviews-cleared": (
        ENDS[Alarm.REVIEWS],
        Notice(
            "no review is overdue any more",
            "no review is overdue any more",
            "Every lead that had waited too long for a person is decided.",
        ),
    ),
    "leadgate-brake-on": (
        BEGINS[Alarm.BRAKE],
        Notice(
            "acts are held back, since LeadByte does not answer them as documented",
            "acts are held back",
            "{{ event.payload.in_doubt }} leads are in doubt: `leadgate status` says what to do.",
        ),
    ),
    "leadgate-brake-off": (
        ENDS[Alarm.BRAKE],
        Notice("acts go on after that", "acts go on", "LeadByte answers acts as documented again."),
    ),
    "leadgate-control-stays": (
        BEGINS[Alarm.CONTROL],
        Notice(
            "a lead that LeadByte queued has not left quarantine within delivery.queue_time",
            "a released lead does not leave quarantine",
            "LeadByte still updates it, so no lead in doubt can be freed: `leadgate status` names it.",
        ),
    ),
    "leadgate-control-left": (
        ENDS[Alarm.CONTROL],
        Notice(
            "such leads leave quarantine again",
            "released leads leave quarantine again",
            "Leads in doubt are settled by evidence again.",
        ),
    ),
    "leadgate-doubts-old": (
        BEGINS[Alarm.DOUBTS],
        Notice(
            "an act has been in doubt for more than a day",
            "an act has been in doubt for more than a day",
            "`leadgate status`, then `leadgate review list`.",
        ),
    ),
    "leadgate-doubts-cleared": (
        ENDS[Alarm.DOUBTS],
        Notice(
            "no act has been in doubt for that long any more",
            "no act has been in doubt for long",
            "Those that had been are settled.",
        ),
    ),
    "leadgate-key-refused": (
        BEGINS[Alarm.KEY],
        Notice(
            "LeadByte refuses the API key, or a permission of it",
            "LeadByte refuses the API key",
            "Nothing is sent, and leads stay ready. Give the pipeline a key that works: `leadgate check`.",
        ),
    ),
    "leadgate-key-accepted": (
        ENDS[Alarm.KEY],
        Notice("LeadByte takes the API key again", "LeadByte takes the API key again", "Leads are being sent."),
    ),
    "leadgate-leads-parked": (
        BEGINS[Alarm.PARKED],
        Notice(
            "a run finds leads that are parked, which LeadByte has refused too often",
            "leads are parked",
            "{{ event.payload.parked }} leads were refused by LeadByte: `leadgate failed list` has its words.",
        ),
    ),
    "leadgate-leads-not-parked": (
        ENDS[Alarm.PARKED],
        Notice("no lead is parked any more", "no lead is parked any more", "All are sent again, or given up."),
    ),
    "leadgate-leads-unknown": (
        BEGINS[Alarm.UNKNOWN],
        Notice(
            "an act has been unknown for a quarter of an hour longer than evidence takes",
            "acts stay unknown",
            "{{ event.payload.unknown }} leads are unknown, and no evidence settles them: `leadgate status`.",
        ),
    ),
    "leadgate-leads-known": (
        ENDS[Alarm.UNKNOWN],
        Notice("no act stays unknown any more", "no act stays unknown", "Evidence or a person has settled them."),
    ),
    "leadgate-sentence-unknown": (
        BEGINS[Alarm.SENTENCES],
        Notice(
            "LeadByte says something of an act that leadgate does not understand",
            "LeadByte said something unknown",
            "Nobody knows whether it took the act: `leadgate status` shows the words, and the line to write.",
        ),
    ),
    "leadgate-sentence-understood": (
        ENDS[Alarm.SENTENCES],
        Notice("no lead is in doubt by such words any more", "LeadByte is understood", "Those leads are settled."),
    ),
    "leadgate-runs-fail": (
        FAILING,
        Notice(
            f"{IN_A_ROW} runs of release-leads in a row have failed",
            "runs fail",
            "{{ event.payload.failed }} runs in a row have failed: look at the last one.",
            " It says: {{ event.payload.why }}",
        ),
    ),
    "leadgate-runs-recovered": (
        RECOVERED,
        Notice("a run is good again after that", "runs are good again", "Leads are being sent."),
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
    return [*_lost_runs(deployment_ids, alerts, dead_after), *reactive]


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
    told = Notice(
        f"no run finds the source healthy for {minutes}, though one had before",
        f"no healthy source for {minutes}",
        "Is a worker running, and the source up? `leadgate status`.",
    )
    over = Notice("a run finds it healthy again", "the source is healthy again", "A run has read it again.")
    return [_automation(silent, silence, told, alerts), _automation(heard, again, over, alerts)]


_ID = "prefect.resource.id"


def _any_pipeline() -> dict[str, str | list[str]]:
    return {_ID: "leadgate.pipeline.*"}


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
    told = Notice(
        "a run of leadgate's deployments is marked as crashed",
        "a run was lost",
        "Its process is gone, and the run is marked as crashed. The next one takes over.",
    )
    return [mark, _automation("leadgate-run-lost", crashed, told, alerts, about="{{ flow_run.name }}")]


def _automation(
    name: str,
    trigger: EventTrigger | SequenceTrigger,
    notice: Notice,
    alerts: UUID | None,
    *,
    about: str = "{{ event.resource.name }}",
) -> AutomationCore:
    subject, body = f"leadgate {about}: {notice.subject}", f"{notice.body}{notice.more} {_READ}"
    # Without a block it fires all the same, which the event feed of the UI shows.
    notify = SendNotification(block_document_id=alerts, subject=subject, body=body) if alerts else DoNothing()
    return AutomationCore(
        name=name, description=f"Fires when {notice.when}.", tags=[TAG], trigger=trigger, actions=[notify]
    )
