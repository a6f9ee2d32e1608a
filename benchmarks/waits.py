"""`python -m benchmarks.waits`: what `leadgate waits` and a backtest of the wait take, of few leads and of many.

Leads and their data come at random (tests/waits/simulated.py), on a clock that goes on by steps. Every figure is
compared with the same one by brute force. Processor time is this process's: PostgreSQL's own is in the seconds alone.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.__main__ import Database
from benchmarks.figures import align
from benchmarks.measured import measure_step
from benchmarks.servers import postgres_server
from tests.waits.brute_force import BruteForce
from tests.waits.compared import backtest, compare, compare_backtest, count
from tests.waits.simulated import simulated

_STEPS = 400


def run(
    leads: Annotated[int, typer.Option(help="Leads; a tenth of them first.", min=1000)] = 200_000,
    database: Annotated[list[Database] | None, typer.Option(help="Where ledger and source are; repeatable.")] = None,
) -> None:
    """Print what counting takes, and how many figures were compared; fail at the first that differs."""
    table = []
    for one in database or list(Database):
        for number in (leads // 10, leads):
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-waits-")))
                url = f"sqlite:///{folder / 'source.db'}"
                if one is Database.POSTGRESQL:
                    server = stack.enter_context(postgres_server())
                    server.create_database("leadgate")
                    url = server.url("leadgate")
                began = time.monotonic()
                simulation = stack.enter_context(simulated(url, folder, leads=number, steps=_STEPS, seed=number))
                print(f"{one}: {number:,} leads came in {_STEPS} steps, {time.monotonic() - began:.0f} s", flush=True)
                for what, step in (
                    ("waits", lambda simulation=simulation: count(simulation)),
                    ("backtest", lambda simulation=simulation: backtest(simulation, deadline="3h")),
                ):
                    taken = measure_step(step)
                    cost = f"{taken.seconds:.2f} s", f"{taken.processor:.2f} s", f"{taken.mebibytes:.1f} MiB"
                    table.append([one.value, f"{number:,}", what, *cost])
                brute = BruteForce(simulation)
                figures = compare(count(simulation), brute) + compare_backtest(simulation, brute)
                late = brute.regret()[0]
                print(f"{figures} figures are those of brute force; {late:,} leads were rejected as late", flush=True)
    print(align(["database", "leads", "what", "time", "processor", "memory"], table))


if __name__ == "__main__":
    typer.run(run)
