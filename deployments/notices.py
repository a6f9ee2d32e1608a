"""What the alarms say: for each automation that a run's event sets off, when it fires and what a person is told."""

from typing import NamedTuple

from leadgate.ledger.alarms import Alarm
from tasks.alarms import BEGINS, ENDS
from tasks.failing import FAILING, IN_A_ROW, RECOVERED


class Notice(NamedTuple):
    """An automation that notifies: its name, when it fires, and what a person reads: a subject and a few sentences."""

    name: str
    when: str
    subject: str
    body: str
    more: str = ""
    """The part of the body that only a notification has: a template that nobody could read elsewhere."""


NOTICES: dict[str, Notice] = {
    BEGINS[Alarm.LEADBYTE]: Notice(
        "leadgate-leadbyte-unavailable",
        "a run finds that LeadByte takes no requests",
        "LeadByte takes no requests",
        "Leads stay ready and nothing is lost: `leadgate status`.",
    ),
    ENDS[Alarm.LEADBYTE]: Notice(
        "leadgate-leadbyte-recovered",
        "LeadByte answers again, after it took no requests",
        "LeadByte answers again",
        "The leads that were ready are being sent.",
    ),
    BEGINS[Alarm.BUDGET]: Notice(
        "leadgate-budget-spent",
        "leads meet a budget of safety.budgets that is used up",
        "a budget is used up",
        "{{ event.payload.waiting }} leads wait to be processed ({{ event.payload.process }}), and "
        "{{ event.payload.to_review }} that rules reject ({{ event.payload.reject }}) went to a person, also if "
        "no lead is complete any more: look at `leadgate review list`, then at the rules.",
    ),
    ENDS[Alarm.BUDGET]: Notice(
        "leadgate-budget-free",
        "no lead waits for a budget any more, and rules may process and reject",
        "budgets have room again",
        "No lead waits for one, and rules may process and reject.",
    ),
    BEGINS[Alarm.REVIEWS]: Notice(
        "leadgate-reviews-overdue",
        "a run finds reviews that are open for longer than review.within",
        "reviews are overdue",
        "Leads that wait for a person: {{ event.payload.overdue }}. Type `leadgate review list`.",
        "{% if event.payload.by_rule %} By rule: {{ event.payload.by_rule }}.{% endif %}"
        "{% if event.payload.form %} To decide: {{ event.payload.form }} .{% endif %}"
        "{% if event.payload.lead %} Open for longest: {{ event.payload.lead }} .{% endif %}",
    ),
    ENDS[Alarm.REVIEWS]: Notice(
        "leadgate-reviews-cleared",
        "no review is overdue any more",
        "no review is overdue any more",
        "Every lead that had waited too long for a person is decided.",
    ),
    BEGINS[Alarm.BRAKE]: Notice(
        "leadgate-brake-on",
        "acts are held back, since LeadByte does not answer them as documented",
        "acts are held back",
        "Leads in doubt: {{ event.payload.in_doubt }}. `leadgate status` says what to do.",
    ),
    ENDS[Alarm.BRAKE]: Notice(
        "leadgate-brake-off",
        "acts go on again, after they were held back",
        "acts go on",
        "LeadByte answers acts as documented again.",
    ),
    BEGINS[Alarm.CONTROL]: Notice(
        "leadgate-control-stays",
        "a lead that LeadByte queued has not left quarantine within delivery.queue_time",
        "a released lead does not leave quarantine",
        "LeadByte still updates it, so no lead in doubt can be freed: `leadgate status` names it.",
    ),
    ENDS[Alarm.CONTROL]: Notice(
        "leadgate-control-left",
        "leads that LeadByte queued leave quarantine in time again",
        "released leads leave quarantine again",
        "Leads in doubt are settled by evidence again.",
    ),
    BEGINS[Alarm.DOUBTS]: Notice(
        "leadgate-doubts-old",
        "an act has been in doubt for more than a day",
        "an act has been in doubt for more than a day",
        "`leadgate status`, then `leadgate review list`.",
    ),
    ENDS[Alarm.DOUBTS]: Notice(
        "leadgate-doubts-cleared",
        "no act has been in doubt for more than a day any more",
        "no act has been in doubt for long",
        "Those that had been are settled.",
    ),
    BEGINS[Alarm.KEY]: Notice(
        "leadgate-key-refused",
        "LeadByte refuses the API key, or a permission of it",
        "LeadByte refuses the API key",
        "Nothing is sent, and leads stay ready. Give the pipeline a key that works: `leadgate check`.",
    ),
    ENDS[Alarm.KEY]: Notice(
        "leadgate-key-accepted",
        "LeadByte takes the API key again",
        "LeadByte takes the API key again",
        "Leads are being sent.",
    ),
    BEGINS[Alarm.PARKED]: Notice(
        "leadgate-leads-parked",
        "a run finds leads that are parked, which LeadByte has refused too often",
        "leads are parked",
        "Leads that LeadByte refused: {{ event.payload.parked }}. `leadgate failed list` has its words.",
    ),
    ENDS[Alarm.PARKED]: Notice(
        "leadgate-leads-not-parked",
        "no lead is parked any more",
        "no lead is parked any more",
        "All are sent again, or given up.",
    ),
    BEGINS[Alarm.UNKNOWN]: Notice(
        "leadgate-leads-unknown",
        "an act has been unknown for a quarter of an hour longer than evidence takes",
        "acts stay unknown",
        "Leads that no evidence settles: {{ event.payload.unknown }}. `leadgate status` says what is missing, and "
        "`leadgate review list` which they are.",
    ),
    ENDS[Alarm.UNKNOWN]: Notice(
        "leadgate-leads-known",
        "no act stays unknown any more",
        "no act stays unknown",
        "Evidence or a person has settled them.",
    ),
    BEGINS[Alarm.SENTENCES]: Notice(
        "leadgate-sentence-unknown",
        "LeadByte says something of an act that leadgate does not understand",
        "LeadByte said something unknown",
        "Nobody knows whether it took the act: `leadgate status` shows the words, and the line to write.",
    ),
    ENDS[Alarm.SENTENCES]: Notice(
        "leadgate-sentence-understood",
        "no lead is in doubt any more by words that leadgate does not understand",
        "LeadByte is understood",
        "Those leads are settled.",
    ),
    FAILING: Notice(
        "leadgate-runs-fail",
        f"{IN_A_ROW} runs of release-leads in a row have failed",
        "runs fail",
        "{{ event.payload.failed }} runs in a row have failed: look at the last one.",
        " It says: {{ event.payload.why }}",
    ),
    RECOVERED: Notice(
        "leadgate-runs-recovered",
        f"a run is good again, after {IN_A_ROW} or more had failed in a row",
        "runs are good again",
        "Leads are being sent.",
    ),
}
"""By the event that sets each off."""
