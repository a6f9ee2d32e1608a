"""From rounds to figures: medians with the least and the most, as a table and as JSON."""

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measured import Span
from benchmarks.rounds import Round, Timed

RESULTS = Path(__file__).parent / "results"

_HEADERS = (
    "database",
    "latency",
    "counted",
    "seconds",
    "leads/s",
    "of the limit",
    "CPU s",
    "first request after",
    "peak MiB",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of several rounds, with the least and the most."""

    median: float
    least: float
    most: float

    def text(self, digits: int) -> str:
        """Write it as `median (least-most)`."""
        return f"{self.median:,.{digits}f} ({self.least:,.{digits}f}-{self.most:,.{digits}f})"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: one way of counting, in one combination of database and latency.

    `of_the_limit` is the bare loop's time divided by this one's, each pair from the same round: 1 is as fast as the
    bare loop.
    """

    database: str
    latency: str
    counted: str
    seconds: Figure
    leads_per_second: Figure
    of_the_limit: Figure
    cpu_seconds: Figure
    first_request_after: Figure
    peak_mib: Figure


def as_lines(rounds: Sequence[Round], leads: int) -> list[Line]:
    """Gather the rounds of each combination into three lines: the bare loop, the work, the whole flow run."""
    combinations = dict.fromkeys((one.database, one.latency) for one in rounds)
    return [
        line
        for database, latency in combinations
        for line in _lines([one for one in rounds if (one.database, one.latency) == (database, latency)], leads)
    ]


def as_table(lines: Sequence[Line]) -> str:
    """Write the lines as a Markdown table."""
    rows = [
        (
            line.database,
            line.latency,
            line.counted,
            line.seconds.text(2),
            line.leads_per_second.text(0),
            line.of_the_limit.text(2),
            line.cpu_seconds.text(2),
            f"{line.first_request_after.text(1)} s",
            line.peak_mib.text(0),
        )
        for line in lines
    ]
    return align(_HEADERS, rows)


def align(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table whose columns stand under each other."""
    widths = [max(len(row[column]) for row in [headers, *rows]) for column in range(len(headers))]
    ruled = [headers, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in ruled
    )


def write_json(folder: Path, found: Mapping[str, Any], *, now: datetime, name: str = "") -> Path:
    """Keep everything that was measured, and on what, in a file named by the time; return its path."""
    document = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        **found,
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}{now:%Y-%m-%d-%H%M%S}.json"
    path.write_text(json.dumps(document, indent=1, default=asdict) + "\n", encoding="utf-8")
    return path


def _lines(rounds: Sequence[Round], leads: int) -> Iterator[Line]:
    limits = [one.bare.measured.work.seconds for one in rounds]
    ways: list[tuple[str, list[tuple[Timed, Span]]]] = [
        ("bare loop: the limit", [(one.bare, one.bare.measured.work) for one in rounds]),
        ("(a) first request to last record", [(one.release, one.release.measured.work) for one in rounds]),
        ("(b) the whole flow run, of new leads", [(one.fresh, one.fresh.measured.whole) for one in rounds]),
    ]
    for counted, runs in ways:
        yield Line(
            database=rounds[0].database,
            latency=rounds[0].latency,
            counted=counted,
            seconds=_figure([span.seconds for _, span in runs]),
            leads_per_second=_figure([leads / span.seconds for _, span in runs]),
            of_the_limit=_figure([limit / span.seconds for limit, (_, span) in zip(limits, runs, strict=True)]),
            cpu_seconds=_figure([span.cpu_seconds for _, span in runs]),
            first_request_after=_figure([timed.first_request_after for timed, _ in runs]),
            peak_mib=_figure([timed.measured.peak_mib for timed, _ in runs]),
        )


def _figure(values: Sequence[float]) -> Figure:
    return Figure(median(values), min(values), max(values))
