"""One world from a seed: a possible LeadByte, a dozen leads, workers that die, clocks that jump, people, two days.

Time is simulated: it jumps to what is due next. The first thing that does not hold ends the world.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

from tests.leadbyte.virtual_time import START
from tests.worlds import run_of_a_worker as core
from tests.worlds.door import Door
from tests.worlds.habits import HOUR, QUIET_AFTER, draw_habits
from tests.worlds.happenings import EARLIER, END, Happenings, draw_faults
from tests.worlds.invariants import LOOKED_AT_WITHIN, Facts, Violation, stuck, unseen, violations_of
from tests.worlds.leadbyte import Item, LeadByte, seconds_now
from tests.worlds.memory import MemoryLedger
from tests.worlds.tale import Tale

logger = logging.getLogger(__name__)

_RUN_EVERY, _RUN_AT_LEAST = 300.0, 6 * HOUR
_OPEN = {"ready", "unknown", "sending"}
_SOON = 0.001


@dataclass(frozen=True, slots=True)
class Result:
    """What one world came to; `story` is told where something did not hold."""

    seed: int
    plain: bool
    """Its LeadByte is as documented and as we know it."""
    calm: bool
    """So is it, the line is fair, and nobody lost the ledger."""
    leads: int
    reviews: int
    acts: int
    runs: int
    seconds: float = field(compare=False)
    """Of this machine's time."""
    violation: Violation | None
    story: str


@cache
def memory() -> MemoryLedger:
    """The database of this process."""
    return MemoryLedger()


def play(seed: int) -> Result:
    """Play one world to its end."""
    began = time.process_time()
    with asyncio.Runner(loop_factory=core.WorkerLoop) as runner:
        return runner.run(_play(seed, began))


async def _play(seed: int, began: float) -> Result:
    world = World(seed)
    await world.live()
    return world.result(time.process_time() - began)


