"""The chaos run: workers that are killed at random moments over one pipeline, while its LeadByte loses answers.

Everything is real: each worker is a process and each kill a SIGKILL, the practice LeadByte is a process of its own,
PostgreSQL is cut off and started again. What came of it is gathered in chaos_figures.py.
"""

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from leadgate.errors import LedgerUnavailable
from leadgate.ledger.pauses import end_pause, keep_pause
from leadgate.wiring.ledger import ledger_of
from tests.support.crowd import Person, settle_in
from tests.support.pipelines import Practice
from tests.support.postgres import PostgresServer
from tests.support.process import Supervised, new_folder
from tests.support.victims import ROOT, Commands, Life, Victims, Workers
from tests.support.waiting import wait_until

FAULTS = {"drop-after": 0.05, "5xx-after": 0.05, "drop-before": 0.05}
_SETTINGS = """\
requests_per_second: 0
  timeout: 1s
  batch_size: 2
  concurrency: 2"""
_DELIVERY = "delivery: {mode: combined, lease: 3s, unknown_after: 3s, queue_time: 1s, patience: 30s}\npolicy:\n"
_LATENCY = "50ms"
_LAG = "200ms"
_LONGEST_FINISH = 900.0
"""Seconds. Acts that went alone in vain, one after the other, let the next one wait for minutes."""
_PAUSED_EVERY, _PAUSED_FOR = 20.0, 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a chaos run is to do; it ends at so many kills, or after so many seconds."""

    database: str = "sqlite"
    workers: int = 2
    leads: int = 2000
    kills: int = 200
    seconds: float = 300
    restarts: int = 0
    command: bool = False
    """Whether what is killed is `leadgate run` itself."""
    seed: int = 1


@dataclass(slots=True)
class Events:
    """What a chaos run did to its workers and its database."""

    started: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    """By the step the worker was at."""
    restarts: int = 0
    pauses: int = 0
    gave_up: int = 0
    """Commands that ended by themselves and said why, as they do when the database is gone."""
    crashes: list[str] = field(default_factory=list)
    """What workers said that ended by themselves, which none may."""
    chaos_seconds: float = 0
    clean_seconds: float = 0


class PracticeProcess:
    """A practice LeadByte as a process of its own, with the faults of a bad day."""

    def __init__(self, seed: int) -> None:
        folder = new_folder("chaos-leadbyte", {})
        options = ["--json", "--record", "acts", "--latency", _LATENCY, "--lag", _LAG, "--seed", str(seed)]
        faults = [f"--fault={name}={value}" for name, value in FAULTS.items()]
        argv = [sys.executable, "-m", "leadgate", "sandbox", *options, *faults]
        self._process = Supervised(argv, folder=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
        wait_until(self._is_there, what="the practice LeadByte says its address")
        self.url = str(json.loads(self._process.log())["url"])

    def _is_there(self) -> bool:
        self._process.check_running()
        return self._process.log().endswith("}\n")

    def state(self) -> dict[str, Any]:
        """Its counts."""
        return dict(httpx.get(f"{self.url}/sandbox/state", timeout=30).raise_for_status().json())

    def acts(self) -> dict[str, list[dict[str, Any]]]:
        """Every act it saw, by lead."""
        return dict(httpx.get(f"{self.url}/sandbox/acts", timeout=30).raise_for_status().json())

    def behave(self) -> None:
        """Lose no more answers."""
        httpx.post(f"{self.url}/sandbox/faults", json=dict.fromkeys(FAULTS), timeout=30).raise_for_status()

    def stop(self) -> None:
        """Stop it and remove its folder."""
        self._process.stop()


def people(count: int, seed: int) -> list[Person]:
    """Make up leads that are all due: to be processed, rejected or reviewed, one in ten late and never enriched."""
    chance = random.Random(seed)  # noqa: S311 - made-up people need no secrets

    def enrichment(lead_id: int) -> dict[str, Any] | None:
        drawn = chance.random()
        if drawn < 0.1:
            return None
        made = {"postcode": "TN25 6QD", "phone_verified": True, "opted_out": False, "mobile": f"07{lead_id:09d}"}
        if drawn < 0.3:
            return made | {"opted_out": True, "score": 0.9}
        return made | {"score": 0.2 if drawn < 0.4 else 0.9}

    ids = range(2_932_000, 2_932_000 + count)
    return [Person(n, 25 if (data := enrichment(n)) is None else 1, data) for n in ids]


class Chaos:
    """One chaos run, from an empty pipeline to one where nothing is under way any more."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.events = Events()
        self.people = people(plan.leads, plan.seed)
        self._said_at = time.monotonic()
        self._folder, self._say = folder, say
        self._chance = random.Random(plan.seed)  # noqa: S311 - moments need no secrets
        self._added = 0
        self._is_paused = False
        self._began_at = time.monotonic()

    @contextmanager
    def run(self) -> Iterator["Chaos"]:
        """Do what was planned, then let one last worker finish; LeadByte and the databases are there inside it."""
        with ExitStack() as stack:
            self.leadbyte = PracticeProcess(self.plan.seed)
            stack.callback(self.leadbyte.stop)
            self._postgres = stack.enter_context(_postgres()) if self.plan.database == "postgresql" else None
            self.pipeline = self._open_pipeline()
            stack.callback(self.pipeline.close)
            workers = Workers(self._folder, self.pipeline.file)
            stack.callback(workers.close)
            began = time.monotonic()
            if self.plan.command:
                with closing(Commands(self._folder, self.pipeline)) as commands:
                    self._rage(commands, time.monotonic() + self.plan.seconds)
            else:
                self._rage(workers, began + self.plan.seconds)
            self.events.chaos_seconds = time.monotonic() - began
            self._finish(workers)
            self.events.clean_seconds = time.monotonic() - began - self.events.chaos_seconds
            yield self

    def _open_pipeline(self) -> Practice:
        """Write a pipeline file a mode over one ledger: each worker takes one of them, so that all modes meet."""
        url = self._postgres.url("chaos") if self._postgres else None
        ledger_url = url or "sqlite:///leadgate.db"
        pipeline = Practice(self._folder, self.leadbyte.url, database_url=url, ledger_url=ledger_url)
        pipeline.edit("requests_per_second: 0", _SETTINGS)
        pipeline.edit("policy:\n", _DELIVERY)
        self._files = [pipeline.file]
        for mode in ("separate", "update_first"):
            self._files.append(pipeline.file.with_name(f"{mode}.yaml"))
            text = pipeline.file.read_text("utf-8").replace("mode: combined", f"mode: {mode}")
            self._files[-1].write_text(text, "utf-8")
        return pipeline

    def _rage(self, victims: Victims, until: float) -> None:
        """Kill and start workers, let leads arrive and cut the database off, until there were enough kills."""
        plan, events = self.plan, self.events
        lives = [self._begin(victims) for _ in range(plan.workers)]
        while (killed := events.kills.total()) < plan.kills and time.monotonic() < until:
            for slot, life in enumerate(lives):
                if life.is_over():
                    self._kill(victims, life)
                    lives[slot] = self._begin(victims)
            if self._postgres and events.restarts < plan.restarts * (killed + 1) // (plan.kills + 1):
                self._restart(self._postgres)
            self._pause_now_and_then()
            self._tell()
            time.sleep(victims.look_every)
        self._resume()
        if self._postgres and events.restarts < plan.restarts:
            self._restart(self._postgres)
        for life in lives:
            self._kill(victims, life)

    def _pause_now_and_then(self) -> None:
        """Pause the pipeline for two seconds of twenty."""
        is_time = (time.monotonic() - self._began_at) % _PAUSED_EVERY > _PAUSED_EVERY - _PAUSED_FOR
        if is_time and not self._is_paused:
            with suppress(LedgerUnavailable), ledger_of(self.pipeline.file) as (_, ledger):
                keep_pause(ledger, by="chaos", reason="", now=ledger.now())
                self._is_paused = True
                self.events.pauses += 1
        elif self._is_paused and not is_time:
            self._resume()

    def _resume(self) -> None:
        with suppress(LedgerUnavailable), ledger_of(self.pipeline.file) as (_, ledger):
            end_pause(ledger, now=ledger.now())
            self._is_paused = False

    def _begin(self, victims: Victims) -> Life:
        self.events.started += 1
        # Leads arrive as workers start, so that there is always something to kill one over.
        self._add(min(-(-self.plan.leads // self.plan.kills), self.plan.leads - self._added))
        return victims.begin(self._chance.choice(self._files), self._chance)

    def _kill(self, victims: Victims, life: Life) -> None:
        ended = victims.kill(life.pid)
        step = life.step()
        if ended == -9:
            self.events.kills[step] += 1
        elif self.plan.command and ended == 1 and "Traceback" not in victims.said():
            self.events.gave_up += 1  # the database was down
        else:
            self.events.crashes.append(f"a worker ended with {ended} at {step}:\n{victims.said()}")

    def _add(self, count: int) -> None:
        if count:
            settle_in(self.pipeline, self.people[self._added : self._added + count])
            self._added += count

    def _restart(self, postgres: PostgresServer) -> None:
        postgres.restart()
        self.pipeline.source.dispose()
        self.events.restarts += 1

    def _finish(self, workers: Workers) -> None:
        """Let the rest of the leads arrive and one worker end them all, with no kill and no lost answer."""
        self._resume()
        self._add(len(self.people) - self._added)
        self.leadbyte.behave()
        last = workers.start(self._files[0], once=True)
        ended = workers.kill(last, after=_LONGEST_FINISH)
        if ended != 0:
            self.events.crashes.append(f"the last worker ended with {ended}:\n{workers.said()}")

    def _tell(self) -> None:
        if time.monotonic() - self._said_at > 10:
            self._said_at = time.monotonic()
            self._say(f"{self.events.kills.total()} kills, {self.events.restarts} restarts, {self._added} leads")


@contextmanager
def _postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that keeps what it has committed when it is cut off, as in production."""
    server = PostgresServer(synchronous_commit="on")
    try:
        server.create_database("chaos")
        yield server
    finally:
        server.stop()


def chaos(plan: Plan, folder: Path, say: Callable[[str], None] = lambda _: None) -> AbstractContextManager[Chaos]:
    """Make a chaos run."""
    return Chaos(plan, folder, say).run()
