"""One world from a seed: a possible LeadByte, a dozen leads, workers that die, clocks that jump, people, four days.

Time is simulated: it jumps to what is due next. The first thing that does not hold ends the world.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random

from leadgate.model import Lead
from tests.leadbyte.virtual_time import START
from tests.worlds import run_of_a_worker as core
from tests.worlds.habits import DAY, HOUR, QUIET_AFTER, draw_habits
from tests.worlds.invariants import Facts, Violation, stuck, unseen, violations_of
from tests.worlds.leadbyte import Door, Item, LeadByte
from tests.worlds.memory import MemoryLedger
from tests.worlds.tale import Tale

END = 4 * DAY
_RUN_EVERY, _RUN_AT_LEAST = 300.0, 6 * HOUR
_OPEN = {"ready", "unknown", "sending"}


@dataclass(frozen=True, slots=True)
class Result:
    """What one world came to; `story` is told where something did not hold."""

    seed: int
    plain: bool
    leads: int
    reviews: int
    acts: int
    runs: int
    violation: Violation | None
    story: str


@dataclass(slots=True)
class Faults:
    """What befalls us in this world, as shares of runs and as times."""

    kills: float
    hold_ups: float
    second_worker: float
    ledger_clock: list[tuple[float, float]] = field(default_factory=list)
    worker_clock: list[tuple[float, float]] = field(default_factory=list)


@cache
def memory() -> MemoryLedger:
    """The database of this process."""
    return MemoryLedger()


class World:
    """Everything of one world."""

    def __init__(self, seed: int) -> None:
        self._seed, self._random = seed, Random(f"{seed} world")
        self._memory = memory()
        self._memory.empty()
        self._tale = Tale()
        self.habits = draw_habits(Random(f"{seed} habits"))
        self._leadbyte = LeadByte(self.habits, Random(f"{seed} leadbyte"), self._tale)
        self._rows = core.Rows()
        self._config = core.draw_config(self._random)
        self._wave = self._random.choice((3, 50))
        self._faults = _draw_faults(self._random)
        self._ledger_off = self._worker_off = self._moved_back = timedelta()
        self._times: list[float] = []
        self._look_needed = False
        self._processes, self._runs = 0, 0
        self._heard: Counter[str] = Counter()
        self._replaced = 0
        self._forgotten: set[str] = set()
        self._reviewed: set[str] = set()
        self._states: dict[str, str] = {}
        self._violation: Violation | None = None
        self._copy: object = None
        self._leadbyte.double = self._note_double

    async def play(self) -> Result:
        """Let four days pass."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # what dead processes leave behind
        self._tale.tell("", f"{self.habits} {self._config} wave {self._wave} {self._faults}")
        self._plan()
        interval, not_before = _RUN_EVERY, 0.0
        while not self._violation and loop.time() < END:
            self._times = [at for at in self._times if at > loop.time()]
            due = self._next_due()
            if due is None and not self._times:
                break
            at = END if due is None else max(due, not_before)
            next_event = min(self._times, default=END) + 0.001
            if at > loop.time():
                await asyncio.sleep(min(at, next_event, END) - loop.time())
            if at > loop.time():
                continue
            before = dict(self._states)
            await self._run_workers()
            self._check()
            interval = _RUN_EVERY if self._states != before else min(2 * interval, HOUR)
            not_before = loop.time() + interval
        if not self._violation:
            await asyncio.sleep(max(0, END - loop.time()) + 0.01)
            self._check(at_end=True)
        return self._result()

    def _plan(self) -> None:
        """Lay down everything that happens by itself."""
        random = self._random
        for number in range(1, random.randint(9, 14)):
            lead_id, at = str(7000 + number), random.choice((0.0, random.uniform(0, 20_000)))
            self._at(at, self._arrive, lead_id)
            if random.random() < 0.06:
                self._at(at + random.uniform(0, 2 * HOUR), self._move, lead_id)
            if random.random() < 0.05:
                self._at(at + random.uniform(0, 6 * HOUR), self._opt_out, lead_id)
            if random.random() < 0.03:
                self._at(at + random.uniform(0, 3 * HOUR), self._withdraw, lead_id)
        if random.random() < 0.15:
            at = random.uniform(0, DAY)
            self._at(at, self._use_ledger, core.pause, "paused")
            self._at(at + random.uniform(60, 8 * HOUR), self._use_ledger, core.resume, "resumed")
        if random.random() < 0.7:
            for _ in range(random.randint(1, 8)):
                self._at(random.uniform(HOUR, 0.8 * END), self._decide_reviews)
        for at, by in self._faults.ledger_clock:
            self._at(at, self._move_ledger_clock, by)
        for at, by in self._faults.worker_clock:
            self._at(at, self._move_worker_clock, by)
        replaced = random.random()
        copied_at = random.uniform(0, 20_000)
        if core.CAN_RESTORE and replaced < 0.1:
            self._at(copied_at, self._copy_ledger)
            self._at(copied_at + random.uniform(60, 5 * HOUR), self._replace_ledger)
        elif core.CAN_CREATE and replaced > 0.9:
            self._at(copied_at, self._lose_ledger)

    def _at(self, at: float, do: Callable[..., None], *args: object) -> None:
        self._times.append(at)
        asyncio.get_running_loop().call_at(at, self._happen, do, *args)

    def _happen(self, do: Callable[..., None], *args: object) -> None:
        do(*args)
        if not self._violation:
            self._check()

    def _arrive(self, lead_id: str) -> None:
        self._tale.tell(lead_id, "arrives")
        self._leadbyte.take_in(lead_id)
        self._rows.leads_by_id[lead_id] = Lead(lead_id, _now())
        if self._random.random() < 0.96:
            self._rows.enrichments_by_id[lead_id] = core.enrichment_of(lead_id, {}, _now())
        else:
            self._at(_seconds() + core.DEADLINE.total_seconds() + 1, self._need_look)
        self._look_needed = True

    def _need_look(self) -> None:
        self._look_needed = True

    def _move(self, lead_id: str) -> None:
        self._leadbyte.move(lead_id)

    def _opt_out(self, lead_id: str) -> None:
        self._tale.tell(lead_id, "the person opts out")
        self._rows.enrichments_by_id[lead_id] = core.enrichment_of(lead_id, {"opted_out": True}, _now())
        self._look_needed = True

    def _withdraw(self, lead_id: str) -> None:
        self._tale.tell(lead_id, "its rows leave the source")
        self._rows.leads_by_id.pop(lead_id, None)
        self._rows.enrichments_by_id.pop(lead_id, None)

    def _move_ledger_clock(self, by: float) -> None:
        self._tale.tell("", f"the ledger's clock jumps by {by:.0f} s")
        self._ledger_off += timedelta(seconds=by)
        self._moved_back += timedelta(seconds=max(-by, 0))

    def _move_worker_clock(self, by: float) -> None:
        self._tale.tell("", f"a worker's clock jumps by {by:.0f} s")
        self._worker_off += timedelta(seconds=by)

    def _use_ledger(self, do: Callable[[core.Ledger], None], what: str) -> None:
        self._tale.tell("", what)
        do(self._open(core.Process(what, self._clock)))

    def _decide_reviews(self) -> None:
        ledger = self._open(core.Process("person", self._clock))
        for lead_id, row in self._memory.rows().items():
            if row.state == "review" and self._random.random() < 0.6:
                looks, there = self._random.random() < 0.7, self._leadbyte.has(lead_id)
                if looks and not there:
                    continue
                verdict = self._random.choice(("process", "reject"))
                heard = core.decide_as_person(ledger, lead_id, verdict, still_there=looks)
                self._heard[lead_id] += heard
                seen = ", seen in quarantine" if looks else ""
                self._tale.tell(lead_id, f"a person decides {verdict}{seen}: {'heard' if heard else 'not heard'}")

    def _copy_ledger(self) -> None:
        self._copy = self._memory.copy()

    def _replace_ledger(self) -> None:
        self._tale.tell("", "the ledger is replaced by an older copy")
        self._memory.put_back(self._copy)  # type: ignore[arg-type] # made by _copy_ledger
        self._forget()
        core.restored(self._open(core.Process("restored", self._clock)))

    def _lose_ledger(self) -> None:
        self._tale.tell("", "the ledger is lost and made anew")
        self._memory.empty()
        self._forget()
        core.created(self._open(core.Process("created", self._clock)))

    def _forget(self) -> None:
        self._replaced += 1
        self._look_needed = True
        self._forgotten |= {lead_id for lead_id, lead in self._leadbyte.leads.items() if lead.sent}

    def _clock(self) -> datetime:
        return _now() + self._ledger_off

    def _open(self, process: core.Process) -> core.Ledger:
        return core.open_ledger(self._memory.engine, process, self._clock)

    def _next_due(self) -> float | None:
        """When a run has something to do, in seconds; None where it never has, unless something happens."""
        now = _seconds()
        if self._look_needed:
            return now
        found = []
        for row in self._memory.rows().values():
            instants = [row.lease_until] if row.state == "sending" else [row.due_at, row.lease_until]
            known = [(each - self._ledger_off - START).total_seconds() for each in instants if each]
            if row.state in _OPEN:
                found.append(min(max(known, default=0), now + _RUN_AT_LEAST))
            elif row.state == "waiting" and known:
                found.append(known[0])
        return min(found, default=None)

    async def _run_workers(self) -> None:
        """Let one worker run, and perhaps another beside it."""
        self._look_needed = False
        delays = [0.0]
        if self._random.random() < self._faults.second_worker:
            delays.append(self._random.uniform(0, 40))
        await asyncio.gather(*(self._run(delay) for delay in delays))

    async def _run(self, delay: float) -> None:
        await asyncio.sleep(delay)
        self._runs += 1
        process = self._new_process(moved=delay > 0)
        depart = self._departure_of(process)
        door = Door(self._leadbyte, Random(f"{self._seed} {process.name}"), self._tale, depart)
        ledger = self._open(process)
        self._tale.tell("", f"{process.name} begins")
        run = core.run_once(process, ledger, door, self._rows, self._config, self._wave)
        process.task = asyncio.get_running_loop().create_task(self._watch(process, run))
        with suppress(asyncio.CancelledError):
            await process.task
        self._tale.tell("", f"{process.name} {'is killed' if process.dead else 'ends'}")

    async def _watch(self, process: core.Process, run: "asyncio.Future[int] | object") -> None:
        try:
            waves = await run  # type: ignore[misc] # a coroutine
        except core.Killed:
            return
        except asyncio.CancelledError:
            if not process.dead:
                raise
            return
        except Exception as error:  # noqa: BLE001 - a finding
            logging.getLogger(__name__).debug("a run failed", exc_info=True)
            self._violated(Violation("run failed", "", f"{type(error).__name__}: {error}"))
            return
        if waves >= core._MOST_WAVES:
            self._violated(Violation("endless run", "", f"{waves} waves"))

    def _new_process(self, *, moved: bool) -> core.Process:
        """Begin a process, with what will befall it."""
        random, loop = self._random, asyncio.get_running_loop()
        self._processes += 1
        off = self._worker_off if moved or random.random() < 0.5 else timedelta()
        process = core.Process(f"run-{self._processes}", lambda: self._clock() + off)
        if loop.time() < QUIET_AFTER and random.random() < self._faults.kills:
            if random.random() < 0.6:
                process.commits_left, process.dies_before = random.randint(0, 14), random.random() < 0.5
            else:
                loop.call_later(random.uniform(0, 20), process.die)
        elif loop.time() < QUIET_AFTER and random.random() < self._faults.hold_ups:
            process.held_up_until = 0
            loop.call_later(random.uniform(0, 10), self._hold_up, process, random.uniform(1, 1500))
        return process

    def _hold_up(self, process: core.Process, seconds: float) -> None:
        self._tale.tell("", f"{process.name} is held up for {seconds:.0f} s")
        process.held_up_until = _seconds() + seconds

    def _departure_of(self, process: core.Process) -> Callable[[Sequence[Item]], None]:
        def depart(items: Sequence[Item]) -> None:
            process.is_alive()
            for item in items:
                asked = " and ".join(filter(None, ("update" if item.writes else "", item.action or "")))
                self._tale.tell(item.lead_id, f"{process.name} sends {asked}")
                if item.action and not self._memory.has_intent(item.lead_id, item.action):
                    self._violated(Violation("no intent", item.lead_id, f"{item.action} sent without an intent"))

        return depart

    def _note_double(self, lead_id: str) -> None:
        executed = [action for _, action in self._leadbyte.leads[lead_id].executed]
        kind = "both acts" if len(set(executed)) > 1 else "double"
        self._violated(Violation(kind, lead_id, f"executed {' and then '.join(executed)}"))

    def _violated(self, violation: Violation) -> None:
        self._violation = self._violation or violation

    def _check(self, *, at_end: bool = False) -> None:
        """Look for what does not hold."""
        rows, now = self._memory.rows(), _seconds()
        for lead_id, row in rows.items():
            if row.state != self._states.get(lead_id):
                self._tale.tell(lead_id, f"ledger: {row.state}{' (inferred)' if row.inferred else ''} {row.note}")
            if row.state == "review":
                self._reviewed.add(lead_id)
            sent_allowed = 2 + self._heard[lead_id] + self._replaced
            truth, forgotten = self._leadbyte.leads[lead_id], lead_id in self._forgotten
            facts = Facts(lead_id, row, truth, sent_allowed, forgotten, combined=self._config[0] == "combined")
            for violation in violations_of(facts, now):
                self._violated(violation)
            if missed := unseen(lead_id, row, self._clock(), self._moved_back):
                self._violated(missed)
            if at_end and (left := stuck(lead_id, row, waits=self._waits(lead_id, row.state))):
                self._violated(left)
        self._states = {lead_id: row.state for lead_id, row in rows.items()}

    def _waits(self, lead_id: str, state: str) -> bool:
        """Whether a lead may still be open at the end: its rows are gone, or the key may not act."""
        if state == "waiting":
            return lead_id not in self._rows.enrichments_by_id
        return self.habits.key != "may process" and state in {"ready", "unknown"}

    def _result(self) -> Result:
        found, leads = self._violation, self._leadbyte.leads
        story = ""
        if found:
            attempts = "\n".join(f"  {line}" for line in self._memory.attempts(found.lead_id))
            told = self._tale.of(found.lead_id)
            story = f"seed {self._seed}: {found.kind}, lead {found.lead_id}: {found.text}\n{told}\n attempts\n{attempts}"
        acts = sum(len(lead.sent) for lead in leads.values())
        plain, reviews = self.habits.is_plain, len(self._reviewed)
        return Result(self._seed, plain, len(leads), reviews, acts, self._runs, found, story)


def _draw_faults(random: Random) -> Faults:
    def jumps(chance: float) -> list[tuple[float, float]]:
        if random.random() > chance:
            return []
        by = (10.0, -10.0, 3 * HOUR, -2 * HOUR, DAY, 400.0, -400.0)
        return [(random.uniform(0, 0.5 * END), random.choice(by)) for _ in range(random.randint(1, 3))]

    return Faults(
        kills=random.choice((0, 0, 0.1, 0.5)),
        hold_ups=random.choice((0, 0, 0.2)),
        second_worker=random.choice((0, 0.3, 0.9)),
        ledger_clock=jumps(0.2),
        worker_clock=jumps(0.2),
    )


def play(seed: int) -> Result:
    """Play one world to its end."""
    with asyncio.Runner(loop_factory=core.WorkerLoop) as runner:
        return runner.run(_play(seed))


async def _play(seed: int) -> Result:
    return await World(seed).play()


def _seconds() -> float:
    return asyncio.get_running_loop().time()


def _now() -> datetime:
    return START + timedelta(seconds=_seconds())
