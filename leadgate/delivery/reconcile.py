"""What became of acts that nobody answered, found out by evidence: the update alone is sent again, as a probe.

If LeadByte takes it, the lead is still in quarantine, so the act was not taken. If LeadByte no longer has the lead,
the act was. A probe carries no act, so sending it again does no harm.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgate.config import PipelineConfig
from leadgate.delivery.exchange import Batch, Exchange
from leadgate.delivery.outcomes import ACTED, answered
from leadgate.delivery.prepare import fields_to_write
from leadgate.ledger.claims import give_to_person
from leadgate.ledger.unknown import claim_unknown
from leadgate.model import Answer, Attempt, Certainty, InDoubt, LeadRequest, Outcome, Result, State
from leadgate.source import Source

PROBES = 5
"""Probes without an answer before a person is asked."""
_CLAIMED_AT_ONCE = 1000
_SOON = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)

_NOTHING_TO_PROBE = (
    "the act got no answer, and there is no field to probe with: look the lead up in LeadByte, "
    "or set delivery.probe_with"
)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many unknown leads a pass looked at, and the ids that were settled by inference."""

    probed: int
    inferred: Sequence[str]


class Reconciliation:
    """Settles the unknown leads of one run that are due."""

    def __init__(self, config: PipelineConfig, source: Source, exchange: Exchange) -> None:
        self._config = config
        self._source = source
        self._ledger = exchange.ledger
        self._exchange = exchange

    async def reconcile_due(self) -> Reconciled:
        """Probe every unknown lead whose grace is over; raise as `Exchange.send` does."""
        probed = 0
        inferred: list[str] = []
        while claimed := await asyncio.to_thread(self._claim):
            probed += len(claimed)
            doubts = {doubt.claim.lead_id: doubt for doubt in claimed}

            def judge(attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
                outcome = self.outcome_of(doubts[answer.lead_id], attempt, answer, now)  # noqa: B023 - used at once
                if outcome.inferred:
                    inferred.append(answer.lead_id)
                return outcome

            await self._exchange.send(await asyncio.to_thread(self._batches, claimed), judge)
        return Reconciled(probed, inferred)

    def _claim(self) -> Sequence[InDoubt]:
        lease = self._config.delivery.lease
        return claim_unknown(self._ledger, limit=_CLAIMED_AT_ONCE, lease=lease, now=self._ledger.now())

    def _batches(self, claimed: Sequence[InDoubt]) -> list[Batch]:
        """Gather probes; leads that were probed in vain before go in ever smaller batches, in case one is the cause."""
        enrichments = self._source.enrichments([doubt.claim.lead_id for doubt in claimed])
        by_size: dict[int, list[Attempt]] = {}
        for doubt in claimed:
            enrichment = enrichments.get(doubt.claim.lead_id)
            fields = fields_to_write(self._config.update, enrichment) or self._config.delivery.probe_with
            if fields and self._config.delivery.unknown == "probe":
                size = max(1, self._config.leadbyte.batch_size // 4**doubt.probes)
                # No hash: the update goes again with the act, in case the act has to be sent again.
                probe = Attempt(doubt.claim, LeadRequest(doubt.claim.lead_id, fields), decision=None)
                by_size.setdefault(size, []).append(probe)
        probed = {probe.claim.lead_id for probes in by_size.values() for probe in probes}
        hopeless = [doubt.claim for doubt in claimed if doubt.claim.lead_id not in probed]
        if hopeless:
            give_to_person(self._ledger, hopeless, note=_NOTHING_TO_PROBE)
        self._exchange.tally.went[State.REVIEW] += len(hopeless)
        return [some[start : start + size] for size, some in by_size.items() for start in range(0, len(some), size)]

    def outcome_of(self, doubt: InDoubt, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
        """Say what a probe's answer makes of an unknown lead."""
        build = answered(attempt, answer)
        if answer.gone:
            note = f"inferred: LeadByte no longer has it in quarantine, so the {doubt.action} was taken"
            return build(Result.GONE, ACTED[doubt.action], note=note, inferred=True)
        if answer.updated:
            if doubt.acts >= self._config.delivery.attempts:
                note = f"sent {doubt.acts} times without an answer, and still in quarantine"
                return build(Result.TAKEN, State.REVIEW, note=note)
            note = f"a probe found it still in quarantine: the {doubt.action} was not taken"
            return build(Result.TAKEN, State.READY, due_at=now, note=note)
        if answer.transient and answer.certainty is Certainty.REFUSED:
            due_at = max(answer.retry_at or now, now + _SOON)
            return build(Result.REFUSED, State.UNKNOWN, due_at=due_at, note=answer.message)
        if doubt.probes + 1 >= PROBES:
            note = f"{PROBES} probes told nothing; the last: {answer.message}"
            return build(Result.IN_DOUBT, State.REVIEW, note=note)
        wait = min(_LONGEST_WAIT, self._config.delivery.unknown_after * (1 << doubt.probes))
        return build(Result.IN_DOUBT, State.UNKNOWN, due_at=now + wait, note=answer.message)
