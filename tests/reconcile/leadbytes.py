"""LeadBytes that are possible by their documentation, and odd."""

import json
from datetime import timedelta
from typing import Any

from leadgate.clock import Clock
from leadgate.model import State
from leadgate.sandbox import Sandbox
from leadgate.sandbox.bodies import DROPPED, Effect, SandboxReply, error_body
from tests.delivery.world import release_brake
from tests.reconcile.world import Reconciling


class LosesActs(Sandbox):
    """Answers updates, and no act on the leads it `loses`: the connection breaks, before or after it is applied."""

    loses: frozenset[str] = frozenset()
    applies = True

    def _spoil_before(self, request: Any, fires: Any) -> SandboxReply | None:  # noqa: ANN401 - as it is there
        lost = None if self.applies else self._lost(request)
        return lost or super()._spoil_before(request, fires)

    async def _do(self, call: Any, request: Any, *rest: Any) -> SandboxReply:  # noqa: ANN401 - as it is there
        reply = await super()._do(call, request, *rest)
        return self._lost(request) or reply

    def _lost(self, request: Any) -> SandboxReply | None:  # noqa: ANN401 - as it is there
        acts = {lead.lead_id for lead in request.asked if lead.action}
        return None if acts.isdisjoint(self.loses) else DROPPED


class Slow(LosesActs):
    """Loses acts, and carries out what it took when it has stood in its queue for ten minutes."""

    QUEUE = timedelta(minutes=10)

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock, lag=self.QUEUE)


class UpdatesAll(LosesActs):
    """Updates every lead it has ever seen, whether it is in quarantine or not."""

    def _apply(self, asked: Any, request: Any) -> Effect:  # noqa: ANN401 - as it is there
        return super()._apply(asked, request) if asked.action else Effect(asked.lead_id, None, updated=True)


class RefusesTogether(LosesActs):
    """Refuses a whole request for one lead that it does not have in quarantine, and does not say for which."""

    def _spoil_before(self, request: Any, fires: Any) -> SandboxReply | None:  # noqa: ANN401 - as it is there
        if any(self.quarantine.find(lead.lead_id) is None for lead in request.asked):
            return SandboxReply(400, error_body("Quarantine lead not found"))
        return super()._spoil_before(request, fires)


class OtherClock(Slow):
    """A slow one whose clock is `behind` ours."""

    behind = timedelta()

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=lambda: clock() - self.behind)


class OtherWords(LosesActs):
    """Takes acts, and says so in words of its own."""

    async def _do(self, call: Any, request: Any, *rest: Any) -> SandboxReply:  # noqa: ANN401 - as it is there
        reply = await super()._do(call, request, *rest)
        words = json.dumps(reply.body).replace("queued for processing", "was accepted for delivery")
        return SandboxReply(reply.status, json.loads(words), reply.headers)


class SaysGoneOtherwise(LosesActs):
    """Says of a lead that has left quarantine what nobody knows."""

    WORDS = "This item is with the buyer since 12"
    SHAPE = "this … is with the … {n}"

    async def _do(self, call: Any, request: Any, *rest: Any) -> SandboxReply:  # noqa: ANN401 - as it is there
        reply = await super()._do(call, request, *rest)
        words = json.dumps(reply.body).replace("Quarantine lead not found", self.WORDS)
        return SandboxReply(reply.status, json.loads(words), reply.headers)


class UpdatesNothing(SaysGoneOtherwise):
    """Says that of every lead whose update goes without its act, once it is `stuck`."""

    stuck = False

    async def _do(self, call: Any, request: Any, *rest: Any) -> SandboxReply:  # noqa: ANN401 - as it is there
        if self.stuck and not any(lead.action for lead in request.asked):
            asked = [lead.lead_id for lead in request.asked]
            entries = [{"quarantineId": lead_id, "success": False, "message": self.WORDS} for lead_id in asked]
            return SandboxReply(200, {"status": "Success", "message": "OK", "leads": entries})
        return await super()._do(call, request, *rest)


async def lose_act(world: Reconciling, *ids: str, applied: bool, **run: Any) -> None:  # noqa: ANN401 - what `run` takes
    """Let leads be acted on without an answer, once; their updates were answered."""
    assert isinstance(world.sandbox, LosesActs)
    run["delivery"] = {"mode": "update_first"} | run.get("delivery", {})
    release_brake(world.ledger)
    world.arrive(*ids)
    world.sandbox.loses, world.sandbox.applies = frozenset(ids), applied
    await world.run(**run)
    world.sandbox.loses = frozenset()
    assert set(world.states(ids).values()) == {State.UNKNOWN}
