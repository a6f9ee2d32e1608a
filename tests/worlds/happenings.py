"""What happens in a world by itself: leads arrive and are moved, people decide, clocks jump, ledgers are replaced."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from leadgate.ledger import Ledger
from leadgate.model import Lead
from tests.leadbyte.virtual_time import START
from tests.worlds import run_of_a_worker as core
from tests.worlds.habits import DAY, HOUR
from tests.worlds.leadbyte import Known, LeadByte, SentAct, seconds_now
from tests.worlds.memory import MemoryLedger
from tests.worlds.tale import Tale

EARLIER = {"6001": "process", "6002": "reject"}
"""Leads that were acted on before the world begins, as there are some in an account that is in use."""
END = 2 * DAY
"""How long a world lasts."""


@dataclass(slots=True)
class Faults:
    """What befalls us, as shares of runs, and the jumps of the ledger's clock: when, and by how many seconds."""

    kills: float
    hold_ups: float
    second_worker: float
    ledger_clock: list[tuple[float, float]]


def draw_faults(random: Random) -> Faults:
    """Draw what befalls us in one world."""
    return Faults(
        kills=random.choice((0, 0, 0.1, 0.5)),
        hold_ups=random.choice((0, 0, 0.2)),
        second_worker=random.choice((0, 0.2, 0.6)),
        ledger_clock=_jumps(random),
    )


def _jumps(random: Random) -> list[tuple[float, float]]:
    if random.random() > 0.35:
        return []
    found = []
    for _ in range(random.randint(1, 3)):
        at = random.uniform(0, random.choice((HOUR, HOUR, 8 * HOUR)))  # the first leads arrive at once
        by = random.choice((10.0, -10.0, 3 * HOUR, 3 * HOUR, -2 * HOUR, DAY, 400.0, -400.0))
        found.append((at, by))
        if random.random() < 0.5:  # somebody sets it right
            found.append((at + random.uniform(60, 2 * HOUR), -by))
    return sorted(found)


