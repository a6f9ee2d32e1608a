"""What the alarms say: for each automation that a run's event sets off, when it fires and what a person is told."""

from typing import NamedTuple

from leadgate.ledger.alarms import Alarm
from tasks.alarms import BEGINS, ENDS
from tasks.failing import FAILING, IN_A_ROW, RECOVERED


class Notice(NamedTuple):
    """When it fires, for the page of automations; and what a person is told: a subject, and a sentence or two."""

    when: str
    subject: str
    body: str
    more: str = ""
    """What only a notification tells, since it is a template beyond reading."""


NOTICES: dict[str, tuple[str, Notice]] = {
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
            "LeadByte answers again, after it took no requests",
            "LeadByte answers again",
            "The leads that were ready are being sent.",
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
            "Leads that wait for a person: {{ event.payload.overdue }}. Type `leadgate review list`.",
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
            "Leads in doubt: {{ event.payload.in_doubt }}. `leadgate status` says what to do.",
        ),
    ),
    "leadgate-brake-off": (
        ENDS[Alarm.BRAKE],
        Notice(
            "acts go on again, after they were held back", "acts go on", "LeadByte answers acts as documented again."
        ),
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
            "leads that LeadByte queued leave quarantine in time again",
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
            "no act has been in doubt for more than a day any more",
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
            "Leads that LeadByte refused: {{ event.payload.parked }}. `leadgate failed list` has its words.",
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
            "Leads that no evidence settles: {{ event.payload.unknown }}. Type `leadgate status`.",
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
        Notice(
            "no lead is in doubt any more by words that leadgate does not understand",
            "LeadByte is understood",
            "Those leads are settled.",
        ),
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
        Notice(
            f"a run is good again, after {IN_A_ROW} or more had failed in a row",
            "runs are good again",
            "Leads are being sent.",
        ),
    ),
}
