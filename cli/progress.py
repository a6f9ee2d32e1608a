"""Progress of a run on the terminal, read from the ledger beside it; standard output stays free for the result."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from leadgate.errors import LeadgateError
from leadgate.ledger.status import read_status
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
    thread = threading.Thread(target=_follow, args=(sign, config, ended), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        sign.end()
        thread.join(_SECONDS_TO_END)  # a ledger that does not answer holds up nothing


def _follow(sign: Sign, config: Path, ended: threading.Event) -> None:
    # The run itself reports what goes wrong here.
    with suppress(LeadgateError), ledger_of(config) as (_, ledger):
        while not ended.wait(_EVERY_SECONDS):
            with suppress(LeadgateError):
                counts = read_status(ledger).counts
                states = [f"{state.value} {count}" for state, count in counts.items() if count]
                sign.doing(" · ".join([counted(sum(counts.values()), "lead"), *states]))
