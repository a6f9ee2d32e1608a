"""`python -m benchmarks.startup`: the CPU time of the verbs that only look, each a process of its own.

Beside them stand Python, and the libraries that every verb needs, imported and nothing else. See docs/performance.md.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from benchmarks.__main__ import Database
from benchmarks.figures import RESULTS, Figure, align, write_json
from benchmarks.leads import write_pipeline
from benchmarks.ledger import Way
from benchmarks.rounds import databases_of
from leadgate.ledger import Ledger, open_engine

_ROOT = Path(__file__).parents[1]
_LEADS = 1000
_LEAD = "000000001"
_LIBRARIES = "import typer, ruamel.yaml, sqlalchemy.dialects.{}; from pydantic import BaseModel, TypeAdapter"
_DRIVERS = {"sqlite": "sqlite, sqlite3", "postgresql": "postgresql, psycopg"}


def _programs(database: str, pipeline: Path) -> dict[str, list[str]]:
    verbs = {"--help": [], "status": ["--config", str(pipeline)], "explain LEAD": [_LEAD, "--config", str(pipeline)]}
    command = {verb: ["-m", "leadgate", verb.split()[0], *rest] for verb, rest in verbs.items()}
    libraries = _LIBRARIES.format(_DRIVERS[database])
    return {"Python alone": ["-c", "pass"], "its libraries alone": ["-c", libraries]} | command


def _cpu_seconds(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    """Run a Python to its end and tell what it used, user and system; raise RuntimeError if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(  # noqa: S603 - Python itself
        [sys.executable, *arguments], cwd=_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        msg = f"{' '.join(arguments)} ended with {ended.returncode}:\n{ended.stderr}"
        raise RuntimeError(msg)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _measure(databases: Sequence[str], repeats: int) -> Iterator[tuple[str, str, Figure]]:
    # Modules are compiled once, as after an installation.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-startup-")))
        for database in databases:
            url = stack.enter_context(databases_of(database, folder)).new_ledger()
            pipeline = folder / f"{database}.yaml"
            write_pipeline(pipeline, base_url="http://unused", source_url="sqlite://", ledger_url=url, leads=_LEADS)
            with closing(Ledger(open_engine(url, base_dir=folder), pipeline="benchmark", owner="one")) as ledger:
                Way(ledger, _LEADS).take(_LEADS)
            programs = _programs(database, pipeline)
            rounds = [
                {name: _cpu_seconds(one, environment) for name, one in programs.items()} for _ in range(repeats + 1)
            ]
            for name in programs:
                taken = [one[name] for one in rounds[1:]]  # the first has written what is compiled
                yield database, name, Figure(median(taken), min(taken), max(taken))


def run(
    *,
    repeats: Annotated[int, typer.Option(help="Processes of each kind.", min=1)] = 9,
    database: Annotated[list[Database] | None, typer.Option(help="Where the ledger is; repeatable.")] = None,
) -> None:
    """Print what each verb uses, in turns, so that a slow minute of the machine hits all of them."""
    measured = list(_measure([one.value for one in database or Database], repeats))
    print(f"{repeats} processes each, on a ledger of {_LEADS:,} leads; median (least-most)")
    print(align(("database", "verb", "CPU s"), [(place, verb, took.text(2)) for place, verb, took in measured]))
    found = {"repeats": repeats, "leads": _LEADS, "cpu_seconds": measured}
    print(f"All of it: {write_json(RESULTS, found, name='startup-', now=datetime.now(UTC))}")


if __name__ == "__main__":
    typer.run(run)
