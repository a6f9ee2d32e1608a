"""How a wave is made: claim what is due, read it once more from the source, decide, and build what to write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from leadgate.config import PipelineConfig
from leadgate.delivery.budgets import BudgetKeeper
from leadgate.delivery.drought import DroughtKeeper
from leadgate.delivery.planned import PlanKeeper
from leadgate.ledger import Ledger
from leadgate.ledger.absent import AWAY_FOR
from leadgate.ledger.claims import claim, read_states, release, reopen
from leadgate.ledger.pauses import read_pause
from leadgate.model import (
    Claim,
    Decided,
    Decision,
    Enrichment,
    Fingerprint,
    Lead,
    Look,
    Override,
    Pause,
    Shadow,
    Tally,
    Verdict,
)
from leadgate.policy.data_read import DataRead
from leadgate.policy.deciding import Policy
from leadgate.policy.requirements import Requirements
from leadgate.policy.writing import Update, hold_for_values
from leadgate.source import Source


class Preparation:
    """Makes the waves of one run, within the budgets of acts."""

    def __init__(  # noqa: PLR0913
        self,
        *,
        config: PipelineConfig,
        source: Source,
        ledger: Ledger,
        policy: Policy,
        shadow: Policy | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._decider = Decider(config, source, policy, fingerprint=ledger.fingerprint, shadow=shadow)
        self._restraints = Restraints(config, ledger, Tally() if tally is None else tally)
        self._plan: PlanKeeper | None = None

    def follow(self, plan: PlanKeeper) -> None:
        """Claim the leads of a plan and no others, and give those alone that are still as planned."""
        self._plan = plan

    def claim_wave(self, limit: int) -> list[Decided]:
        """Claim and decide up to `limit` leads; an empty list where none is due.

        A lead whose data is no longer complete goes back to waiting instead. While the pipeline is paused, leads to
        be acted on are held; with delivery.observe each is marked as observed. Raises SourceUnavailable after giving
        the claims back.
        """
        decided: list[Decided] = []
        while not decided:
            now = self._ledger.now()
            pause = read_pause(self._ledger)
            self._restraints.budgets.begin(now)
            ids = self._plan.next_ids(limit) if self._plan else None
            claims = claim(self._ledger, limit=limit, lease=self._config.delivery.lease, now=now, ids=ids)
            if not claims and not ids:
                break
            decided = self._decide(claims, now)
            if self._plan:
                decided = self._plan.in_order(decided)
            decided = self._restraints.apply(decided, pause, now=now)
            if self._plan and ids:
                decided = self._plan.keep(ids, decided, read_states(self._ledger, ids))
        return decided

    def _decide(self, claims: Sequence[Claim], now: datetime) -> list[Decided]:
        try:
            found = self._decider.decide(claims, now)
            for entry, look in found.incomplete:
                reopen(self._ledger, entry, look)
            if found.absent:
                until = now + AWAY_FOR
                release(self._ledger, now=now, ids=[each.lead_id for each in found.absent], until=until)
        except BaseException:
            release(self._ledger, now=now, ids=[each.lead_id for each in claims])
            raise
        return found.decided


class Restraints:
    """What stands between decisions and their acts, for one run: a pause, budgets, and that no lead is complete."""

    def __init__(self, config: PipelineConfig, ledger: Ledger, tally: Tally, *, paper: bool = False) -> None:
        self.budgets = BudgetKeeper(config.safety.budgets, ledger, tally, paper=paper)
        self._drought = DroughtKeeper(config.wait, ledger, tally)
        self._observes = config.delivery.observe

    def apply(self, leads: Sequence[Decided], pause: Pause | None, *, now: datetime) -> list[Decided]:
        """Give leads as they were decided, as far as all of them let the acts through; observed ones go by none."""
        if self._observes:
            return [replace(lead, decision=replace(lead.decision, observed=True)) for lead in leads]
        return self.budgets.apply(self._drought.apply([put_off(lead, pause) for lead in leads], now=now), now=now)


def put_off(lead: Decided, pause: Pause | None) -> Decided:
    """Give the lead as it was decided, or held where a pause forbids the act; its update goes all the same."""
    decision = lead.decision
    if pause is None or not decision.verdict.action:
        return lead
    who = f"{decision.decided_by} decided" if decision.decided_by else "Without the pause it would be"
    reason = f"The pipeline has been {str(pause).rstrip('.')}. {who} {decision.verdict}: {decision.reason}"
    return replace(lead, decision=replace(decision, verdict=Verdict.HOLD, reason=reason, decided_by=None, paused=True))


@dataclass(frozen=True, slots=True)
class FoundOut:
    """What became of some claims: decided, not complete any more, or without a row among the source's leads."""

    decided: list[Decided]
    incomplete: list[tuple[Claim, Look]]
    absent: list[Claim]


