"""Progress of a run on the terminal, read from the ledger beside it; standard output stays free for the result."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cli.output import warn
from leadgate.config import load_config
from leadgate.errors import LeadgateError
from leadgate.ledger.reads import read_status
from leadgate.model import State
from leadgate.wiring.ledger import open_ledger

_EVERY_SECONDS = 0.5
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
        thread.join()


def _show(console: Console, config: Path, ended: threading.Event) -> None:
    settings = load_config(config)
    try:
        ledger = open_ledger(config, settings)
    except LeadgateError:
        return  # the run itself says what is wrong
    shown = ""
    looks = 0
    try:
        with console.status("starting", spinner="dots") as line:
            while not ended.wait(_EVERY_SECONDS):
                try:
                    counts = _line(read_status(ledger.engine, settings.pipeline).counts)
                except LeadgateError:
                    continue
                line.update(counts)
                looks += 1
                if not console.is_terminal and counts != shown and looks % _PLAIN_EVERY == 0:
                    warn(counts)
                    shown = counts
    finally:
        ledger.close()


def _line(counts: Mapping[State, int]) -> str:
    named = [f"{state.value} {count}" for state, count in counts.items() if count]
    return " · ".join([f"{sum(counts.values())} leads", *named])