class World:
    """Everything of one world."""

    def __init__(self, seed: int) -> None:
        self._seed, self._random = seed, _random(seed, "world")
        self._memory = memory()
        self._memory.empty()
        self._tale = Tale()
        self._habits = draw_habits(_random(seed, "habits"))
        self._leadbyte = LeadByte(self._habits, _random(seed, "leadbyte"), self._tale)
        self._leadbyte.double = self._note_double
        self._config = core.draw_config(self._random)
        self._wave = self._random.choice((3, 50))
        self._faults = draw_faults(self._random)
        self._course = Happenings(_random(seed, "course"), self._memory, self._leadbyte, self._tale)
        self._course.after_each = self._check
        self._runs = 0
        self._reviewed: set[str] = set()
        self._states: dict[str, str] = {}
        self._violation: Violation | None = None

    async def live(self) -> None:
        """Let two days pass."""
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # what dead processes leave behind
        self._tale.tell("", f"{self._habits} {self._config} wave {self._wave} {self._faults}")
        self._course.begin_ledger()
        self._course.plan(self._faults)
        not_before, interval = 0.0, _RUN_EVERY
        while not self._violation and seconds_now() < END:
            due, happens = self._next_due(), self._course.next_at()
            if due is None and happens is None:
                break
            at = END if due is None else max(due, not_before)
            if at > seconds_now():
                await asyncio.sleep(min(at, END if happens is None else happens + _SOON, END) - seconds_now())
            if at > seconds_now():
                continue
            before = self._states
            await self._run_workers()
            self._check()
            interval = _RUN_EVERY if self._states != before else min(2 * interval, HOUR)
            not_before = seconds_now() + interval
        if not self._violation:
            await asyncio.sleep(max(0, END - seconds_now()) + _SOON)
            self._check(at_end=True)

    def _next_due(self) -> float | None:
        """When a run has something to do, in seconds; None where it never has, unless something happens."""
        now, course = seconds_now(), self._course
        found = [now] if course.look_needed else []
        for row in self._memory.rows().values():
            instants = [row.lease_until] if row.state == "sending" else [row.due_at, row.lease_until]
            known = [(each - course.ledger_off - START).total_seconds() for each in instants if each]
            if row.state in _OPEN:
                found.append(min(max(known, default=0), now + _RUN_AT_LEAST))
            elif row.state == "waiting" and known:
                found.append(known[0])
                course.look_needed |= known[0] <= now
        return min(found, default=None)

    async def _run_workers(self) -> None:
        """Let one worker run, and perhaps another beside it."""
        looks, self._course.look_needed = self._course.look_needed, False
        delays = [0.0]
        if self._random.random() < self._faults.second_worker:
            delays.append(self._random.uniform(0, 40))
        await asyncio.gather(*(self._run(delay, looks=looks) for delay in delays))

    async def _run(self, delay: float, *, looks: bool) -> None:
        await asyncio.sleep(delay)
        process, jumps = self._new_process(), self._course.jumps
        self._tale.tell(process.name, f"{process.name} begins")
        self._course.running.add(process)
        random = _random(self._seed, process.name)
        door = Door(self._leadbyte, random, self._tale, self._departure_of(process))
        run = core.run_once(
            process, self._course.open(process), door, self._course.rows, self._config, self._wave, looks=looks
        )
        process.task = asyncio.get_running_loop().create_task(self._watch(process, run))
        with suppress(asyncio.CancelledError):
            await process.task
        if not process.dead and self._course.jumps == jumps:
            self._course.moved_back = timedelta()  # what lies ahead has been corrected
        if process.dead and looks:
            self._course.look_needed = True
        self._course.running.discard(process)
        self._tale.tell(process.name, f"{process.name} {'is killed' if process.dead else 'ends'}")

    async def _watch(self, process: core.Process, run: Coroutine[Any, Any, int]) -> None:
        """Wait for a run; whatever ends it but its death, or the end of the world, is a finding."""
        try:
            waves = await run
        except core.Killed:
            return
        except asyncio.CancelledError:
            if not process.dead:
                raise
        except Exception as error:
            logger.debug("a run failed", exc_info=True)
            self._violated(Violation("run failed", "", f"{process.name}: {type(error).__name__}: {error}"))
        else:
            if waves >= core.MOST_WAVES:
                self._violated(Violation("endless run", "", f"{process.name} made {waves} waves"))

    def _new_process(self) -> core.Process:
        """Begin a process, with what will befall it."""
        random, loop, faults = self._random, asyncio.get_running_loop(), self._faults
        self._runs += 1
        process = core.Process(f"run-{self._runs}")
        if seconds_now() > QUIET_AFTER:
            return process
        if random.random() < faults.kills:
            match random.randrange(10):
                case 0 | 1 | 2 | 3 | 4 | 5:
                    process.commits_left, process.dies_before = random.randint(0, 14), random.random() < 0.5
                case 6 | 7 | 8:
                    loop.call_later(random.uniform(0, 20), process.die)
                case _:
                    loop.call_later(random.uniform(0, 20), process.stop.request, "SIGTERM")
        elif random.random() < faults.hold_ups:
            loop.call_later(random.uniform(0, 10), self._hold_up, process, random.uniform(1, 1500))
        return process

    def _hold_up(self, process: core.Process, seconds: float) -> None:
        self._tale.tell(process.name, f"{process.name} is held up for {seconds:.0f} s")
        process.held_up_until = seconds_now() + seconds

    def _departure_of(self, process: core.Process) -> Callable[[Sequence[Item]], None]:
        """Give what each request of a process passes before it leaves."""

        def depart(items: Sequence[Item]) -> None:
            process.is_alive()
            for item in items:
                self._tale.tell(item.lead_id, f"{process.name} sends {item}")
                if item.action and not self._memory.has_intent(item.lead_id, item.action):
                    self._violated(Violation("no intent", item.lead_id, f"{item.action} sent without an intent"))
                left_at = self._course.left_source.get(item.lead_id, END)
                if item.action and left_at < seconds_now() - HOUR:
                    self._violated(Violation("no row", item.lead_id, f"{item.action} sent, and its rows have left"))

        return depart

    def _note_double(self, lead_id: str) -> None:
        executed = [action for _, action in self._leadbyte.leads[lead_id].executed]
        kind = "both acts" if len(set(executed)) > 1 else "double"
        self._violated(Violation(kind, lead_id, f"executed {' and then '.join(executed)}"))

    def _violated(self, violation: Violation) -> None:
        self._violation = self._violation or violation

    def _check(self, *, at_end: bool = False) -> None:
        """Look for what does not hold."""
        rows, course = self._memory.rows(), self._course
        for lead_id, row in rows.items():
            if row.state != self._states.get(lead_id):
                self._tale.tell(lead_id, f"ledger: {row.state}{' (inferred)' if row.inferred else ''} {row.note}")
            if row.state == "review":
                self._reviewed.add(lead_id)
            facts = Facts(
                lead_id,
                row,
                self._leadbyte.leads[lead_id],
                sent_allowed=2 + course.heard[lead_id] + course.replaced,
                forgotten=lead_id in course.forgotten,
                found=lead_id in course.found,
                intended=self._memory.intended(lead_id) if row.inferred else set(),
                combined=self._config[0] == "combined",
            )
            for violation in violations_of(facts, seconds_now()):
                self._violated(violation)
            if missed := unseen(lead_id, row, course.clock(), course.moved_back):
                self._violated(missed)
            if at_end and (left := stuck(lead_id, row, waits=self._waits(lead_id, row.state))):
                self._violated(left)
        self._states = {lead_id: row.state for lead_id, row in rows.items()}

    def _waits(self, lead_id: str, state: str) -> bool:
        """Whether a lead may still be open at the end: its rows are gone, or the key may not act."""
        if lead_id not in self._course.rows.leads_by_id:
            return True
        sent = self._leadbyte.leads[lead_id].sent
        if state == "unknown" and sent and sent[-1].at > END - LOOKED_AT_WITHIN.total_seconds():
            return True  # `patience` is not over
        if state == "waiting":
            return lead_id not in self._course.rows.enrichments_by_id
        return self._habits.key != "may process" and state in {"ready", "unknown"}

    def result(self, seconds: float) -> Result:
        """Say what the world came to, and took."""
        found, leads, story = self._violation, self._leadbyte.leads, ""
        if found:
            attempts = "\n".join(f"  {line}" for line in self._memory.attempts(found.lead_id))
            story = f"seed {self._seed}: {found.kind}, lead {found.lead_id}: {found.text}\n"
            story += f"{self._tale.of(found.lead_id)}\n attempts in the ledger\n{attempts}"
        acts, reviews = sum(len(lead.sent) for lead in leads.values()), len(self._reviewed)
        new = len(leads.keys() - EARLIER)
        return Result(
            self._seed,
            self._habits.is_plain,
            self._habits.is_calm and not self._course.replaced,
            new,
            reviews,
            acts,
            self._runs,
            seconds,
            found,
            story,
        )


def _random(seed: int, name: str) -> Random:
    """Numbers of their own for each part of a world, so that one does not change another's."""
    return Random(f"{seed} {name}")  # noqa: S311 - nothing secret
