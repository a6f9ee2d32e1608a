"""What became of acts that nothing proves, found out by evidence: the update alone is sent again, as a probe.

A lead that LeadByte no longer has may have left by our act. That one is still there proves nothing by itself: the act
may be in a queue, or LeadByte may update leads that have left. So a control goes with the probes, a lead that LeadByte
said it queued: only where that one is gone, and the act is old enough, was it not taken. A probe carries no act.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadgate.config import PipelineConfig
from leadgate.delivery.evidence import ControlRequest, Evidence
from leadgate.delivery.exchange import Exchange, Parcel
from leadgate.delivery.prepare import fields_to_write
from leadgate.leadbyte.wording import Said, Sentences
from leadgate.ledger.claims import give_to_person
from leadgate.ledger.unknown import claim_unknown, find_controls, note_control, read_kept, settle_kept
from leadgate.model import (
    ACTED,
    Action,
    Answer,
    Attempt,
    InDoubt,
    LeadRequest,
    Outcome,
    State,
)
from leadgate.source import Source

_CLAIMED_AT_ONCE = 1000

_TAUGHT = "LeadByte's answer is understood by leadbyte.sentences"
_NOTHING_TO_PROBE = (
    "an act may have been taken, and there is no field to probe with: look the lead up in LeadByte, "
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
        self._sentences = Sentences.of_account(config.leadbyte.sentences)

    async def reconcile_due(self) -> Reconciled:
        """Probe every unknown lead whose time has come; raise as `Exchange.send` does."""
        await asyncio.to_thread(self._settle_taught)
        probed = 0
        inferred: list[str] = []
        while claimed := await asyncio.to_thread(self._claim):
            probed += len(claimed)
            doubts = {doubt.claim.lead_id: doubt for doubt in claimed}
            for parcels, controls in await asyncio.to_thread(self._parcels, claimed):
                evidence = Evidence(self._config.delivery, controls)

                def judge(attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
                    outcome = evidence.outcome_of(doubts[answer.lead_id], attempt, answer, now)  # noqa: B023 - used at once
                    if outcome.inferred:
                        inferred.append(answer.lead_id)
                    return outcome

                await self._exchange.send(parcels, judge, evidence.hear)
                await asyncio.to_thread(self._note_controls, evidence)
            if len(claimed) < _CLAIMED_AT_ONCE:
                break
        return Reconciled(probed, inferred)

    def _settle_taught(self) -> None:
        """Settle leads in doubt whose answer is understood by now, since its sentence was taught."""
        if not self._sentences.has_taught:
            return
        found: dict[State, list[str]] = {}
        for kept in read_kept(self._ledger):
            said = self._sentences.of_shape(kept.shape, kept.action)
            if said is not Said.UNKNOWN:
                state = {Said.TAKEN: ACTED[kept.action], Said.GONE: State.GONE}.get(said, State.REVIEW)
                found.setdefault(state, []).append(kept.lead_id)
        for state, ids in found.items():
            moved = settle_kept(self._ledger, ids, state, note=_TAUGHT, now=self._ledger.now())
            self._exchange.tally.went[state] += len(moved)

    def _claim(self) -> Sequence[InDoubt]:
        lease = self._config.delivery.lease
        return claim_unknown(self._ledger, limit=_CLAIMED_AT_ONCE, lease=lease, now=self._ledger.now())

    def _parcels(self, claimed: Sequence[InDoubt]) -> list[tuple[list[Parcel], Sequence[ControlRequest]]]:
        """Gather probes by the controls that go with them; who was probed in vain before goes in smaller parcels."""
        payloads = self._payloads(doubt.claim.lead_id for doubt in claimed)
        hopeless = [doubt.claim for doubt in claimed if doubt.claim.lead_id not in payloads]
        if hopeless:
            give_to_person(self._ledger, hopeless, note=_NOTHING_TO_PROBE)
        self._exchange.tally.went[State.REVIEW] += len(hopeless)
        groups: dict[tuple[Action, datetime], list[InDoubt]] = {}
        for doubt in claimed:
            if doubt.claim.lead_id in payloads:
                groups.setdefault((doubt.action, doubt.since), []).append(doubt)
        found: dict[str, tuple[list[ControlRequest], dict[int, list[Attempt]]]] = {}
        for (action, since), doubts in groups.items():
            controls = self._controls_for(action, since)
            name = controls[0].control.lead_id if controls else ""
            _, sizes = found.setdefault(name, (controls, {}))
            for doubt in doubts:
                size = max(1, self._config.leadbyte.batch_size // 4**doubt.probes)
                # No hash: the update goes again with the act, in case the act has to be sent again.
                probe = Attempt(doubt.claim, LeadRequest(doubt.claim.lead_id, payloads[doubt.claim.lead_id]), None)
                sizes.setdefault(size, []).append(probe)
        return [(_packed(sizes, controls), controls) for controls, sizes in found.values()]

    def _payloads(self, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """What is sent to probe each lead; those with nothing to send are left out."""
        ids = list(ids)
        if self._config.delivery.unknown != "probe":
            return {}
        found = self._source.enrichments(ids)
        written = {lead_id: fields_to_write(self._config.update, found.get(lead_id)) for lead_id in ids}
        return {
            lead_id: fields for lead_id, some in written.items() if (fields := some or self._config.delivery.probe_with)
        }

    def _controls_for(self, action: Action, since: datetime) -> list[ControlRequest]:
        """The best control there is, as a list of one; empty where there is none."""
        controls = find_controls(self._ledger, action, since=since)
        payloads = self._payloads(control.lead_id for control in controls)
        possible = [
            ControlRequest(c, LeadRequest(c.lead_id, payloads[c.lead_id])) for c in controls if c.lead_id in payloads
        ]
        return possible[:1]

    def _note_controls(self, evidence: Evidence) -> None:
        for asked, result, message, shape in evidence.heard:
            now = self._ledger.now()
            words = {"message": message, "shape": shape}
            note_control(self._ledger, asked.control, result, request_id=secrets.token_hex(8), **words, now=now)


def _packed(sizes: Mapping[int, Sequence[Attempt]], controls: Sequence[ControlRequest]) -> list[Parcel]:
    requests = [each.request for each in controls]
    return [
        Parcel(some[start : start + size], requests)
        for size, some in sizes.items()
        for start in range(0, len(some), size)
    ]