@dataclass(slots=True)
class Happenings:
    """The world's own course, and what of it excuses the ledger."""

    random: Random
    memory: MemoryLedger
    leadbyte: LeadByte
    tale: Tale
    rows: core.Rows = field(default_factory=core.Rows)
    look_needed: bool = False
    """Something is new in the source."""
    ledger_off: timedelta = timedelta()
    jumps: int = 0
    """How often the ledger's clock has jumped."""
    moved_back: timedelta = timedelta()
    """How far the ledger's clock was moved back, all in all."""
    heard: Counter[str] = field(default_factory=Counter)
    """How often a person's word about a lead was heard."""
    found: set[str] = field(default_factory=set)
    """Leads of which a person said that LeadByte had acted on them."""
    replaced: int = 0
    """How often the ledger was replaced or lost."""
    forgotten: set[str] = field(default_factory=set)
    """Leads that were acted on before that."""
    left_source: dict[str, float] = field(default_factory=dict)
    running: set[core.Process] = field(default_factory=set)
    """The processes that run now."""
    copy: sqlite3.Connection | None = None
    after_each: Callable[[], None] = lambda: None
    _times: list[float] = field(default_factory=list)

    def next_at(self) -> float | None:
        """When something happens next."""
        self._times = [at for at in self._times if at > seconds_now()]
        return min(self._times, default=None)

    def clock(self) -> datetime:
        """The ledger's clock."""
        return now() + self.ledger_off

    def open(self, process: core.Process) -> Ledger:
        """Open the ledger as a process does."""
        return core.open_ledger(self.memory.engine, process, self.clock)

    def begin_ledger(self) -> None:
        """Make the ledger as its owner does before the first run."""
        core.begun(self.open(core.Process("person")))
        if self.random.random() < 0.8:
            for lead_id, action in EARLIER.items():
                self._act_before(lead_id, action)

    def _act_before(self, lead_id: str, action: str) -> None:
        """Let a lead have been acted on, and have left, before this world begins."""
        self.leadbyte.leads[lead_id] = Known(-HOUR, [(-2 * HOUR, action)], [SentAct(-2 * HOUR, action)])
        self.rows.leads_by_id[lead_id] = Lead(lead_id, START - timedelta(hours=2))
        self.rows.enrichments_by_id[lead_id] = core.enrichment_of(lead_id, {}, START - timedelta(hours=2))
        self.memory.add_settled(lead_id, action, START - timedelta(hours=2))

    def plan(self, faults: Faults) -> None:
        """Lay down everything that happens."""
        random = self.random
        arrivals = [0.0, *(random.uniform(0, 20_000) for _ in range(3))]
        for number in range(1, random.randint(7, 13)):
            self._plan_lead(str(7000 + number), random.choice(arrivals))
        if random.random() < 0.15:
            at = random.uniform(0, DAY)
            self._at(at, self._use_ledger, core.pause, "paused")
            self._at(at + random.uniform(60, 8 * HOUR), self._use_ledger, core.resume, "resumed")
        for _ in range(random.choice((0, 1, 3, 8))):
            self._at(random.uniform(HOUR, 0.8 * END), self._decide_reviews)
        for at, by in faults.ledger_clock:
            self._at(at, self._move_ledger_clock, by)
        replaced, copied_at = random.random(), random.uniform(0, 20_000)
        if replaced < 0.1:
            self._at(copied_at, self._copy_ledger)
            self._at(copied_at + random.uniform(60, 5 * HOUR), self._replace_ledger)
        elif replaced > 0.9:
            self._at(copied_at, self._lose_ledger)

    def _plan_lead(self, lead_id: str, at: float) -> None:
        random = self.random
        self._at(at, self._arrive, lead_id)
        for share, do, within in (
            (0.06, self.leadbyte.move, 2 * HOUR),
            (0.05, self._opt_out, 6 * HOUR),
            (0.03, self._leave, 3 * HOUR),
        ):
            if random.random() < share:
                self._at(at + random.uniform(0, within), do, lead_id)

    def _at(self, at: float, do: Callable[..., None], *args: object) -> None:
        self._times.append(at)
        asyncio.get_running_loop().call_at(at, self._happen, do, *args)

    def _happen(self, do: Callable[..., None], *args: object) -> None:
        do(*args)
        self.after_each()

    def _arrive(self, lead_id: str) -> None:
        self.tale.tell(lead_id, "arrives")
        self.leadbyte.take_in(lead_id)
        self.rows.leads_by_id[lead_id] = Lead(lead_id, now())
        if self.random.random() < 0.96:
            self.rows.enrichments_by_id[lead_id] = core.enrichment_of(lead_id, {}, now())
        else:
            self._at(seconds_now() + core.DEADLINE.total_seconds() + 1, self._need_look)
        self.look_needed = True

    def _need_look(self) -> None:
        self.look_needed = True

    def _opt_out(self, lead_id: str) -> None:
        self.tale.tell(lead_id, "the person opts out")
        self.rows.enrichments_by_id[lead_id] = core.enrichment_of(lead_id, {"opted_out": True}, now())
        self.look_needed = True

    def _leave(self, lead_id: str) -> None:
        self.tale.tell(lead_id, "its rows leave the source")
        self.rows.leads_by_id.pop(lead_id, None)
        self.rows.enrichments_by_id.pop(lead_id, None)
        self.left_source[lead_id] = seconds_now()
        self.look_needed = True
        self._at(seconds_now() + 700, self._need_look)

    def _move_ledger_clock(self, by: float) -> None:
        self.tale.tell("", f"the ledger's clock jumps by {by:.0f} s")
        self.ledger_off += timedelta(seconds=by)
        self.moved_back += timedelta(seconds=max(-by, 0))
        self.jumps += 1

    def _use_ledger(self, do: Callable[[Ledger], None], what: str) -> None:
        self.tale.tell("", what)
        do(self.open(core.Process(what)))

    def _decide_reviews(self) -> None:
        """Let a person end reviews, having looked at LeadByte or not."""
        ledger = self.open(core.Process("person"))
        for lead_id, row in self.memory.rows().items():
            asked = row.state == "review" or (row.state == "unknown" and self.random.random() < 0.1)
            if not asked or self.random.random() > 0.6:
                continue
            looks, verdict = self.random.random() < 0.7, self.random.choice(("process", "reject", "again"))
            if row.in_doubt and self.random.random() < 0.5:
                looks, verdict = False, self._seen_of(lead_id)
            elif looks and not self.leadbyte.has(lead_id):
                continue
            heard = core.decide_as_person(ledger, lead_id, verdict, still_there=looks)
            self.heard[lead_id] += heard
            if heard and verdict.startswith("was-"):
                self.found.add(lead_id)
            seen = ", seen in quarantine" if looks else ""
            self.tale.tell(lead_id, f"a person decides {verdict}{seen}: {'heard' if heard else 'not heard'}")

    def _seen_of(self, lead_id: str) -> str:
        """What a person finds in LeadByte of a lead whose act is in doubt."""
        if self.leadbyte.has(lead_id):
            return "not-taken"
        executed = self.leadbyte.leads[lead_id].executed
        return {"process": "was-processed", "reject": "was-rejected"}[executed[-1][1]] if executed else "wait"

    def _copy_ledger(self) -> None:
        self.copy = self.memory.copy()

    def _replace_ledger(self) -> None:
        assert self.copy
        self.tale.tell("", "the ledger is replaced by an older copy")
        self.memory.put_back(self.copy)
        self._forget(core.restored)

    def _lose_ledger(self) -> None:
        self.tale.tell("", "the ledger is lost and made anew")
        self.memory.empty()
        self._forget(core.created)

    def _forget(self, then: Callable[[Ledger], None]) -> None:
        for process in self.running:  # what it goes on to write would be in another file
            process.die()
        self.replaced += 1
        self.look_needed = True
        self.forgotten |= {lead_id for lead_id, lead in self.leadbyte.leads.items() if lead.sent}
        then(self.open(core.Process("person")))
        self._use_ledger(core.resume, "resumed")  # the copy may be of a time when it was paused


def now() -> datetime:
    """The true time."""
    return START + timedelta(seconds=seconds_now())
