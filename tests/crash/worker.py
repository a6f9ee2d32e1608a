"""Workers for the chaos run: the parts of the flow `release_leads` in a loop, without Prefect, so that they start fast.

`python -m tests.crash.worker FILE` opens a pipeline once, which imports everything, and then forks a process for each
worker it is asked for. It reads one order a line and answers each with a line: `start FILE STEP LOG WAVE once|always`
with the pid, and `kill PID SECONDS` with how that process ended, by itself or by SIGKILL after so long. When its
standard input closes, it kills what is left.
"""

import asyncio
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from cli.blocks import read_block
from leadgate.clock import utc_now
from leadgate.errors import LeadByteError, LedgerUnavailable, SourceUnavailable
from leadgate.intake import compare_all, look_for_arrivals, register_leads
from leadgate.ledger import claims
from leadgate.ledger.status import read_status
from leadgate.model import State
from leadgate.summary import Account
from leadgate.wiring.pipeline import open_pipeline
from leadgate.wiring.run import open_run

_REST = timedelta(milliseconds=50)
_OPEN = (State.READY, State.SENDING, State.UNKNOWN)

Mark = Callable[[str], None]


async def work(file: Path, mark: Mark, wave: int, *, once: bool) -> None:
    """Do what a watching run does, and say at each step which it is; `once` returns when no lead is under way."""
    mark("open")
    with open_pipeline(file, read_block) as pipeline:
        config, source, ledger = pipeline.config, pipeline.source, pipeline.ledger
        async with open_run(pipeline, Account(utc_now())) as run:
            while not run.stop:
                begun_at = utc_now()
                mark("register")
                register_leads(source, ledger, config, now=utc_now())
                mark("look")
                look_for_arrivals(source, ledger, config, now=utc_now())
                mark("compare")
                compare_all(source, ledger, config, now=utc_now(), begun_at=begun_at)
                mark("rescue")
                claims.rescue(ledger, unknown_after=config.delivery.unknown_after, now=utc_now())
                mark("reconcile")
                await run.reconciliation.reconcile_due()
                mark("claim")
                while decided := run.preparation.claim_wave(wave):
                    mark("update")
                    to_act = await run.delivery.update(decided)
                    mark("act")
                    await run.delivery.act(to_act)
                    mark("claim")
                mark("rest")
                counts = read_status(ledger).counts
                if once and not any(counts[state] for state in _OPEN):
                    return
                await run.stop.sleep(_REST)


def live(file: Path, step: Path, wave: int, *, once: bool) -> None:
    """Work on until killed; a database or LeadByte that is down is tried again, as the next run would."""
    shown = os.open(step, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    while True:
        try:
            asyncio.run(work(file, lambda name: _show(shown, name), wave, once=once))
        except (LedgerUnavailable, SourceUnavailable, LeadByteError):
            time.sleep(_REST.total_seconds())
        else:
            return


def _show(shown: int, name: str) -> None:
    os.pwrite(shown, name.ljust(16).encode(), 0)


def _start(file: str, step: str, log: str, wave: str, once: str) -> int:
    """Fork a worker; return its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        live(Path(file), Path(step), int(wave), once=once == "once")
        code = 0
    except BaseException:  # noqa: BLE001 - the edge of a process
        traceback.print_exc()
    finally:
        os._exit(code)


def _kill(pid: int, seconds: float) -> int:
    """Kill a worker that has not ended after so many seconds; return how it ended, -9 for the kill."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_REST.total_seconds())
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Carry out one order after the other."""
    with open_pipeline(Path(sys.argv[1]), read_block):
        pass
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        sys.exit("a process with threads must not fork")
    alive: set[int] = set()
    for line in sys.stdin:
        order, *arguments = line.split()
        if order == "start":
            answer = _start(*arguments)
            alive.add(answer)
        else:
            pid, seconds = arguments
            answer = _kill(int(pid), float(seconds))
            alive.discard(int(pid))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
