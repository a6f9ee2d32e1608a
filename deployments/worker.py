"""A worker whose runs may end: `python -m deployments.worker`, with the options of `prefect worker start` if wanted.

Prefect's own worker, when it is asked to end, kills its runs at once. This one asks the runs first, while the worker
stands still and begins no more of them, and ends the worker when they have ended. It needs Linux.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from deployments.command import ends_in_a_sentence
from leadgate.prefect_settings import find_server
from tasks.server import check_answers

_PROCESSES = Path("/proc")
_PAUSE_SECONDS = 0.1


@ends_in_a_sentence
def main(options: Sequence[str]) -> int:
    """Run a worker of the pool `leadgate` until SIGTERM or SIGINT; return its exit code."""
    if address := find_server():
        check_answers(address)
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    program = Path(sys.executable).with_name("prefect")
    # A session of its own: Ctrl-C in a terminal is for this process alone.
    argv = [str(program), "worker", "start", "--pool", "leadgate", *options]
    worker = subprocess.Popen(argv, start_new_session=True)  # noqa: S603 - the options are those of whoever starts it
    while worker.poll() is None and not asked.wait(_PAUSE_SECONDS):
        pass
    if worker.poll() is None:
        _let_runs_end(worker.pid)
        worker.send_signal(signal.SIGTERM)
        worker.send_signal(signal.SIGCONT)
    return worker.wait()


def _let_runs_end(worker: int) -> None:
    """Stop a worker where it stands, ask its runs to end, and return when they have."""
    os.kill(worker, signal.SIGSTOP)
    for run in _children(worker):
        os.kill(run, signal.SIGTERM)
    while any(_children(worker)):
        time.sleep(_PAUSE_SECONDS)


def _children(parent: int) -> Iterator[int]:
    """The processes that a process has started and that have not ended."""
    for process in _PROCESSES.glob("[0-9]*"):
        try:
            state, its_parent = (process / "stat").read_text("utf-8").rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it has ended meanwhile
        if int(its_parent) == parent and state != "Z":
            yield int(process.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
