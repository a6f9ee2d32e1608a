"""Runs over a pipeline, one after the other or two that meet, against a LeadByte to practise on."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from leadgate.delivery import Delivery, Exchange, PlanKeeper, Preparation, Reconciliation
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger, claims, people
from leadgate.ledger.history import read_history
from leadgate.model import Chosen, Resolution, Resolved
from leadgate.sandbox import Sandbox
from leadgate.story import tell
from tests.intake.pipeline import Pipeline

HOLD_FOR = timedelta(hours=1)
Sections = dict[str, dict[str, Any]]


class Runs:
    """A pipeline with its LeadByte; leads with a score under 0.5 go to review."""

    def __init__(self, pipeline: Pipeline, sandbox: Sandbox) -> None:
        self.pipeline, self.sandbox = pipeline, sandbox

    def review(self, *ids: int) -> None:
        """Put leads into review: their data is complete, and no rule matches."""
        self.pipeline.quarantine(*ids)
        for lead_id in ids:
            self.pipeline.arrive(lead_id, score=0.3)
        self.run()

    def resolve(
        self,
        *ids: int,
        verdict: str = "process",
        by: str = "ann",
        where: str | None = None,
        ledger: Ledger | None = None,
        reason: str = "I called them.",
        chosen: Chosen | None = None,
        still_in_quarantine: bool = False,
        proven_after: timedelta = timedelta(),
    ) -> Resolved:
        """Let a person decide."""
        return people.resolve(
            ledger or self.pipeline.ledger,
            chosen or Chosen([str(lead_id) for lead_id in ids]),
            Resolution(verdict),
            reason=reason,
            by=by,
            where=where,
            hold_for=HOLD_FOR,
            now=self.pipeline.clock(),
            still_in_quarantine=still_in_quarantine,
            proven_after=proven_after,
        )

    def run(
        self,
        *,
        ledger: Ledger | None = None,
        keeper: PlanKeeper | None = None,
        between: Callable[[], object] = lambda: None,
        sections: Mapping[str, dict[str, Any]] = MappingProxyType({}),
    ) -> None:
        """Look, reconcile and send as a run does; `between` happens after each wave is decided, before it is sent."""
        ledger = ledger or self.pipeline.ledger
        if ledger is self.pipeline.ledger:
            self.pipeline.look(**sections)
        config, source = self.pipeline.config(**sections), self.pipeline.source
        policy = self.pipeline.policy(**sections)
        preparation = Preparation(config=config, source=source, ledger=ledger, policy=policy)
        if keeper:
            preparation.follow(keeper)

        async def deliver() -> None:
            async with self.client() as client:
                exchange = Exchange(config=config, ledger=ledger, client=client)
                delivery = Delivery(config, exchange)
                if not keeper:
                    await Reconciliation(config, source, exchange).reconcile_due()
                while wave := preparation.claim_wave(100):
                    between()
                    await delivery.act(await delivery.update(wave))

        try:
            asyncio.run(deliver())
        finally:
            claims.release(ledger, now=self.pipeline.clock())

    def client(self) -> LeadByteClient:
        """A client of the sandbox."""
        return LeadByteClient(
            base_url=self.sandbox.url,
            api_key=SecretStr(self.sandbox.key),
            timeout=timedelta(seconds=5),
            concurrency=4,
            clock=self.pipeline.clock,
        )

    def acted(self) -> dict[str, list[str]]:
        """Every act that LeadByte saw, by lead."""
        return {lead_id: [act.action.value for act in acts] for lead_id, acts in self.sandbox.quarantine.acts.items()}

    def updates(self) -> list[str]:
        """The leads that were written to without an act, in order."""
        return [each.lead_id for exchange in self.sandbox.requests for each in exchange.asked if not each.action]

    def story(self, lead_id: str) -> str:
        """What `leadgate explain` tells of a lead."""
        history = read_history(self.pipeline.ledger, lead_id)
        assert history
        told = tell(history, self.pipeline.config())
        return "\n".join([*(event.what for event in told.events), told.now])
