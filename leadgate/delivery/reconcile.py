"""What became of acts that nothing proves, found out by evidence: the update alone is sent again, as a probe.

A lead that LeadByte no longer has may have left by our act. That one is still there proves nothing by itself: the act
may be in a queue, or LeadByte may update leads that have left. So a control goes with the probes, a lead that LeadByte
said it queued: only where that one is gone, and the act is old enough, was it not taken. A probe carries no act.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadgate.config import PipelineConfig
from leadgate.delivery.controls import ControlRequest, Controls
from leadgate.delivery.evidence import Evidence
from leadgate.delivery.exchange import Exchange, Parcel
from leadgate.leadbyte.wording import Said
from leadgate.ledger.claims import give_to_person
from leadgate.ledger.unknown import claim_unknown, read_kept, settle_kept
from leadgate.model import ACTED, Action, Answer, Attempt, InDoubt, LeadRequest, Outcome, State
from leadgate.source import Source

_CLAIMED_AT_ONCE = 1000

_TAUGHT = "LeadByte's answer is understood by leadbyte.sentences"
_NOTHING_TO_PROBE = (
    "an act may have been taken, and there is no field to probe with: look the lead up in LeadByte, "
    "or give all leads one, such as `update: {data20: {text: leadgate}}`"
)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many unknown leads a pass looked at, and the ids that were settled by inference."""

    probed: int
    inferred: Sequence[str]


class Reconciliation:
    """Settles the unknown leads of one run that are due.

    `wanted` is the shape of words of which it is to be learned what they mean, once the run looks into doubts.
    """

    def __init__(
        self, config: PipelineConfig, source: Source, exchange: Exchange, *, wanted: str | None = None
    ) -> None:
        self._config = config
        self._ledger = exchange.ledger
        self._exchange = exchange
        self._sentences = exchange.sentences
        self._wanted = wanted
        self.controls = Controls(config, source, exchange.ledger)

    async def reconcile_due(self) -> Reconciled:
        """Probe every unknown lead whose time has come, but none while observing; raise as `Exchange.send` does."""
        self.controls.wanted, self._wanted = self._wanted or self.controls.wanted, None
        await self._ledger.aside(self._settle_taught)
        if self._config.delivery.observe:
            return Reconciled(0, [])
        probed = 0
        inferred: list[str] = []
        while claimed := await self._ledger.aside(self._claim):
            probed += len(claimed)
            doubts = {doubt.claim.lead_id: doubt for doubt in claimed}
            for parcels, controls in await self._ledger.aside(self._parcels, claimed):
                evidence = Evidence(self._config.delivery, controls)

                def judge(attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
                    outcome = evidence.outcome_of(doubts[answer.lead_id], attempt, answer, now)  # noqa: B023 - used at once
                    if outcome.inferred:
                        inferred.append(answer.lead_id)
                    return outcome

                await self._exchange.send(parcels, judge, evidence.hear)
                await self._ledger.aside(self.controls.note, evidence.heard)
            if len(claimed) < _CLAIMED_AT_ONCE:
                break
        return Reconciled(probed, inferred)

    def _settle_taught(self) -> None:
        """Settle leads in doubt whose answer is understood by now, since its sentence was taught."""
        if not self._sentences.has_taught:
            return
        ids_by_state: dict[State, list[str]] = {}
        for kept in read_kept(self._ledger):
            meaning = self._sentences.of_shape(kept.shape, kept.action)
            if meaning is not Said.UNKNOWN:
                state = {Said.TAKEN: ACTED[kept.action], Said.GONE: State.GONE}.get(meaning, State.REVIEW)
                ids_by_state.setdefault(state, []).append(kept.lead_id)
        for state, ids in ids_by_state.items():
            moved = settle_kept(self._ledger, ids, state, note=_TAUGHT, now=self._ledger.now())
            self._exchange.tally.went[state] += len(moved)

    def _claim(self) -> Sequence[InDoubt]:
        lease = self._config.delivery.lease
        return claim_unknown(self._ledger, limit=_CLAIMED_AT_ONCE, lease=lease, now=self._ledger.now())

    def _parcels(self, claimed: Sequence[InDoubt]) -> list[tuple[list[Parcel], Sequence[ControlRequest]]]:
        """Gather probes by the controls that go with them; who was probed in vain before goes in smaller parcels."""
        payloads = self.controls.payloads(doubt.claim.lead_id for doubt in claimed)
        hopeless = [doubt.claim for doubt in claimed if doubt.claim.lead_id not in payloads]
        if hopeless:
            give_to_person(self._ledger, hopeless, note=_NOTHING_TO_PROBE)
        self._exchange.tally.went[State.REVIEW] += len(hopeless)
        groups: dict[tuple[Action, datetime], list[InDoubt]] = {}
        for doubt in claimed:
            if doubt.claim.lead_id in payloads:
                groups.setdefault((doubt.action, doubt.since), []).append(doubt)
        by_control: dict[str, tuple[list[ControlRequest], dict[int, list[Attempt]]]] = {}
        for (action, since), doubts in groups.items():
            controls = self.controls.best(action, since)
            name = controls[0].control.lead_id if controls else ""
            _, sizes = by_control.setdefault(name, (controls, {}))
            for doubt in doubts:
                size = max(1, self._config.leadbyte.batch_size // 4**doubt.probes)
                # No hash: the update goes again with the act, in case the act has to be sent again.
                probe = Attempt(doubt.claim, LeadRequest(doubt.claim.lead_id, payloads[doubt.claim.lead_id]), None)
                sizes.setdefault(size, []).append(probe)
        return [(_packed(sizes, controls), controls) for controls, sizes in by_control.values()]


def _packed(sizes: Mapping[int, Sequence[Attempt]], controls: Sequence[ControlRequest]) -> list[Parcel]:
    requests = [each.request for each in controls]
    return [
        Parcel(probes[start : start + size], requests)
        for size, probes in sizes.items()
        for start in range(0, len(probes), size)
    ]
