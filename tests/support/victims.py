"""What a chaos run kills: workers without Prefect, which start fast, or the command `leadgate run --watch` itself."""

import os
import random
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from tests.support.command import start_leadgate
from tests.support.pipelines import Practice
from tests.support.prefect_server import PrefectServer
from tests.support.process import reserve_port

ROOT = Path(__file__).parents[2]
_WAVE = 25
_LONGEST_VAIN = 2.0
"""A victim that finds nothing to do is killed too, after this many seconds."""


class Life:
    """One victim from its start to its kill, at a moment drawn beforehand."""

    def __init__(self, pid: int, step: Callable[[], str], busy: Mapping[str, float], chance: random.Random) -> None:
        self.pid = pid
        self.step = step
        """Says what the victim is at."""
        self._began = time.monotonic()
        # One in six is killed by the clock alone, wherever it is by then: opening, registering, reconciling.
        self._end = self._began + chance.uniform(0, max(busy.values()) / 2) if chance.random() < 1 / 6 else None
        # Else some time after it has begun with leads, the sooner the likelier.
        self._after = {step: chance.triangular(0.02, longest, 0.05) for step, longest in busy.items()}

    def is_over(self) -> bool:
        """Whether the moment has come, or when it has found nothing to do for long."""
        now = time.monotonic()
        if self._end is None:
            step = self.step()
            if step in self._after:
                self._end = now + self._after[step]
            elif step in {"fork", "open"}:
                self._began = now
        return now >= (self._end or self._began + _LONGEST_VAIN)


class Victims(ABC):
    """Processes over one pipeline that can be killed."""

    busy: ClassVar[Mapping[str, float]]
    """The steps at which leads are on the wire, each with the most seconds until the kill."""
    look_every: ClassVar[float]
    """Seconds between two looks at what they are at."""

    def begin(self, file: Path, chance: random.Random) -> Life:
        """Start one on a pipeline file, and draw the moment of its end."""
        pid = self.start(file)
        return Life(pid, partial(self.step, pid), self.busy, chance)

    @abstractmethod
    def start(self, file: Path) -> int:
        """Start one; return its pid."""

    @abstractmethod
    def step(self, pid: int) -> str:
        """Say what it is at, or was."""

    @abstractmethod
    def kill(self, pid: int) -> int:
        """Kill it with SIGKILL and return how it ended: -9, or by itself before."""

    @abstractmethod
    def said(self) -> str:
        """What they wrote."""

    @abstractmethod
    def close(self) -> None:
        """Kill what is left."""


class Workers(Victims):
    """The process that forks workers (tests/crash/worker.py), and the workers it has forked."""

    busy: ClassVar = {"update": 2.0, "act": 2.0}
    look_every = 0.005

    def __init__(self, folder: Path, file: Path) -> None:
        self._folder = folder
        self._log = folder / "workers.log"
        self._steps: dict[int, Path] = {}
        # A session of its own: Ctrl-C is for the chaos run, which then closes the pipe.
        self._forker = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.worker", str(file)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, file: Path, *, once: bool = False) -> int:
        """Start a worker; with `once` it ends when nothing is under way any more."""
        step = self._folder / f"step-{len(self._steps)}"
        step.write_text("fork", "utf-8")
        pid = self._order("start", file, step, self._log, _WAVE, "once" if once else "always")
        self._steps[pid] = step
        return pid

    def step(self, pid: int) -> str:
        """Say which part of the flow it is at."""
        return self._steps[pid].read_text("utf-8").strip()

    def kill(self, pid: int, *, after: float = 0) -> int:
        """Kill it after some seconds."""
        return self._order("kill", pid, after)

    def said(self) -> str:
        """What the workers wrote: nothing, if all is well."""
        return self._log.read_text("utf-8") if self._log.exists() else ""

    def close(self) -> None:
        """Close the pipe; the forker kills them."""
        self._forker.communicate(timeout=20)

    def _order(self, *words: object) -> int:
        assert self._forker.stdin is not None
        assert self._forker.stdout is not None
        self._forker.stdin.write(" ".join(map(str, words)) + "\n")
        self._forker.stdin.flush()
        return int(self._forker.stdout.readline())


class Commands(Victims):
    """`leadgate run --watch` against one real Prefect server."""

    busy: ClassVar = {"sent": 0.7}
    look_every = 0.02

    def __init__(self, folder: Path, pipeline: Practice) -> None:
        self._pipeline = pipeline
        self._server = PrefectServer(reserve_port())
        self._environment = os.environ | {"PREFECT_API_URL": self._server.api_url, "PREFECT_HOME": str(folder)}
        self._alive: dict[int, subprocess.Popen[str]] = {}
        self._steps: dict[int, str] = {}
        self._said = ""

    def start(self, file: Path) -> int:
        """Start the command."""
        command = start_leadgate("run", "--watch", "10m", config=file, env=self._environment)
        self._alive[command.pid] = command
        self._steps[command.pid] = "open"
        return command.pid

    def step(self, pid: int) -> str:
        """Say whether it has sent anything yet, as far as the ledger knows."""
        if self._steps[pid] == "open" and self._pipeline.has_sent(pid):
            self._steps[pid] = "sent"
        return self._steps[pid]

    def kill(self, pid: int) -> int:
        """Kill it, and read what it said."""
        command = self._alive.pop(pid)
        command.kill()
        self._said = "".join(command.communicate(timeout=20))
        return command.returncode

    def said(self) -> str:
        """What the last one that was killed has written."""
        return self._said

    def close(self) -> None:
        """Kill what is left, then the server."""
        for pid in list(self._alive):
            self.kill(pid)
        self._server.stop()
