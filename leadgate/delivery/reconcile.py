"""What became of acts that nobody answered, found out by evidence: the update alone is sent again, as a probe.

If LeadByte takes it, the lead is still in quarantine, so the act was not taken. If LeadByte no longer has the lead,
the act was. A probe carries no act, so sending it again does no harm.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadgate.config import PipelineConfig
from leadgate.delivery.exchange import Batch, Exchange, Part
from leadgate.delivery.prepare import fields_to_write
from leadgate.ledger import Ledger
from leadgate.model import (
    Action,
    Answer,
    Attempt,
    Certainty,
    InDoubt,
    LeadRequest,
    Outcome,
    RequestKind,
    Result,
    State,
)
from leadgate.source import Source

PROBES = 5
"""Probes without an answer before a person is asked."""
_CLAIMED_AT_ONCE = 1000
_SOON = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_SETTLED = {Action.PROCESS: State.PROCESSED, Action.REJECT: State.REJECTED}

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

    def __init__(
        self,
        *,
        config: PipelineConfig,
        source: Source,
        ledger: Ledger,
        exchange: Exchange,
        clock: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._source = source
        self._ledger = ledger
        self._exchange = exchange
        self._clock = clock

    async def reconcile_due(self) -> Reconciled:
        """Probe every unknown lead whose grace is over; raise as `Exchange.send` does."""
        probed = 0
        inferred: list[str] = []
        while claimed := await asyncio.to_thread(self._claim):
            probed += len(claimed)
            doubts = {doubt.claim.lead_id: doubt for doubt in claimed}

            def judge(_part: Part, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
                outcome = self.outcome_of(doubts[answer.lead_id], attempt, answer, now)  # noqa: B023 - used at once
                if outcome.inferred:
                    inferred.append(answer.lead_id)
                return outcome

            await self._exchange.send(await asyncio.to_thread(self._batches, claimed), judge)
        return Reconciled(probed, inferred)

    def _claim(self) -> list[InDoubt]:
        lease = self._config.delivery.lease
        return self._ledger.claim_unknown(limit=_CLAIMED_AT_ONCE, lease=lease, now=self._clock())

    def _batches(self, claimed: Sequence[InDoubt]) -> list[Batch]:
        """Gather probes; leads that were probed in vain before go in ever smaller batches, in case one is the cause."""
        enrichments = self._source.enrichments([doubt.claim.lead_id for doubt in claimed])
        by_size: dict[int, list[Part]] = {}
        for doubt in claimed:
            enrichment = enrichments.get(doubt.claim.lead_id)
            fields = fields_to_write(self._config.update, enrichment) or self._config.delivery.probe_with
            if fields and self._config.delivery.unknown == "probe":
                size = max(1, self._config.leadbyte.batch_size // 4**doubt.probes)
                by_size.setdefault(size, []).append(_probe(doubt, fields))
        probed = {part.claim.lead_id for parts in by_size.values() for part in parts}
        hopeless = [doubt.claim for doubt in claimed if doubt.claim.lead_id not in probed]
        self._ledger.give_to_person(hopeless, note=_NOTHING_TO_PROBE)
        self._exchange.tally[State.REVIEW] += len(hopeless)
        return [parts[start : start + size] for size, parts in by_size.items() for start in range(0, len(parts), size)]

    def outcome_of(self, doubt: InDoubt, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
        """Say what a probe's answer makes of an unknown lead."""

        def outcome(
            result: Result, state: State, due_at: datetime | None, note: str, *, inferred: bool = False
        ) -> Outcome:
            return Outcome(attempt, result, answer.http_status, answer.message, state, due_at, note, inferred=inferred)

        if answer.gone:
            note = f"inferred: LeadByte no longer has it in quarantine, so the {doubt.action} was taken"
            return outcome(Result.GONE, _SETTLED[doubt.action], None, note, inferred=True)
        if answer.updated:
            if doubt.acts >= self._config.delivery.attempts:
                note = f"sent {doubt.acts} times without an answer, and still in quarantine"
                return outcome(Result.TAKEN, State.REVIEW, None, note)
            note = f"a probe found it still in quarantine: the {doubt.action} was not taken"
            return outcome(Result.TAKEN, State.READY, now, note)
        if answer.transient and answer.certainty is Certainty.REFUSED:
            return outcome(Result.REFUSED, State.UNKNOWN, max(answer.retry_at or now, now + _SOON), answer.message)
        if doubt.probes + 1 >= PROBES:
            note = f"{PROBES} probes told nothing; the last: {answer.message}"
            return outcome(Result.IN_DOUBT, State.REVIEW, None, note)
        wait = min(_LONGEST_WAIT, self._config.delivery.unknown_after * (1 << doubt.probes))
        return outcome(Result.IN_DOUBT, State.UNKNOWN, now + wait, answer.message)


def _probe(doubt: InDoubt, fields: Mapping[str, Any]) -> Part:
    request = LeadRequest(doubt.claim.lead_id, fields)
    # No hash: the update goes again with the act, in case the act has to be sent again.
    return Part(doubt.claim, request, RequestKind.PROBE, None, None)
