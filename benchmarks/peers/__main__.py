"""`make bench-peers`: how fast leads are released, beside other tools at the same work. See docs/performance.md."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from benchmarks.__main__ import Database
from benchmarks.figures import RESULTS, align, write_json
from benchmarks.leads import BATCH_SIZE, IN_FLIGHT
from benchmarks.peers.contest import AFTER_A_CRASH, BARE, WAYS, WHOLE, Duties, Entry, contest
from cli.prefect_server import quiet_prefect

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_HEADERS = (
    "database",
    "latency",
    "way",
    "leads",
    "seconds",
    "leads/s",
    "of the limit",
    "CPU ms a lead",
    "first request after",
    "peak MiB",
    "after a crash",
)
_TITLES = {
    Duties.AS_MEANT: "Each as it is meant to be used: the rules are a view of the source",
    Duties.SAME: "With the same duties: each lead is decided, recorded before and after its act, and sent at most once",
}


class Peer(StrEnum):
    """Who is measured beside leadgate."""

    PREFECT = "prefect"
    DBOS = "dbos"
    DLT = "dlt"
    DRT = "drt"


@app.command()
def bench(  # noqa: PLR0913
    *,
    leads: Annotated[int, typer.Option(help="Leads whose enrichment has arrived.", min=1)] = 10_000,
    mapped_leads: Annotated[int, typer.Option(help="Leads of the Prefect flow with a task run each.", min=1)] = 500,
    latency: Annotated[list[str] | None, typer.Option(help="How long every answer takes: 20ms, 0.1.")] = None,
    database: Annotated[list[Database] | None, typer.Option(help="Where source and state are; repeatable.")] = None,
    peer: Annotated[list[Peer] | None, typer.Option(help="Who is measured; repeatable.")] = None,
    duties: Annotated[list[Duties] | None, typer.Option(help="What the peers do; repeatable.")] = None,
    in_flight: Annotated[int, typer.Option(help="Requests at once.", min=1)] = IN_FLIGHT,
) -> None:
    """Measure leadgate, the bare loop and other tools at the same leads, and print a table for each comparison."""
    quiet_prefect(verbose=False)
    entries: list[Entry] = []
    databases = [one.value for one in database or Database]
    peers = [one.value for one in peer or Peer]
    latencies = latency or ["0ms", "20ms", "100ms"]
    comparisons = list(dict.fromkeys(duties or Duties))
    sizes = {"leads": leads, "mapped_leads": mapped_leads, "in_flight": in_flight}
    for entry in contest(databases, latencies, peers, comparisons, **sizes):
        entries.append(entry)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{leads:,} leads in batches of {BATCH_SIZE}, {in_flight} in flight")
    for one in comparisons:
        print(f"\n{_TITLES[one]}")
        print(align(_HEADERS, as_rows(entries, one)))
    found = {"leads": leads, "in_flight": in_flight, "entries": entries}
    print(f"All of it: {write_json(RESULTS, found, name='peers-', now=datetime.now(UTC))}")


def as_rows(entries: Sequence[Entry], duties: Duties) -> list[tuple[str, ...]]:
    """Write each entry of a comparison as a row, beside the limit of its own combination."""
    limits = {(one.database, one.latency): one.leads_per_second for one in entries if one.way == BARE}
    ways = {BARE, WHOLE, *WAYS[duties].values()}
    return [_row(one, limits[one.database, one.latency]) for one in entries if one.way in ways]


def _row(entry: Entry, limit: float) -> tuple[str, ...]:
    known = (entry.database, entry.latency, entry.way, f"{entry.leads:,}")
    if not entry.span:
        return (*known, *["-"] * 6, f"not run: {entry.not_run}")
    return (
        *known,
        f"{entry.span.seconds:.2f}",
        f"{entry.leads_per_second:,.0f}",
        f"{entry.leads_per_second / limit:.3f}",
        f"{1000 * entry.span.cpu_seconds / entry.leads:.2f}",
        f"{entry.first_request_after:.1f} s",
        f"{entry.peak_mib:.0f}",
        AFTER_A_CRASH[entry.way],
    )


if __name__ == "__main__":
    app()