class Decider:
    """Decides leads by what the source says of them now, and builds what is written onto each.

    A person's override stands in place of the rules, whether the data is complete or not. The `shadow` rules decide
    beside the live ones, and change nothing.
    """

    def __init__(
        self,
        config: PipelineConfig,
        source: Source,
        policy: Policy,
        *,
        fingerprint: Fingerprint,
        shadow: Policy | None = None,
    ) -> None:
        self._source, self._policy, self._shadow, self._fingerprint = source, policy, shadow, fingerprint
        self._requirements = Requirements(config.wait, source.columns, config.without_values)
        self._update = Update(config.update, source.columns)
        self._read = DataRead(config.source, policy, self._requirements, self._update, fingerprint=fingerprint)
        self._keeps = config.source.leads.left == "keep"
        self._reads_lead = bool(
            policy.reads.lead
            or (shadow and shadow.reads.lead)
            or self._requirements.reads_lead
            or self._update.reads_lead
        )

    def decide(self, claims: Sequence[Claim], now: datetime) -> FoundOut:
        """Decide each lead; apart from them, those whose data is no longer complete, and those without a row.

        A lead without a row is not decided, unless the file says that it is kept.
        """
        ids = [each.lead_id for each in claims]
        leads = self._source.leads(ids) if self._reads_lead else {}
        present = leads.keys() if self._reads_lead or self._keeps else self._source.present(ids)
        enrichments = self._source.enrichments(ids)
        found = FoundOut([], [], [])
        for entry in claims:
            if entry.lead_id not in present and not self._keeps:
                found.absent.append(entry)
                continue
            lead = leads.get(entry.lead_id) or Lead(entry.lead_id, entry.quarantined_at)
            enrichment = enrichments.get(entry.lead_id)
            missing = self._requirements.missing(lead, enrichment)
            if missing and not entry.late and not entry.override:
                data_hash = self._fingerprint(enrichment.columns) if enrichment else None
                deadline = self._requirements.deadline(lead, enrichment)
                look = Look(entry.lead_id, missing, data_hash, due=False, deadline=deadline)
                found.incomplete.append((entry, look))
            else:
                found.decided.append(self._decide(entry, lead, enrichment, missing, now))
        return found

    def _decide(
        self, entry: Claim, lead: Lead, enrichment: Enrichment | None, missing: Sequence[str], now: datetime
    ) -> Decided:
        decision = self._policy.decide(lead, enrichment, late=bool(missing), now=now)
        if entry.override:
            decision = overridden(decision, entry.override)
        elif self._shadow:
            other = self._shadow.decide(lead, enrichment, late=bool(missing), now=now)
            agrees = other.verdict is decision.verdict
            decision = replace(decision, shadow=Shadow(other.verdict, other.rule, other.policy_version, agrees))
        written = self._update.write(lead, enrichment)
        decision = self._read.ask_about_rows(hold_for_values(decision, written), lead)
        update = written.fields
        payload_hash = self._fingerprint(update) if update else None
        hash_read = partial(self._hash_read, lead, enrichment, missing, update)
        is_written = payload_hash is not None and payload_hash == entry.updated_hash
        see = partial(self._read.see, lead, enrichment)
        return Decided(entry, decision, update, payload_hash, is_written, hash_read, see)

    def _hash_read(
        self, lead: Lead, enrichment: Enrichment | None, missing: Sequence[str], update: Mapping[str, Any]
    ) -> str:
        arrived, reads = enrichment.columns if enrichment else {}, self._policy.reads
        read = {
            "lead": {name: lead.columns.get(name) for name in reads.lead},
            "enrichment": {name: arrived.get(name) for name in reads.enrichment} if enrichment else {},
            "missing": list(missing),
            "update": update,
        }
        return self._fingerprint(read)


def overridden(decision: Decision, override: Override) -> Decision:
    """Put a person's word in place of what the rules say; the facts stay."""
    return replace(
        decision,
        verdict=Verdict(override.verdict),
        rule=None,
        reason=override.reason,
        unanswered=(),
        trace=None,
        decided_by=override.decided_by,
    )
