"""`make bench`: how fast leads are released, beside a bare loop of the same requests. See docs/performance.md."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from benchmarks.figures import RESULTS, as_lines, as_table, write_json
from benchmarks.leads import BATCH_SIZE, IN_FLIGHT
from benchmarks.rounds import Round, run_rounds
from cli.prefect_server import quiet_prefect

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Database(StrEnum):
    """Where source and ledger are kept."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Mode(StrEnum):
    """How updates and acts are sent; separate is one POST a lead."""

    UPDATE_FIRST = "update_first"
    COMBINED = "combined"
    SEPARATE = "separate"


@app.command()
def bench(  # noqa: PLR0913 - one argument an option
    *,
    leads: Annotated[int, typer.Option(help="Leads whose enrichment has arrived.", min=1)] = 10_000,
    latency: Annotated[list[str] | None, typer.Option(help="How long every answer takes: 20ms, 0.1.")] = None,
    database: Annotated[list[Database] | None, typer.Option(help="Where source and ledger are; repeatable.")] = None,
    mode: Annotated[list[Mode] | None, typer.Option(help="delivery.mode; repeatable.")] = None,
    in_flight: Annotated[int, typer.Option(help="Requests at once.", min=1)] = IN_FLIGHT,
    repeats: Annotated[int, typer.Option(help="Rounds of each combination.", min=1)] = 3,
) -> None:
    """Measure the release flow beside a bare httpx loop, in turns, and print one table."""
    quiet_prefect(verbose=False)
    rounds: list[Round] = []
    databases = [one.value for one in database or Database]
    modes = [one.value for one in mode or [Mode.UPDATE_FIRST, Mode.COMBINED]]
    latencies = latency or ["20ms", "100ms"]
    for one in run_rounds(databases, latencies, modes, leads=leads, repeats=repeats, in_flight=in_flight):
        rounds.append(one)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    lines = as_lines(rounds, leads)
    print(f"{leads:,} leads in batches of {BATCH_SIZE}, {in_flight} in flight; median (least-most) of {repeats}")
    print(as_table(lines))
    found = {"leads": leads, "in_flight": in_flight, "lines": lines, "rounds": rounds}
    print(f"All of it: {write_json(RESULTS, found, now=datetime.now(UTC))}")


if __name__ == "__main__":
    app()
