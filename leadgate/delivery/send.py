"""How a wave is sent: each lead by its route, updates before acts. The protocol itself is in exchange.py."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from leadgate.config import PipelineConfig
from leadgate.delivery.controls import Controls, Heard, heard_of
from leadgate.delivery.exchange import Exchange, Parcel
from leadgate.delivery.outcomes import Outcomes
from leadgate.delivery.routes import Route, act_parcels, route_of, update_parcels
from leadgate.ledger.sending import conclude
from leadgate.model import Answer, Conclusion, Decided, State, Verdict

_OBSERVED_FOR = timedelta(days=3650)
"""Until its data or the rules change, or until observing is over: see leadgate.ledger.observed."""
_MAY_BE = "an act may have been sent before this ledger knew of the lead: it is looked for evidence"


class Delivery:
    """Sends the waves of one run."""

    def __init__(self, config: PipelineConfig, exchange: Exchange, controls: Controls | None = None) -> None:
        self._config = config
        self._exchange = exchange
        self._controls = controls
        self._judge = Outcomes(config.delivery, config.policy.hold_for).outcome_of

    async def update(self, wave: Sequence[Decided]) -> list[Decided]:
        """Send every update that goes without an act; return the leads that are to be acted on now.

        Raises KeyRefused or LeadByteUnavailable when the rest of the run is to be left for later.
        """
        by_route = self._by_route(wave)
        await self._exchange.ledger.aside(self._conclude, by_route[Route.NOTHING] + by_route[Route.EVIDENCE])
        first = by_route[Route.UPDATE_FIRST] + by_route[Route.UPDATE_THEN_ACT]
        alone = by_route[Route.UPDATE] + first
        size = self._config.leadbyte.batch_size
        written = await self._send_updates(update_parcels(alone, size, with_act=False))
        taken = [lead for lead in first if lead.claim.lead_id in written]
        return by_route[Route.UPDATE_AND_ACT] + by_route[Route.ACT] + taken

    async def _send_updates(self, parcels: Sequence[Parcel]) -> set[str]:
        """Send updates, the first with a control where one is to teach what LeadByte says of leads that have left."""
        lesson = await self._exchange.ledger.aside(self._controls.take_lesson) if self._controls and parcels else []
        if not (self._controls and lesson):
            return await self._exchange.send(parcels, self._judge)
        first, *others = parcels
        never_acted_on = {each.claim.lead_id for each in first.attempts if not each.claim.doubt_since}
        heard: list[Heard] = []

        def hear(answers: Sequence[Answer], beside: Sequence[Answer]) -> None:
            is_updated = any(answer.updated and answer.lead_id in never_acted_on for answer in beside)
            heard.extend(heard_of(lesson[0], answer, beside_updated=is_updated) for answer in answers)

        with_control = replace(first, controls=[lesson[0].request])
        written = await self._exchange.send([with_control, *others], self._judge, hear)
        await self._exchange.ledger.aside(self._controls.note, heard)
        return written

    async def act(self, wave: Sequence[Decided]) -> None:
        """Process or reject every lead of the wave: by PUT with its update, or by POST.

        Raises as `update` does.
        """
        by_route = self._by_route(wave)
        by_put = by_route[Route.UPDATE_AND_ACT] + by_route[Route.UPDATE_FIRST]
        by_post = by_route[Route.UPDATE_THEN_ACT] + by_route[Route.ACT]
        together = update_parcels(by_put, self._config.leadbyte.batch_size, with_act=True)
        await self._exchange.send([*together, *act_parcels(by_post)], self._judge)

    def _by_route(self, wave: Sequence[Decided]) -> dict[Route, list[Decided]]:
        routes: dict[Route, list[Decided]] = {route: [] for route in Route}
        for lead in wave:
            routes[route_of(lead, self._config.delivery.mode)].append(lead)
        return routes

    def _conclude(self, leads: Sequence[Decided]) -> None:
        now = self._exchange.ledger.now()
        held_until = now + self._config.policy.hold_for
        conclusions = []
        for lead in leads:
            state, due_at, note = State.REVIEW, None, lead.decision.reason
            if lead.again_at:
                state, due_at = State.READY, lead.again_at
            elif lead.decision.verdict is Verdict.HOLD:
                state, due_at = State.READY if lead.decision.paused else State.WAITING, held_until
            elif lead.decision.observed:
                state, due_at = State.WAITING, now + _OBSERVED_FOR
            elif since := lead.claim.doubt_since if lead.decision.verdict.action else None:
                asked_at = min(now, since) + self._config.delivery.unknown_after
                state, due_at, note = State.UNKNOWN, max(now, asked_at), _MAY_BE
            seen = lead.see() if state is State.REVIEW else None
            conclusions.append(Conclusion(lead.claim, lead.decision, state, due_at, note, seen))
        conclude(self._exchange.ledger, conclusions, now=now)
        self._exchange.tally.went.update(each.state for each in conclusions if not each.decision.observed)
