"""Whether a pipeline is healthy, from its ledger alone: what `leadgate status` and the address for monitors say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgate.attention import about_backlog, about_rejects, attention, clock_problem
from leadgate.config import PipelineConfig
from leadgate.ledger import Ledger
from leadgate.ledger.alarms import Alarm, Raised, read_alarms
from leadgate.ledger.doubts import Doubts, read_doubts
from leadgate.ledger.reviews import count_overdue
from leadgate.ledger.status import Status, read_status
from leadgate.model import State
from leadgate.readable import counted

SILENT_AFTER = timedelta(minutes=30)
"""How long no run may find the source healthy: six runs of the schedule that is usual."""


ALARMS = {
    Alarm.LEADBYTE: "LeadByte takes no requests; `leadgate check` says whether the address or the key is wrong",
    Alarm.BUDGET: "A budget is used up, or no lead is complete any more; `leadgate review list`, then the rules",
    Alarm.REVIEWS: "Reviews wait too long; `leadgate review list`",
    Alarm.BRAKE: "Acts are held back, since LeadByte does not answer them as documented",
    Alarm.CONTROL: "A released lead does not leave; `leadgate status` names it",
    Alarm.DOUBTS: "Doubts are old; look the leads of `leadgate review list` up in LeadByte",
    Alarm.KEY: "LeadByte refuses the key; `leadgate check` with one that works",
    Alarm.PARKED: "Leads are parked; `leadgate failed list`, then retry or discard",
    Alarm.UNKNOWN: "Acts stay unknown; `leadgate review list` names them",
    Alarm.SENTENCES: "LeadByte said something unknown, which stands above with the line to write",
}
"""What each alarm means and what to type, beginning as its heading in docs/operations.md does."""


@dataclass(frozen=True, slots=True)
class Health:
    """Why a pipeline is not healthy, in sentences without anything of a person; with none of them it is.

    And what was read of the ledger to say so.
    """

    reasons: Sequence[str]
    status: Status
    doubts: Doubts
    alarms: Sequence[Raised]
    overdue: int

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.reasons


def read_health(ledger: Ledger, config: PipelineConfig) -> Health:
    """Read everything that a person or a monitor should hear of."""
    now, status, doubts, alarms = ledger.now(), read_status(ledger), read_doubts(ledger), read_alarms(ledger)
    to_know = attention(
        doubts,
        config.delivery,
        now,
        clock_problem(ledger),
        about_backlog(ledger, config.safety.budgets, now),
        about_rejects(ledger, config.safety.budgets, now),
    )
    overdue = count_overdue(ledger, within=config.review.within, now=now)
    return Health([*to_know, *_reasons(status, overdue, alarms, now)], status, doubts, alarms, overdue)


def _reasons(found: Status, overdue: int, alarms: Sequence[Raised], now: datetime) -> Iterator[str]:
    for state, what in ((State.FAILED, "parked"), (State.UNKNOWN, "unknown: nothing proves what became of an act")):
        if count := found.counts[state]:
            yield f"{counted(count, 'lead is', 'leads are')} {what}."
    if overdue:
        yield f"{'1 review is' if overdue == 1 else f'{overdue} reviews are'} overdue, by review.within."
    for raised in alarms:
        since = f"{raised.since:%Y-%m-%d %H:%M:%S}Z"
        yield f"The alarm {raised.alarm} is raised since {since}: {ALARMS[Alarm(raised.alarm)]} (docs/operations.md)."
    if found.read_at and (found.healthy_at is None or now - found.healthy_at > SILENT_AFTER):
        since = f" since {found.healthy_at:%Y-%m-%d %H:%M:%S}Z" if found.healthy_at else ""
        yield f"No run has {'' if since else 'ever '}found the source healthy{since}."
