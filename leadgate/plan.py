"""What a run would do now, found out without sending or changing anything."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from leadgate.config import PipelineConfig
from leadgate.delivery.prepare import RejectCap, decide_claims
from leadgate.delivery.routes import Route, route_of
from leadgate.intake import PAGE, look_at, read_trusted
from leadgate.ledger import Ledger
from leadgate.ledger.keep import latest_late
from leadgate.ledger.reads import read_known, read_ready_page
from leadgate.ledger.waiting import read_waiting_page
from leadgate.model import Claim, Decided, Waiting
from leadgate.policy import Policy
from leadgate.source import Source


@dataclass(frozen=True, slots=True)
class PlannedLead:
    """One lead a run would decide now: why, and which LeadByte fields it would write. Never their values."""

    lead_id: str
    new: bool
    verdict: str
    rule: str | None
    reason: str
    late: bool
    route: str
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """The leads a run would decide now, how many would go on waiting, and rows of the source that cannot be leads."""

    leads: Sequence[PlannedLead]
    waiting: int
    missing: Mapping[str, int]
    """How many of those that would go on waiting lack each required column."""
    faults: Sequence[str]


def plan_run(config: PipelineConfig, source: Source, ledger: Ledger, policy: Policy, *, now: datetime) -> Plan:
    """Register, look and decide on paper: the same steps as a run, by the same code, with nothing written."""
    late_since = None
    if read_trusted(source, ledger, config, now).healthy:
        late_since = latest_late(ledger.engine, ledger.pipeline, deadline=config.wait.deadline, now=now)
    planned: list[PlannedLead] = []
    faults: list[str] = []
    missing: Counter[str] = Counter()
    waiting = 0
    cap = RejectCap(config.safety.max_rejects_per_run)

    def decide(claims: list[Claim], *, new: bool) -> int:
        decided, incomplete = decide_claims(claims, config=config, source=source, policy=policy, now=now)
        planned.extend(_plan(cap.apply(lead), config.delivery.mode, new=new) for lead in decided)
        for _, look in incomplete:
            missing.update(look.missing)
        return len(incomplete)

    for page, new in _waiting_pages(source, ledger, faults):
        found = source.enrichments([entry.lead_id for entry in page])
        looks = [
            (entry, look_at(entry, found.get(entry.lead_id), config.wait.require, now, late_since)) for entry in page
        ]
        due = [
            Claim(entry.lead_id, 0, entry.quarantined_at, look.late, 0, None)
            for entry, look in looks
            if look and look.due
        ]
        for entry, look in looks:
            if not look or not look.due:
                missing.update(look.missing if look else entry.missing or ())
        waiting += len(page) - len(due) + decide(due, new=new)
    after = ""
    while claims := read_ready_page(ledger.engine, ledger.pipeline, after=after, limit=PAGE, now=now):
        after = claims[-1].lead_id
        waiting += decide(claims, new=False)
    return Plan(planned, waiting, dict(missing.most_common()), faults)


def _waiting_pages(source: Source, ledger: Ledger, faults: list[str]) -> Iterator[tuple[list[Waiting], bool]]:
    """Every lead that would wait: first those not registered yet, then those that are."""
    for page in source.lead_pages(PAGE):
        faults += page.faults
        known = read_known(ledger.engine, ledger.pipeline, [lead.lead_id for lead in page.leads])
        fresh = [lead for lead in page.leads if lead.lead_id not in known]
        yield [Waiting(lead.lead_id, lead.quarantined_at, None, None, None) for lead in fresh], True
    after = ""
    while entries := read_waiting_page(ledger.engine, ledger.pipeline, after=after, limit=PAGE):
        after = entries[-1].lead_id
        yield entries, False


def _plan(lead: Decided, mode: Literal["combined", "separate"], *, new: bool) -> PlannedLead:
    return PlannedLead(
        lead_id=lead.claim.lead_id,
        new=new,
        verdict=lead.decision.verdict.value,
        rule=lead.decision.rule,
        reason=lead.decision.reason,
        late=lead.decision.late,
        route=_ROUTES[route_of(lead, mode)],
        fields=list(lead.update),
    )


_ROUTES = {
    Route.NOTHING: "nothing to send",
    Route.UPDATE: "update",
    Route.UPDATE_AND_ACT: "update and act in one request",
    Route.UPDATE_THEN_ACT: "update, then act",
    Route.ACT: "act",
}
