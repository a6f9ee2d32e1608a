"""The seat of a run that Prefect has started: it works, it waits for the one at work, or it ends at once as Skipped.

Where several events come together Prefect starts a run for each. One that finds a run at work and another to come has
nothing to do: the one to come looks afterwards, and finds all that is due now.
"""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import deployment
from prefect.states import Cancelled, Completed

from leadgate.errors import LedgerError
from leadgate.ledger import Ledger
from leadgate.ledger.seats import LEASES, Seat, keep_seat, leave_seat, take_seat
from leadgate.stopping import stop_on_signals
from leadgate.summary import Summary
from leadgate.wiring.ledger import ledger_of
from tasks.report import name_run

SKIPPED = "Skipped"
"""The name of the state; its type is Completed, since nothing is wrong."""
_ASK_EVERY = timedelta(seconds=2)
_RENEW_EVERY = LEASES[Seat.AT_WORK] / 4


@asynccontextmanager
async def seated(path: Path, *, is_asked_for: bool) -> AsyncIterator[State[Summary] | None]:
    """Take the seat at work, and give None once this run has it; else give the state that the run ends with.

    A run that somebody has asked for, on the command line or with parameters of its own, needs no seat and has none.
    """
    if is_asked_for or not deployment.get_id():
        yield None
        return
    with ledger_of(path) as (_, ledger):
        try:
            ending = await _wait_for_turn(ledger)
            if ending:
                yield ending
                return
            with _kept(ledger):
                yield None
        finally:
            _leave(ledger)


async def _wait_for_turn(ledger: Ledger) -> State[Summary] | None:
    is_told = False
    with stop_on_signals() as stop:
        while (seat := take_seat(ledger, now=ledger.now())) is not Seat.AT_WORK:
            if not is_told:
                await name_run(ledger.pipeline, ledger.now())
            if seat is None:
                return Completed(
                    name=SKIPPED, message="One run is at work and another is to come: it takes what is due now."
                )
            if not is_told:
                get_run_logger().info("event=waits_for_the_run_at_work pipeline=%s", ledger.pipeline)
                is_told = True
            await stop.sleep(_ASK_EVERY)
            if stop:
                return Cancelled(message=f"Stopped by {stop.signal_name} before it began: nothing was done.")
    return None


@contextmanager
def _kept(ledger: Ledger) -> Iterator[None]:
    """Renew the seat in a thread: a stage that reads for minutes must not cost it."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(_RENEW_EVERY.total_seconds()):
            try:
                keep_seat(ledger, now=ledger.now())
            except LedgerError:
                continue  # the run itself meets it too, and says so

    thread = threading.Thread(target=renew, name="leadgate-seat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _leave(ledger: Ledger) -> None:
    """Free the seat; where the ledger is down its lease does."""
    try:
        leave_seat(ledger)
    except LedgerError:
        get_run_logger().warning("event=seat_kept until_its_lease_ends=%s", LEASES[Seat.AT_WORK])
