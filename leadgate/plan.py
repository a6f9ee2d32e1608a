"""What a run would do now, found out without sending or changing anything; and the file that holds a run to it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from leadgate.config import PipelineConfig
from leadgate.delivery.planned import PlanKeeper
from leadgate.delivery.prepare import Decider, Restraints
from leadgate.delivery.routes import Route, route_of
from leadgate.errors import ConfigError
from leadgate.files import read_file, write_whole
from leadgate.intake import PAGE, Again, Looker, find_elsewhere
from leadgate.leadbyte.wire import field_value
from leadgate.ledger import Ledger
from leadgate.ledger.claims import read_claims, read_ready_page
from leadgate.ledger.forgotten import read_forgotten
from leadgate.ledger.observed import read_outdated
from leadgate.ledger.pauses import read_pause
from leadgate.ledger.pipelines import read_known_pipeline
from leadgate.ledger.waiting import all_waiting, read_elsewhere, read_known
from leadgate.model import OTHERWISE, Claim, Decided, Faults, Planned, Tally, Waiting
from leadgate.policy.deciding import Policy
from leadgate.sign_of_life import now_doing
from leadgate.source import Source
from leadgate.source.faults import shape_of


@dataclass(frozen=True, slots=True)
class PlannedField:
    """A LeadByte field that would be written: how its value was made, and how it is written, such as aa99 9aa."""

    field: str
    made: str
    written_like: str


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
    fields: Sequence[PlannedField]
    data_hash: str
    decided_by: str | None
    """The person whose word it follows; None: the rules decide."""
    held_back: str | None
    """What stands in the way of what was decided: a pause or a budget; None: nothing does."""

    @property
    def decider(self) -> str:
        """Who decides, in words: the rule, `otherwise`, or a person; and what stands in the way."""
        decider = "a person" if self.decided_by else self.rule or OTHERWISE
        return f"{decider}, {self.held_back}" if self.held_back else decider


@dataclass(frozen=True, slots=True)
class Plan:
    """The leads a run would decide now, how many would go on waiting, and rows of the source that cannot be leads."""

    leads: Sequence[PlannedLead]
    waiting: int
    missing: Mapping[str, int]
    """How many of those that would go on waiting lack each required column."""
    faults: Faults
    source_problem: str | None = None
    """Why no lead would become late: the source is not healthy."""


_LARGEST_PLAN = 256 * 1024 * 1024
"""Bytes: a plan of a million leads."""


class PlanFile(BaseModel):
    """A plan as it is written and read; no value of a lead stands in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    leadgate_plan: Literal[1] = 1
    pipeline: str
    policy_version: str
    made_at: AwareDatetime
    leads: list[Planned]


def write_plan(path: Path, plan: Plan, *, pipeline: str, policy_version: str, now: datetime) -> None:
    """Write the leads of a plan for a run to keep to; raise ConfigError where the file cannot be written."""
    leads = [Planned(lead.lead_id, lead.verdict, lead.rule, lead.data_hash) for lead in plan.leads]
    document = PlanFile(pipeline=pipeline, policy_version=policy_version, made_at=now, leads=leads)
    write_whole(path, document.model_dump_json(indent=1) + "\n")


def read_plan(
    path: Path, *, pipeline: str, policy_version: str, limit: int | None = None, watch_for: str | None = None
) -> PlanKeeper:
    """Read a plan that a run is to keep to; with other rules than those it was made with, it skips every lead.

    Raises ConfigError for a file that is no plan, or another pipeline's, and for a run with a limit or time of its own.
    """
    if limit is not None or watch_for:
        raise ConfigError(f"{path}: a plan says which leads are sent: give neither a limit nor a time to watch with it")
    again = "make one with `leadgate plan --out FILE`"
    try:
        found = PlanFile.model_validate_json(read_file(path, missing=f"To go on, {again}.", largest=_LARGEST_PLAN))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path}: is no plan ({where + ': ' if where else ''}{first['msg']}): {again}") from None
    if found.pipeline != pipeline:
        raise ConfigError(f"{path}: is a plan of the pipeline {found.pipeline!r}, not of {pipeline!r}: {again}")
    keeper = PlanKeeper(found.leads)
    if found.policy_version != policy_version:
        keeper.skip_rest(f"the rules have changed: {found.policy_version} planned, {policy_version} now")
    return keeper


