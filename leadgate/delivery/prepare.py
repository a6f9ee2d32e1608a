"""How a wave is made: claim what is due, read it once more from the source, decide, and build what to write."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from leadgate.config import PipelineConfig
from leadgate.ledger import Ledger
from leadgate.model import Claim, Decided, Decision, Enrichment, Lead, Look, Verdict, fingerprint
from leadgate.policy import Policy
from leadgate.source import Source


class Preparation:
    """Makes the waves of one run, and counts its rejects against the cap."""

    def __init__(
        self, *, config: PipelineConfig, source: Source, ledger: Ledger, policy: Policy, clock: Callable[[], datetime]
    ) -> None:
        self._config = config
        self._source = source
        self._ledger = ledger
        self._policy = policy
        self._clock = clock
        self._cap = RejectCap(config.safety.max_rejects_per_run)

    @property
    def capped(self) -> int:
        """Leads that went to a person because the run had rejected as many as it may."""
        return self._cap.capped

    def claim_wave(self, limit: int) -> list[Decided]:
        """Claim and decide up to `limit` leads; an empty list where none is due.

        A lead whose data is no longer complete goes back to waiting instead. Raises SourceUnavailable after giving
        the claims back.
        """
        decided: list[Decided] = []
        while not decided:
            now = self._clock()
            claims = self._ledger.claim(limit=limit, lease=self._config.delivery.lease, now=now)
            if not claims:
                break
            try:
                decided, incomplete = decide_claims(
                    claims, config=self._config, source=self._source, policy=self._policy, now=now
                )
                for claim, look in incomplete:
                    self._ledger.reopen(claim, look)
            except BaseException:
                self._ledger.release(now=now)
                raise
        return [self._cap.apply(lead) for lead in decided]


class RejectCap:
    """Lets one run reject so many leads; those beyond go to a person."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit
        self.capped = 0

    def apply(self, lead: Decided) -> Decided:
        """Give the lead as it was decided, or for review where it is one reject too many."""
        if lead.decision.verdict is not Verdict.REJECT:
            return lead
        if self._left > 0:
            self._left -= 1
            return lead
        self.capped += 1
        reason = (
            f"{lead.decision.reason} (For a person: this run had rejected {self._limit} leads, "
            "its safety.max_rejects_per_run.)"
        )
        return replace(lead, decision=replace(lead.decision, verdict=Verdict.REVIEW, reason=reason))


def decide_claims(
    claims: Sequence[Claim], *, config: PipelineConfig, source: Source, policy: Policy, now: datetime
) -> tuple[list[Decided], list[tuple[Claim, Look]]]:
    """Decide each lead by what the source says now; apart from them, those whose data is no longer complete."""
    ids = [claim.lead_id for claim in claims]
    leads = source.leads(ids) if policy.reads.lead else {}
    enrichments = source.enrichments(ids)
    decided: list[Decided] = []
    incomplete: list[tuple[Claim, Look]] = []
    for claim in claims:
        lead = leads.get(claim.lead_id) or Lead(claim.lead_id, claim.quarantined_at)
        enrichment = enrichments.get(claim.lead_id)
        missing = enrichment.missing(config.wait.require) if enrichment else config.wait.require
        if missing and not claim.late:
            data_hash = fingerprint(enrichment.columns) if enrichment else None
            incomplete.append((claim, Look(claim.lead_id, missing, data_hash, due=False)))
            continue
        decision = policy.decide(lead, enrichment, late=bool(missing), now=now)
        decided.append(_with_update(claim, decision, fields_to_write(config.update, enrichment)))
    return decided, incomplete


def _with_update(claim: Claim, decision: Decision, update: dict[str, Any]) -> Decided:
    payload_hash = fingerprint(update) if update else None
    return Decided(claim, decision, {} if payload_hash == claim.updated_hash else update, payload_hash)


def fields_to_write(mapping: Mapping[str, str], enrichment: Enrichment | None) -> dict[str, Any]:
    """The LeadByte fields of one lead and their values; a null is left out, so that it overwrites nothing."""
    columns = enrichment.columns if enrichment else {}
    return {field: columns[column] for field, column in mapping.items() if columns.get(column) is not None}
