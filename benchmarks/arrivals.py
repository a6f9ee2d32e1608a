"""`python -m benchmarks.arrivals`: what it costs to find arrivals among many waiting leads. See docs/performance.md.

Each step runs in a process of its own, so that its peak of memory is its own.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import create_engine, text

from benchmarks.leads import write_pipeline
from benchmarks.servers import postgres_server
from cli.blocks import read_block
from leadgate.clock import utc_now
from leadgate.intake import compare_all, look_for_arrivals, register_leads
from leadgate.wiring.pipeline import Pipeline, open_pipeline

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_ROOT = Path(__file__).parents[1]
_TABLES = (
    "CREATE TABLE quarantined_leads (quarantine_id BIGINT PRIMARY KEY, quarantined_at TIMESTAMP)",
    """CREATE TABLE lead_enrichment (quarantine_id BIGINT PRIMARY KEY, postcode TEXT, phone_verified BOOLEAN,
    opted_out BOOLEAN, score DOUBLE PRECISION, mobile TEXT, updated_at TIMESTAMP)""",
    "CREATE INDEX leads_quarantined_at ON quarantined_leads (quarantined_at, quarantine_id)",
    "CREATE INDEX enrichment_updated_at ON lead_enrichment (updated_at, quarantine_id)",
)
_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {n}) ",
    "postgresql": "WITH numbers AS (SELECT n FROM generate_series(1, {n}) AS n) ",
}
_STAMP = {
    # Spread over five hours that ended an hour ago.
    "sqlite": "datetime('now', '-1 hours', '-' || (n * 18000 / {n}) || ' seconds')",
    "postgresql": "(now() AT TIME ZONE 'UTC') - interval '1 hour' - (n * 18000.0 / {n}) * interval '1 second'",
}
_NOW = {"sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')", "postgresql": "clock_timestamp() AT TIME ZONE 'UTC'"}


class UserSource:
    """A source in which leads wait, each with a row of enrichment that lacks its postcode."""

    def __init__(self, url: str, waiting: int) -> None:
        self.url = url
        self._engine = create_engine(url)
        self._dialect = self._engine.dialect.name
        self._arrived = 0
        numbers, stamp = (by_dialect[self._dialect].format(n=waiting) for by_dialect in (_NUMBERS, _STAMP))
        select = "INSERT INTO {table} {numbers} SELECT {columns} FROM numbers"
        if self._dialect == "postgresql":
            select = f"INSERT INTO {{table}} SELECT {{columns}} FROM ({numbers} SELECT n FROM numbers) AS numbers"  # noqa: S608
        self._run(
            *_TABLES,
            select.format(table="quarantined_leads", numbers=numbers, columns=f"n, {stamp}"),
            select.format(
                table="lead_enrichment", numbers=numbers, columns=f"n, NULL, TRUE, FALSE, 0.9, '07700900123', {stamp}"
            ),
        )
        self._run("ANALYZE")

    def let_arrive(self, count: int) -> None:
        """Complete the rows of so many more leads, spread over all of them."""
        first, self._arrived = self._arrived, self._arrived + count
        self._run(
            f"UPDATE lead_enrichment SET postcode = 'TN25 6QD', updated_at = {_NOW[self._dialect]} "  # noqa: S608
            f"WHERE quarantine_id > {first} AND quarantine_id <= {first + count}"
        )

    def _run(self, *statements: str) -> None:
        with self._engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _register(pipeline: Pipeline) -> int:
    count = register_leads(pipeline.source, pipeline.ledger, pipeline.config, now=utc_now()).count
    _look(pipeline)
    return count


def _look(pipeline: Pipeline) -> int:
    return look_for_arrivals(pipeline.source, pipeline.ledger, pipeline.config, now=utc_now()).arrived


def _compare(pipeline: Pipeline) -> int:
    config = pipeline.config.model_copy(deep=True)
    source = config.source.model_copy(update={"compare_every": config.source.compare_every * 0})
    compared = compare_all(
        pipeline.source, pipeline.ledger, config.model_copy(update={"source": source}), now=utc_now()
    )
    return compared.looked.seen if compared.looked else 0


_STEPS: dict[str, Callable[[Pipeline], int]] = {"register": _register, "look": _look, "compare": _compare}


@app.command(hidden=True)
def step(name: str, file: Path) -> None:
    """Do one step and tell what it cost: seconds, MiB more than before, leads."""
    with open_pipeline(file, read_block) as pipeline:
        before = _peak()
        began = time.monotonic()
        count = _STEPS[name](pipeline)
        seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "mib": _peak() - before, "peak_mib": _peak(), "leads": count}))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _measured(name: str, file: Path, *, expected: int | None = None) -> dict[str, float]:
    argv = [sys.executable, "-m", "benchmarks.arrivals", "step", name, str(file)]
    ended = subprocess.run(argv, cwd=_ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if ended.returncode:
        raise RuntimeError(f"{name} ended with {ended.returncode}:\n{ended.stderr}")
    cost = dict(json.loads(ended.stdout))
    if expected is not None and cost["leads"] != expected:
        raise RuntimeError(f"{name} found {cost['leads']} leads, not {expected}")
    return cost


@app.command()
def run(
    *,
    waiting: Annotated[list[int] | None, typer.Option(help="Leads that wait; repeatable.")] = None,
    arrivals: Annotated[list[int] | None, typer.Option(help="Leads whose data arrives; repeatable.")] = None,
    database: Annotated[list[str] | None, typer.Option(help="sqlite or postgresql; repeatable.")] = None,
    repeats: Annotated[int, typer.Option(help="Looks of each kind; the median counts.", min=1)] = 3,
) -> None:
    """Print, for each database and number of waiting leads, what registering, looking and comparing cost."""
    lines: list[dict[str, object]] = []
    for one in database or ["sqlite", "postgresql"]:
        for count in waiting or [10_000, 100_000, 1_000_000]:
            kinds = arrivals or [0, 100, 10_000]
            # So many wait when the last have arrived.
            total = count + repeats * sum(kinds)
            with _place(one, total) as (source, file):
                costs = {f"register {total:,}, look at all": _measured("register", file, expected=total)}
                for arriving in kinds:
                    costs[f"look, {arriving:,} arrive"] = _looks(source, file, arriving, repeats)
                costs["compare everything"] = _measured("compare", file)
            for what, cost in costs.items():
                lines.append({"database": one, "waiting": count, "what": what, **cost})
                print(_row(one, count, what, cost), flush=True)
    folder = _ROOT / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    path = folder / f"arrivals-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(lines, indent=1), encoding="utf-8")
    print(f"All of it: {path}")


def _looks(source: UserSource, file: Path, arriving: int, repeats: int) -> dict[str, float]:
    looks = []
    # The first looks read the overlap once more; what is asked is what it costs day by day.
    for _ in range(repeats if arriving else repeats + 2):
        source.let_arrive(arriving)
        looks.append(_measured("look", file, expected=arriving))
    return sorted(looks[-repeats:], key=lambda look: look["seconds"])[repeats // 2]


def _row(database: str, waiting: int, what: str, cost: dict[str, float]) -> str:
    return (
        f"| {database} | {waiting:,} | {what} | {1000 * cost['seconds']:,.1f} ms | {cost['mib']:.0f} MiB "
        f"| {cost['peak_mib']:.0f} MiB |"
    )


@contextmanager
def _place(database: str, waiting: int) -> Iterator[tuple[UserSource, Path]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-arrivals-")))
        source_url, ledger_url = f"sqlite:///{folder / 'source.db'}", "sqlite:///ledger.db"
        if database == "postgresql":
            server = stack.enter_context(postgres_server())
            server.create_database("source")
            server.create_database("ledger")
            source_url, ledger_url = server.url("source"), server.url("ledger")
        source = UserSource(source_url, waiting)
        stack.callback(source.close)
        file = folder / "leadgate.yaml"
        write_pipeline(file, base_url="http://127.0.0.1:9", source_url=source_url, ledger_url=ledger_url, leads=waiting)
        yield source, file


if __name__ == "__main__":
    app()
