"""What a run tells whoever watches: an alarm once when it begins and once when it is over, and that the source is well.

Events name the pipeline and carry counts; that of overdue reviews also says where they are decided. What has been told
is kept in the ledger, for the runs to come and for those beside this one; `deployments.apply` makes the automations
that turn the events into notifications.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from prefect import get_run_logger

from leadgate.attention import OLD_DOUBT, holds_back, stays
from leadgate.ledger.alarms import Alarm, clear_alarm, raise_alarm
from leadgate.ledger.budgets import has_room, read_backlog
from leadgate.ledger.doubts import read_doubts
from leadgate.ledger.failed import count_failed
from leadgate.ledger.reviews import count_meant, count_reviews, read_reviews
from leadgate.model import OTHERWISE, Action, Resolution, SentBy, SourceReading
from leadgate.summary import Summary
from leadgate.wiring.pipeline import Pipeline
from leadgate.wiring.run import Run
from tasks.links import form_link
from tasks.observed import tell
from tasks.page import Page, is_heard, is_server_gone

HEALTHY = "leadgate.source.healthy"
"""Said of every look of a run that finds the source healthy; a server that misses it for too long sounds the alarm."""
BEGINS = {
    Alarm.LEADBYTE: "leadgate.leadbyte.unavailable",
    Alarm.BUDGET: "leadgate.budget.spent",
    Alarm.REVIEWS: "leadgate.reviews.overdue",
    Alarm.BRAKE: "leadgate.brake.on",
    Alarm.CONTROL: "leadgate.control.stays",
    Alarm.DOUBTS: "leadgate.doubts.old",
    Alarm.KEY: "leadgate.key.refused",
    Alarm.PARKED: "leadgate.parked.some",
    Alarm.UNKNOWN: "leadgate.unknown.some",
    Alarm.SENTENCES: "leadgate.sentences.unknown",
}
ENDS = {
    Alarm.LEADBYTE: "leadgate.leadbyte.recovered",
    Alarm.BUDGET: "leadgate.budget.free",
    Alarm.REVIEWS: "leadgate.reviews.cleared",
    Alarm.BRAKE: "leadgate.brake.off",
    Alarm.CONTROL: "leadgate.control.left",
    Alarm.DOUBTS: "leadgate.doubts.cleared",
    Alarm.KEY: "leadgate.key.accepted",
    Alarm.PARKED: "leadgate.parked.none",
    Alarm.UNKNOWN: "leadgate.unknown.none",
    Alarm.SENTENCES: "leadgate.sentences.understood",
}
_RULES = 10
_FORM_WITHIN_SECONDS = 20
"""How long a server that is there, and slow, may take to say where the form is."""
_EVIDENCE_WITHIN = timedelta(minutes=15)
"""How long after it can be had evidence is missed: three runs of the schedule."""
_HEALTHY_EVERY = timedelta(minutes=5)
"""How often a run that stays says that the source is healthy."""


def sound(pipeline: Pipeline, alarm: Alarm, *, is_raised: bool, payload: Mapping[str, int | str] | None = None) -> None:
    """Tell that an alarm begins or is over, unless that has been told already or nobody would hear it."""
    ledger, heard = pipeline.ledger, is_heard()
    if is_raised:
        is_news = raise_alarm(ledger, alarm, now=ledger.now(), is_heard=heard)
    else:
        is_news = clear_alarm(ledger, alarm, is_heard=heard)
    if is_news:
        tell((BEGINS if is_raised else ENDS)[alarm], ledger.pipeline, payload or {})
        get_run_logger().warning("event=alarm alarm=%s raised=%s", alarm, is_raised)


async def sound_all(run: Run, summary: Summary, page: Page) -> None:
    """Compare what a run has come to with the alarms, when it ends. A run that cannot know leaves an alarm as it is.

    So does one whose server is gone: what nobody hears must not count as told.
    """
    if page.is_lost and await asyncio.to_thread(is_server_gone):
        return
    page.try_again()
    pipeline, account, breaker = run.pipeline, run.account, run.exchange.breaker
    _about_budgets(run)
    overdue = await _about_overdue(pipeline, summary.overdue, page)
    sound(pipeline, Alarm.REVIEWS, is_raised=bool(summary.overdue), payload=overdue)
    doubts, delivery, now = read_doubts(pipeline.ledger), pipeline.config.delivery, pipeline.clock()
    in_doubt = {"in_doubt": doubts.brake.in_doubt}
    sound(pipeline, Alarm.BRAKE, is_raised=holds_back(doubts, delivery, now), payload=in_doubt)
    sound(pipeline, Alarm.CONTROL, is_raised=stays(doubts.control, delivery), payload=in_doubt)
    is_old = doubts.since is not None and now - doubts.since > OLD_DOUBT
    sound(pipeline, Alarm.DOUBTS, is_raised=is_old, payload=in_doubt)
    # In ordinary use acts are in doubt for a while; by then evidence has settled what can be settled.
    usual = delivery.proven_after + _EVIDENCE_WITHIN
    is_odd = doubts.unknown_since is not None and now - doubts.unknown_since > usual
    sound(pipeline, Alarm.UNKNOWN, is_raised=is_odd, payload={"unknown": doubts.unknown})
    sound(pipeline, Alarm.SENTENCES, is_raised=bool(doubts.sentences), payload=in_doubt)
    parked = count_failed(pipeline.ledger)
    sound(pipeline, Alarm.PARKED, is_raised=bool(parked), payload={"parked": parked})
    if account.key_refused or (breaker.has_answered and not account.trouble):
        sound(pipeline, Alarm.KEY, is_raised=account.key_refused)
    if breaker.outage or (breaker.has_answered and not account.trouble):
        sound(pipeline, Alarm.LEADBYTE, is_raised=bool(breaker.outage), payload={"ready": summary.ready})


def _about_budgets(run: Run) -> None:
    """Tell that a budget is used up where leads have met it; it is over when there is room and no lead waits."""
    pipeline, tally, budgets = run.pipeline, run.account.tally, run.pipeline.config.safety.budgets
    waiting = read_backlog(pipeline.ledger).leads
    payload: dict[str, int | str] = {"waiting": waiting, "to_review": tally.capped}
    payload |= {action.value: budgets.text_of(action) for action in Action}
    if tally.capped or tally.put_off:
        sound(pipeline, Alarm.BUDGET, is_raised=True, payload=payload)
    elif not waiting and has_room(pipeline.ledger, budgets, now=pipeline.ledger.now()):
        sound(pipeline, Alarm.BUDGET, is_raised=False, payload=payload)


async def _about_overdue(pipeline: Pipeline, count: int, page: Page) -> dict[str, int | str]:
    """Say how many reviews are overdue, by which rules, where most are decided, and which has been open longest."""
    if not count:
        return {"overdue": 0}
    ledger, review = pipeline.ledger, pipeline.config.review
    leads: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for group in count_reviews(ledger, before=ledger.now() - (review.within or timedelta())):
        is_by_rule = group.sent_by in {SentBy.RULE, SentBy.CAP}
        name = (group.rule or OTHERWISE) if is_by_rule else _OTHERS[group.sent_by]
        leads[name] += group.leads
        rules[name] += group.leads * is_by_rule
    by_rule = [f"{name} {count:,}" for name, count in leads.most_common()]
    rest = [f"{len(by_rule) - _RULES} more"] if len(by_rule) > _RULES else []
    rule = next((name for name, count in rules.most_common(1) if count), None)
    filled_in = {"rule": rule, "count": count_meant(ledger, Resolution.PROCESS, rule)} if rule else {}
    form = await page.show(form_link(ledger.pipeline, filled_in), within=_FORM_WITHIN_SECONDS)
    longest = read_reviews(ledger, limit=1) if review.link else []
    return {
        "overdue": count,
        "by_rule": ", ".join(by_rule[:_RULES] + rest),
        "form": form or "",
        "lead": next(filter(None, (review.link_to(found.lead_id) for found in longest)), ""),
    }


_OTHERS = {SentBy.DOUBT: "in doubt", SentBy.OTHER: "for another reason"}


def say_healthy(pipeline: Pipeline, reading: SourceReading, told_at: datetime | None) -> datetime | None:
    """Tell that the source is healthy, where it is and that was not told a moment ago; return when it was last told."""
    now = pipeline.clock()
    if not reading.healthy or (told_at is not None and now - told_at < _HEALTHY_EVERY):
        return told_at
    tell(HEALTHY, pipeline.config.pipeline, {})
    return now
