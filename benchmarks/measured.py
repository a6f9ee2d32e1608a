"""What one process measured of itself, and how it tells the process that started it."""

import functools
import json
import math
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch


class Instant(NamedTuple):
    """A point on the monotonic clock, which all processes of a machine share, and the CPU time used until then."""

    at: float
    cpu: float

    @classmethod
    def now(cls) -> "Instant":
        """The present one."""
        return cls(time.monotonic(), time.process_time())


class Span(NamedTuple):
    """From one instant to another."""

    begun: Instant
    ended: Instant

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.ended.at - self.begun.at

    @property
    def cpu_seconds(self) -> float:
        """How much CPU time this process used in it, all threads together."""
        return self.ended.cpu - self.begun.cpu


@dataclass(frozen=True, slots=True)
class Measured:
    """When a process did what, and its peak memory.

    `work` is from the first request to the last record; of the bare loop, to the last answer.
    `whole` is the whole flow run; of the bare loop, the same as `work`.
    """

    first_request: Instant
    work: Span
    whole: Span
    peak_mib: float

    def tell(self) -> None:
        """Print it as the last line of standard output."""
        sys.stdout.write(json.dumps(asdict(self)) + "\n")

    @classmethod
    def read(cls, output: str) -> "Measured":
        """Read what `tell` printed."""
        told = json.loads(output.splitlines()[-1])
        work, whole = (Span(*(Instant(*instant) for instant in told[name])) for name in ("work", "whole"))
        return cls(Instant(*told["first_request"]), work, whole, told["peak_mib"])


class Watch:
    """When a call of those that are `meant` was begun for the first time, and when one last came back."""

    def __init__(self, meant: Callable[..., bool]) -> None:
        self._meant = meant
        self.first = Instant(math.inf, math.inf)
        self.last = Instant(-math.inf, -math.inf)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, watched; of a coroutine only its beginning is."""

        @functools.wraps(call)
        def watched(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            if not self._meant(*args, **kwargs):
                return call(*args, **kwargs)
            self.first = min(self.first, Instant.now())
            try:
                return call(*args, **kwargs)
            finally:
                self.last = max(self.last, Instant.now())

        return watched


@contextmanager
def watching(owner: type, name: str, meant: Callable[..., bool] = lambda *_, **__: True) -> Iterator[Watch]:
    """Watch a method of a class while the body runs; of its calls those that are meant, told by their arguments."""
    watch = Watch(meant)
    with patch.object(owner, name, watch.around(getattr(owner, name))):
        yield watch


def peak_mib() -> float:
    """The most memory this process has held so far, in MiB."""
    try:
        # getrusage would count what the process that started this one held, until exec.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 2**10
    except FileNotFoundError:
        # Bytes on macOS, KiB elsewhere.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


class Taken(NamedTuple):
    """What a step took: seconds, processor time of this process, and the most memory that Python held for it."""

    seconds: float
    processor: float
    mebibytes: float


def measure_step(step: Callable[[], object], undo: Callable[[], object] = bool) -> Taken:
    """Take a step twice: for its time, and for its memory, which slows it down; `undo` stands between."""
    began, worked = time.monotonic(), time.process_time()
    step()
    seconds, processor = time.monotonic() - began, time.process_time() - worked
    undo()
    tracemalloc.start()
    step()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Taken(seconds, processor, most / 2**20)
