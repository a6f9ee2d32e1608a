"""How a wave is sent: each lead by its route, updates before acts. The protocol itself is in exchange.py."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from leadgate.config import PipelineConfig
from leadgate.delivery.exchange import Exchange, Part
from leadgate.delivery.outcomes import Outcomes
from leadgate.delivery.routes import Route, act_batches, route_of, update_batches
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger
from leadgate.model import Answer, Attempt, Conclusion, Decided, Outcome, State, Verdict
from leadgate.stopping import Stop


class Delivery:
    """Sends the waves of one run and counts, by state, where its leads went."""

    def __init__(
        self,
        *,
        config: PipelineConfig,
        ledger: Ledger,
        client: LeadByteClient,
        clock: Callable[[], datetime],
        stop: Stop | None = None,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._clock = clock
        self._outcomes = Outcomes(config.delivery, config.policy.hold_for)
        self.exchange = Exchange(
            config=config, ledger=ledger, client=client, clock=clock, stop=Stop() if stop is None else stop
        )

    @property
    def tally(self) -> Counter[State]:
        """Where the leads of this run went."""
        return self.exchange.tally

    async def update(self, wave: Sequence[Decided]) -> list[Decided]:
        """Send every update that goes without an act; return the leads that are to be acted on now.

        Raises KeyRefused or LeadByteUnavailable when the rest of the run is to be left for later.
        """
        by_route = self._by_route(wave)
        await asyncio.to_thread(self._conclude, by_route[Route.NOTHING])
        first = by_route[Route.UPDATE_THEN_ACT]
        alone = by_route[Route.UPDATE] + first
        written = await self.exchange.send(
            update_batches(alone, self._config.leadbyte.batch_size, with_act=False), self._judge
        )
        # What has been written is not written again with the act.
        then = [replace(lead, update={}) for lead in first if lead.claim.lead_id in written]
        return by_route[Route.UPDATE_AND_ACT] + by_route[Route.ACT] + then

    async def act(self, wave: Sequence[Decided]) -> None:
        """Process or reject every lead of the wave, together with its update where that is not written yet.

        Raises as `update` does.
        """
        by_route = self._by_route(wave)
        together = update_batches(by_route[Route.UPDATE_AND_ACT], self._config.leadbyte.batch_size, with_act=True)
        await self.exchange.send([*together, *act_batches(by_route[Route.ACT])], self._judge)

    def _by_route(self, wave: Sequence[Decided]) -> dict[Route, list[Decided]]:
        routes: dict[Route, list[Decided]] = {route: [] for route in Route}
        for lead in wave:
            routes[route_of(lead, self._config.delivery.mode)].append(lead)
        return routes

    def _conclude(self, leads: Sequence[Decided]) -> None:
        now = self._clock()
        held_until = now + self._config.policy.hold_for
        conclusions = [
            Conclusion(
                lead.claim,
                lead.decision,
                State.READY if lead.decision.paused else State.WAITING,
                held_until,
                lead.decision.reason,
            )
            if lead.decision.verdict is Verdict.HOLD
            else Conclusion(lead.claim, lead.decision, State.REVIEW, note=lead.decision.reason)
            for lead in leads
        ]
        self._ledger.conclude(conclusions, now=now)
        self.tally.update(conclusion.state for conclusion in conclusions)

    def _judge(self, part: Part, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
        assert part.decision is not None  # noqa: S101 - a wave is decided
        return self._outcomes.outcome_of(attempt, answer, part.decision, now=now)
