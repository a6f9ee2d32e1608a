"""Progress of a run on the terminal, read from the ledger beside it; standard output stays free for the result."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console

from cli.output import warn
from leadgate.errors import LeadgateError
from leadgate.ledger.status import read_status
from leadgate.model import State
from leadgate.wiring.ledger import ledger_of

_EVERY_SECONDS = 0.5
_SECONDS_TO_END = 3
_PLAIN_EVERY = 10
"""On a terminal that cannot redraw, every so many looks make a line."""


@contextmanager
def live_progress(config: Path) -> Iterator[None]:
    """Show the counts by state on standard error while the body runs."""
    console = Console(stderr=True)
    ended = threading.Event()
    thread = threading.Thread(target=_show, args=(console, config, ended), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_SECONDS_TO_END)  # a ledger that is silent holds up nobody


def _show(console: Console, config: Path, ended: threading.Event) -> None:
    shown, looks = "", 0
    # What goes wrong here, the run itself says.
    with suppress(LeadgateError), ledger_of(config) as (_, ledger), console.status("starting") as line:
        while not ended.wait(_EVERY_SECONDS):
            counts = shown
            with suppress(LeadgateError):
                counts = _line(read_status(ledger).counts)
            line.update(counts)
            looks += 1
            if not console.is_terminal and counts != shown and looks % _PLAIN_EVERY == 0:
                warn(counts)
                shown = counts


def _line(counts: Mapping[State, int]) -> str:
    named = [f"{state.value} {count}" for state, count in counts.items() if count]
    return " · ".join([f"{sum(counts.values())} leads", *named])
