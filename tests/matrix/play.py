"""Plays a cell: a run meets its trouble, then clean runs finish the work."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from leadgate.errors import KeyRefused, LedgerUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger
from leadgate.model import FINAL_STATES, Answer, LeadRequest, RequestKind, State
from leadgate.sandbox import Sandbox
from leadgate.sandbox.faults import FaultName
from tests.delivery.world import Clock
from tests.matrix.cells import OF_ONE_LEAD, Cell, Result, Step, Trouble
from tests.reconcile.world import LATER, Reconciling
from tests.support.audit import audit_ledger, audit_sandbox

T = TypeVar("T")

_TOO_SLOW = 0.3
"""Seconds after which a run hangs up, where LeadByte is to be too slow; it never answers before."""
_MOST_CLEAN_RUNS = 12
_DONE = FINAL_STATES | {State.REVIEW, State.FAILED}


class Killed(BaseException):
    """The process is no more: no handler of it sees this."""


@dataclass
class Plan:
    """The cell's trouble, and whether it has come."""

    cell: Cell
    sandbox: Sandbox
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    killed: bool = False
    gone: bool = False

    def alive(self) -> None:
        """Fail where the process is dead, or the database is not there."""
        if self.killed:
            raise Killed
        if self.gone:
            raise LedgerUnavailable("ledger: cannot be used right now. Run again.")

    def reach(self, step: Step, kind: RequestKind) -> None:
        """Reach a step with a kind of request; the trouble comes if it is the cell's."""
        if (step, kind) != (self.cell.step, self.cell.under_way):
            return
        if self.cell.trouble is Trouble.KILLED:
            self.killed = True
            raise Killed
        if self.cell.trouble is Trouble.EXCEPTION:
            raise ZeroDivisionError("nobody foresaw this")
        self.gone = True

    def switch_on(self, kind: RequestKind) -> None:
        """Let the cell's fault strike this kind of request only."""
        if isinstance(self.cell.trouble, FaultName):
            value = ["2"] if self.cell.trouble in OF_ONE_LEAD else "always"
            self.sandbox.faults.change({self.cell.trouble: value if kind is self.cell.under_way else None})

    def end(self) -> None:
        """Let the trouble be over."""
        self.killed = self.gone = False
        if isinstance(self.cell.trouble, FaultName):
            self.sandbox.faults.change({self.cell.trouble: None})
        self.gate.set()


class TroubledLedger(Ledger):
    """The ledger as the run in trouble sees it."""

    plan: Plan

    def write(self, step: "partial[T]") -> T:
        """Write, unless the process is dead or the database gone; the trouble may come before it or after it."""
        name = step.func.__name__
        if name == "record":
            self.plan.reach(Step.ANSWERED, step.args[1][0].attempt.kind)
        self.plan.alive()
        written = super().write(step)
        match name:
            case "claim":
                self.plan.reach(Step.CLAIMED, RequestKind.UPDATE_AND_ACT)
            case "claim_unknown" if written:
                self.plan.reach(Step.CLAIMED, RequestKind.PROBE)
            case "intend":
                self.plan.reach(Step.INTENDED, step.args[1][0].kind)
            case "record":
                self.plan.reach(Step.RECORDED, step.args[1][0].attempt.kind)
        return written


class TroubledClient(LeadByteClient):
    """LeadByte as the run in trouble sees it."""

    plan: Plan

    async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:
        """Write, and act where it is asked."""
        kind = RequestKind.UPDATE_AND_ACT if requests[0].action else RequestKind.UPDATE
        if self.plan.cell.under_way is RequestKind.PROBE and kind is RequestKind.UPDATE:
            kind = RequestKind.PROBE
        self.plan.switch_on(kind)
        answers = await super().put(requests, before=before)
        self.plan.reach(Step.SENT, kind)
        return answers

    async def act(self, request: LeadRequest, *, before: datetime | None = None) -> Answer:
        """Process or reject."""
        self.plan.switch_on(RequestKind.ACT)
        answer = await super().act(request, before=before)
        self.plan.reach(Step.SENT, RequestKind.ACT)
        return answer


async def play(cell: Cell, folder: Path) -> Result:
    """Let a run meet the cell's trouble, then let clean runs finish; fail if what they leave is not sound."""
    clock = Clock()
    gate = asyncio.Event()

    async def wait_for_the_end(_: float) -> None:
        await gate.wait()

    sandbox = Sandbox(clock=clock, sleep=wait_for_the_end)
    await sandbox.start()
    world = Reconciling(f"sqlite:///{folder / 'leadgate.db'}", sandbox, folder, clock)
    try:
        return await _play(cell, world, Plan(cell, sandbox, gate))
    finally:
        world.close()
        await sandbox.stop()


async def _play(cell: Cell, world: Reconciling, plan: Plan) -> Result:
    separate = cell.under_way in {RequestKind.UPDATE, RequestKind.ACT}
    mode = {"mode": "separate" if separate else "update_first"}
    await world.have_control()
    world.arrive(*cell.leads)
    if cell.under_way is RequestKind.PROBE:
        # Lead 2 was not acted on, the others were; nobody knows it of any.
        world.sandbox.faults.change({"missing-before": ["2"], "missing-after": ["1", "3"]})
        await world.run()
        world.sandbox.faults.change({"missing-before": None, "missing-after": None})
        world.clock.advance(**LATER)
    run = await _meet_trouble(world, plan, mode)
    plan.end()
    await _until_all_is_answered(world)
    right_after = Counter(world.states(cell.leads).values())
    clean_runs = 0
    while set(world.states(cell.leads).values()) - _DONE and clean_runs < _MOST_CLEAN_RUNS:
        world.clock.advance(**LATER)
        await world.run(delivery=mode)
        clean_runs += 1
    audit_ledger(world.ledger.engine, world.clock.now, finished=True)
    audit_sandbox(world.sandbox.quarantine, world.ledger.engine)
    entries = [world.entry(lead_id) for lead_id in cell.leads]
    return Result(
        run=run,
        right_after=right_after,
        states=world.states(cell.leads),
        inferred=sum(entry["inferred"] for entry in entries),
        acts={lead_id: len(world.sandbox.quarantine.acts.get(lead_id, [])) for lead_id in cell.leads},
        attempts=max(entry["refusals"] for entry in entries),
        clean_runs=clean_runs,
    )


async def _meet_trouble(world: Reconciling, plan: Plan, mode: dict[str, str]) -> str:
    """Run into it; say how the run ends."""
    ledger: TroubledLedger = world.next_ledger(TroubledLedger)
    too_slow = plan.cell.trouble in {FaultName.SLOW, FaultName.SLOW_AFTER}
    client = world.client(kind=TroubledClient, timeout=_TOO_SLOW if too_slow else 5)
    assert isinstance(client, TroubledClient)
    ledger.plan = client.plan = plan
    world.sandbox.faults.change({"retry-after": 0})
    claiming = plan.cell.under_way is not RequestKind.PROBE
    try:
        await world.run(ledger=ledger, client=client, claiming=claiming, dies_of=Killed, delivery=mode)
    except Killed:
        return "is dead"
    except (ZeroDivisionError, LedgerUnavailable, KeyRefused):
        return "fails"
    return "goes on"


async def _until_all_is_answered(world: Reconciling) -> None:
    """Wait until LeadByte is there, and has carried out also what nobody waits for any more."""
    await world.reached()
    async with asyncio.timeout(30):
        while len(world.sandbox.requests) < world.sandbox.begun:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.001)
