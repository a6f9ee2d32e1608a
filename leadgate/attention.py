"""What needs a person's attention in a pipeline beside single leads, in sentences, from the ledger alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from leadgate.config import BudgetsConfig, DeliveryConfig
from leadgate.ledger import NOT_ASKED, Ledger
from leadgate.ledger.budgets import read_backlog, read_rooms
from leadgate.ledger.doubts import Doubts, Shown
from leadgate.model import Action, Result
from leadgate.readable import counted

OLD_DOUBT = timedelta(days=1)
"""How old a doubt may become before it is an alarm."""


def attention(doubts: Doubts, delivery: DeliveryConfig, now: datetime, *others: str | None) -> list[str]:
    """Say what is in doubt since when, what holds acts back, and why nobody becomes late; empty where all is well.

    `others` are problems found elsewhere, or None.
    """
    found = [
        *_source(doubts),
        *_in_doubt(doubts, delivery),
        *_brake(doubts, delivery, now),
        *_control(doubts, delivery),
    ]
    return found + [problem for problem in others if problem]


def about_backlog(ledger: Ledger, budgets: BudgetsConfig, now: datetime) -> str | None:
    """Say how many leads wait for a budget and until when; None where none does."""
    backlog = read_backlog(ledger)
    if not backlog.leads:
        return None
    leads = counted(backlog.leads, "lead waits", "leads wait")
    text = budgets.text_of(Action.PROCESS)
    at = f" at {_short(backlog.first_at)}, or" if backlog.first_at and backlog.first_at > now else ""
    return (
        f"{leads} to be processed: safety.budgets.process ({text}) is used up. The next is decided{at} by the first "
        "run with room; what a person decides goes at once."
    )


def about_rejects(ledger: Ledger, budgets: BudgetsConfig, now: datetime) -> str | None:
    """Say until when rules may not reject, if they have rejected as many leads as they may; None if they may."""
    room = read_rooms(ledger, budgets, now=now)[Action.REJECT]
    if room.left > 0 or not room.budget or not room.budget.leads:
        return None
    text = budgets.text_of(Action.REJECT)
    return (
        f"Rules reject no lead until {_short(room.free_at)}: safety.budgets.reject ({text}) is used up. "
        "What they would reject goes to people."
    )


def clock_problem(ledger: Ledger) -> str | None:
    """Say where the clocks of servers disagree; None where they agree, and where nobody has been asked."""
    problem = ledger.clock_problem()
    return None if problem is NOT_ASKED else problem


def stays(shown: Shown | None, delivery: DeliveryConfig) -> bool:
    """Whether the last control was still updated after it should have left quarantine."""
    return shown is not None and shown.result is Result.TAKEN and shown.at - shown.taken_at > delivery.proven_after


def holds_back(doubts: Doubts, delivery: DeliveryConfig, now: datetime) -> bool:
    """Whether acts are held back by the account's brake, for more than the answer to one."""
    brake = doubts.brake
    is_closed = brake.closed_until is not None and brake.closed_until > now
    return brake.in_doubt >= delivery.in_doubt_at_most or (brake.is_on and (is_closed or brake.in_vain > 0))


def _source(doubts: Doubts) -> Iterator[str]:
    if doubts.source_problem:
        since = f" since {_short(doubts.source_since)}" if doubts.source_since else ""
        yield f"Deadlines stand still{since}, as the last run found: {doubts.source_problem}"


_LOOKED_FOR = "Runs look for evidence, and send nothing again before there is some."
_OBSERVED = "They wait: while delivery.observe is true no request looks for evidence."


def _in_doubt(doubts: Doubts, delivery: DeliveryConfig) -> Iterator[str]:
    count = doubts.brake.in_doubt
    if count and doubts.since:
        leads = counted(count, "lead is", "leads are")
        yield (
            f"{leads} in doubt, the first since {_short(doubts.since)}: an act was sent, "
            f"and nothing proves what became of it. {_OBSERVED if delivery.observe else _LOOKED_FOR}"
        )
    for action in doubts.without_control:
        yield (
            f"For leads whose {action} is in doubt no control can be made: LeadByte has not said yet that it queued "
            f"a lead for {_NOUNS[action]}."
        )
    for sentence in doubts.sentences if count else ():
        leads = counted(sentence.leads, "lead that was", "leads that were")
        yield (
            f'LeadByte said of {leads} to be {_PAST[sentence.action]}: "{sentence.shape}". If '
            f"that means that it did, add under leadbyte: sentences: {{taken: {{{sentence.action}: "
            f'["{sentence.shape}"]}}}}.'
        )


def _brake(doubts: Doubts, delivery: DeliveryConfig, now: datetime) -> Iterator[str]:
    brake = doubts.brake
    if brake.in_doubt >= delivery.in_doubt_at_most:
        yield (
            f"No act is sent: {brake.in_doubt} leads are in doubt, and delivery.in_doubt_at_most is "
            f"{delivery.in_doubt_at_most}. Updates go on."
        )
    elif holds_back(doubts, delivery, now):
        when = f" at {_short(brake.closed_until)}" if brake.closed_until and brake.closed_until > now else ""
        since = f" since {_short(brake.since)}" if brake.since else ""
        yield (
            f"The brake is on{since}: the next act goes alone{when}, after {brake.in_vain} that went alone and are in "
            "doubt too. Where LeadByte never answers an act as documented, look whether its key may process "
            "(Quarantine > Process)."
        )


def _control(doubts: Doubts, delivery: DeliveryConfig) -> Iterator[str]:
    shown = doubts.control
    if shown and shown.result in {Result.IN_DOUBT, Result.REFUSED} and shown.shape:
        yield (
            f'LeadByte said of lead {shown.lead_id}, which it queued at {_short(shown.taken_at)}: "{shown.shape}". If '
            "that means that it is not in quarantine any more, add under leadbyte: sentences: "
            f'{{gone: ["{shown.shape}"]}}. Without that no lead in doubt can be settled.'
        )
    if shown and stays(shown, delivery):
        yield (
            f"Lead {shown.lead_id} was queued at {_short(shown.taken_at)}, and LeadByte still updated it at "
            f"{_short(shown.at)}: its queue stands or needs longer than delivery.queue_time, or it updates leads that "
            "have left quarantine. Leads in doubt end in review."
        )


_NOUNS = {"process": "processing", "reject": "rejection"}
_PAST = {"process": "processed", "reject": "rejected"}


def _short(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z" if instant else "-"
