"""Progress of a run on the terminal, read from the ledger beside it; standard output stays free for the result."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from leadgate.errors import LeadgateError
from leadgate.ledger.status import read_status
from leadgate.model import State
from leadgate.readable import counted
from leadgate.sign_of_life import Sign
from leadgate.wiring.ledger import ledger_of

_EVERY_SECONDS = 0.5
_SECONDS_TO_END = 3


@contextmanager
def live_progress(config: Path) -> Iterator[None]:
    """Show the counts by state on standard error while the body runs."""
    ended = threading.Event()
    sign = Sign("starting")
    thread = threading.Thread(target=_look, args=(sign, config, ended), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        sign.end()
        thread.join(_SECONDS_TO_END)  # a ledger that is silent holds up nobody


def _look(sign: Sign, config: Path, ended: threading.Event) -> None:
    # What goes wrong here, the run itself says.
    with suppress(LeadgateError), ledger_of(config) as (_, ledger):
        while not ended.wait(_EVERY_SECONDS):
            with suppress(LeadgateError):
                sign.doing(_line(read_status(ledger).counts))


def _line(counts: Mapping[State, int]) -> str:
    named = [f"{state.value} {count}" for state, count in counts.items() if count]
    return " · ".join([counted(sum(counts.values()), "lead"), *named])