def plan_run(  # noqa: PLR0913
    config: PipelineConfig, source: Source, ledger: Ledger, policy: Policy, *, now: datetime, again: Again | None = None
) -> Plan:
    """Register, look and decide on paper: the same steps as a run, by the same code, with nothing written.

    With `again`, also the leads in review or parked that would be decided anew.
    """
    looker = Looker(source, ledger, config, now, records=False)
    planned: list[PlannedLead] = []
    faults = Faults()
    missing: Counter[str] = Counter()
    waiting = 0
    restraints = Restraints(config, ledger, Tally(), paper=True)
    called_up = restraints.budgets.next_up(now)
    looked_at = 0
    pause = read_pause(ledger)
    decider = Decider(config, source, policy, fingerprint=ledger.fingerprint)

    def decide(claims: list[Claim], *, new: bool) -> int:
        found = decider.decide(claims, now)
        kept = restraints.apply(found.decided, pause, now=now)
        planned.extend(_plan(lead, config, new=new) for lead in kept)
        for _, look in found.incomplete:
            missing.update(look.missing)
        missing.update("its row in source.leads" for _ in found.absent)
        return len(found.incomplete) + len(found.absent)

    mine = read_known_pipeline(ledger)
    outdated = read_outdated(ledger, policy.version if config.delivery.observe else None)
    parked = sorted(again.due()) if again else []
    outdated |= set(parked)
    now_doing("Reading the source")
    for page, new in _waiting_pages(source, ledger, faults, outdated, parked):
        looks = {entry.lead_id: look for entry, look in zip(page, looker.look_over(page), strict=True)}
        due = {lead_id: look.late for lead_id, look in looks.items() if look and look.due}
        if new:
            claims = [
                Claim(one.lead_id, 0, one.quarantined_at, late=False, refusals=0, updated_hash=None, doubt_since=doubt)
                for one in page
                if one.lead_id in due
                for doubt in [mine.doubt_of(one.quarantined_at) if mine else None]
            ]
        else:
            # What a person has decided meanwhile needs no data.
            found = read_claims(ledger, [one.lead_id for one in page if one.lead_id in due or one.lead_id in outdated])
            claims = [claim for claim in found if claim.lead_id in due or claim.override]
        claims = [replace(claim, late=due.get(claim.lead_id, False)) for claim in claims]
        going = {claim.lead_id for claim in claims}
        for entry in page:
            if entry.lead_id not in going:
                look = looks[entry.lead_id]
                missing.update(look.missing if look else entry.missing or ())
        waiting += len(page) - len(claims) + decide(claims, new=new)
        looked_at += len(page)
        now_doing(f"Looking at every lead: {looked_at:,} done, {len(planned):,} would be decided")
    after = ""
    while claims := read_ready_page(ledger, after=after, limit=PAGE, now=now):
        after = claims[-1].lead_id
        waiting += decide(claims, new=False)
        looked_at += len(claims)
        now_doing(f"Looking at every lead: {looked_at:,} done, {len(planned):,} would be decided")
    for start in range(0, len(called_up), PAGE):
        waiting += decide(read_claims(ledger, called_up[start : start + PAGE]), new=False)
    return Plan(
        planned,
        waiting,
        dict(missing.most_common()),
        Faults(faults, looker.faults()),
        looker.looked.reading.problem,
    )


def _waiting_pages(
    source: Source, ledger: Ledger, faults: Faults, outdated: AbstractSet[str], parked: Sequence[str]
) -> Iterator[tuple[list[Waiting], bool]]:
    """Every lead that would wait: those not registered yet, those that are, those that are `parked` till then.

    The `outdated` ones wait as if they were new.
    """
    for page in source.lead_pages.all(PAGE):
        faults += page.faults
        ids = [lead.lead_id for lead in page.leads]
        known, elsewhere = read_known(ledger, ids) | read_forgotten(ledger, ids), read_elsewhere(ledger, ids)
        faults += find_elsewhere(elsewhere)
        fresh = [lead for lead in page.leads if lead.lead_id not in known | elsewhere.keys()]
        yield [Waiting(lead.lead_id, lead.quarantined_at, None, None, None) for lead in fresh], True
    for entries in all_waiting(ledger, PAGE):
        anew = (one for one in entries if one.lead_id in outdated)
        as_new = {one.lead_id: replace(one, missing=None, held_until=None) for one in anew}
        yield [as_new.get(one.lead_id, one) for one in entries], False
    for start in range(0, len(parked), PAGE):
        claims = read_claims(ledger, parked[start : start + PAGE])
        yield [Waiting(one.lead_id, one.quarantined_at, None, None, None) for one in claims], False


def _plan(lead: Decided, config: PipelineConfig, *, new: bool) -> PlannedLead:
    route = route_of(lead, config.delivery.mode)
    fields = [
        PlannedField(name, config.update[name].made(config.without_values), _written_like(value))
        for name, value in lead.update.items()
    ]
    return PlannedLead(
        lead_id=lead.claim.lead_id,
        new=new,
        verdict=lead.decision.verdict.value,
        rule=lead.decision.rule,
        reason=lead.decision.reason,
        late=lead.decision.late,
        route="observed, nothing is sent" if lead.decision.observed else _ROUTES[route],
        fields=[] if route is Route.NOTHING and not lead.decision.observed else fields,
        data_hash=lead.data_hash,
        decided_by=lead.claim.override.decided_by if lead.claim.override else None,
        held_back="while paused" if lead.decision.paused else "beyond the budget" if lead.decision.capped else None,
    )


def _written_like(value: object) -> str:
    """Show how a value is written onto the lead, and not what it says."""
    try:
        return shape_of(field_value(value))
    except ValueError as error:
        return f"(cannot be written: {error})"


_ROUTES = {
    Route.NOTHING: "nothing to send",
    Route.UPDATE: "update",
    Route.UPDATE_AND_ACT: "update and act in one request",
    Route.UPDATE_FIRST: "update, then update and act in one request",
    Route.UPDATE_THEN_ACT: "update, then act",
    Route.ACT: "act",
    Route.EVIDENCE: "a probe: an act may have been taken before",
}
