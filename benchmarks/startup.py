"""`python -m benchmarks.startup`: the CPU time of short verbs, each a process of its own.

Beside those that only look stand Python, and the libraries that every verb needs, imported and nothing else; beside a
run that finds nothing to do, a Prefect flow that does nothing. `--settled` says how many leads are in the ledger that
came to their end: none of this is to depend on it. See docs/performance.md.
"""

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
from benchmarks.leads import FIRST_ID, fill_source, write_pipeline
from benchmarks.ledger import Way
from benchmarks.pruning import fill_settled
from benchmarks.rounds import databases_of
from benchmarks.servers import prefect_server
from leadgate.ledger import Ledger, open_engine

_ROOT = Path(__file__).parents[1]
_LEADS = 1000
_EMPTY_FLOW = "from prefect import flow\n\n@flow\ndef empty() -> None: ...\n\nempty()\n"
_LEAD = str(FIRST_ID)
_LIBRARIES = "import typer, ruamel.yaml, sqlalchemy.dialects.{}; from pydantic import BaseModel, TypeAdapter"
_DRIVERS = {"sqlite": "sqlite, sqlite3", "postgresql": "postgresql, psycopg"}


def _programs(database: str, pipeline: Path) -> dict[str, list[str]]:
    config = ["--config", str(pipeline)]
    verbs = {"--help": [], "status": config, "explain LEAD": [_LEAD, *config], "run, nothing to do": config}
    command = {verb: ["-m", "leadgate", verb.split(",")[0].split()[0], *rest] for verb, rest in verbs.items()}
    libraries = _LIBRARIES.format(_DRIVERS[database])
    empty = pipeline.with_name("empty.py")
    empty.write_text(_EMPTY_FLOW, "utf-8")
    alone = {"Python alone": ["-c", "pass"], "its libraries alone": ["-c", libraries]}
    return alone | {"a Prefect flow that does nothing": [str(empty)]} | command


def _cpu_seconds(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    """Run a Python to its end and tell what it used, user and system; raise RuntimeError if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(  # noqa: S603 - Python itself
        [sys.executable, *arguments], cwd=_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _measure(databases: Sequence[str], repeats: int, settled: int) -> Iterator[tuple[str, str, Figure]]:
    with ExitStack() as stack:
        environment = stack.enter_context(prefect_server()) | {"PREFECT_LOGGING_LEVEL": "ERROR"}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-startup-")))
        for database in databases:
            url = stack.enter_context(databases_of(database, folder)).new_ledger()
            pipeline = folder / f"{database}.yaml"
            source_url = f"sqlite:///{folder / 'source.db'}"
            fill_source(source_url, _LEADS)
            write_pipeline(pipeline, base_url="http://127.0.0.1:1", source_url=source_url, ledger_url=url, leads=_LEADS)
            with closing(Ledger(open_engine(url, base_dir=folder), pipeline="benchmark", owner="one")) as ledger:
                Way(ledger, _LEADS).take(_LEADS)
                fill_settled(ledger, settled, 0)
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
    settled: Annotated[int, typer.Option(help="Leads in the ledger that came to their end.", min=0)] = 0,
    database: Annotated[list[Database] | None, typer.Option(help="Where the ledger is; repeatable.")] = None,
) -> None:
    """Print what each verb uses, in turns, so that a slow minute of the machine hits all of them."""
    measured = list(_measure([one.value for one in database or Database], repeats, settled))
    print(f"{repeats} processes each, on a ledger of {settled + _LEADS:,} leads; median (least-most)")
    print(align(("database", "verb", "CPU s"), [(place, verb, took.text(2)) for place, verb, took in measured]))
    found = {"repeats": repeats, "leads": settled + _LEADS, "cpu_seconds": measured}
    print(f"All of it: {write_json(RESULTS, found, name='startup-', now=datetime.now(UTC))}")


if __name__ == "__main__":
    typer.run(run)
