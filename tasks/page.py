"""What a run shows on its page in Prefect, as long as the server answers: the ledger needs no page."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from prefect import get_client, get_run_logger
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from leadgate.summary import Summary
from tasks.observed import quoted

PAGE_LOST = (
    "The Prefect server does not answer any more: the run's page there is not complete. The ledger has everything; "
    "`leadgate status` reads it."
)
_PATIENCE_SECONDS = 6
"""How long one entry of the page may take."""
_LEAVES_AFTER_SECONDS = 9
"""How long Prefect may try to tell its server how a run has ended, once that server has not answered."""
_SERVER_ANSWERS_WITHIN_SECONDS = 2
_OWN_PROCESS = "PREFECT__FLOW_RUN_ID"
"""Prefect's workers set it for the process of a run."""

T = TypeVar("T")


class Page:
    """The run's page; once the server has not answered, no more is written to it until `try_again`."""

    def __init__(self) -> None:
        self.is_lost = False
        self._was_told = False

    def try_again(self) -> None:
        """Let the next entry be tried, whatever has become of those before."""
        self.is_lost = False

    async def show(self, entry: Coroutine[Any, Any, T], *, within: float = _PATIENCE_SECONDS) -> T | None:
        """Write an entry; None if the server does not answer, which costs the run its page and nothing else."""
        if self.is_lost:
            entry.close()
            return None
        try:
            async with asyncio.timeout(within):
                return await entry
        except (httpx.HTTPError, TimeoutError):
            self.is_lost = True
        if not self._was_told:
            self._was_told = True
            get_run_logger().warning("event=page_lost problem=%s", quoted(PAGE_LOST))
        return None


@dataclass
class End:
    """How a run has ended, for whoever started it in this process: Prefect may not be able to say it."""

    on_own_server: bool
    """Whether the Prefect server was started for this run, so that nobody hears what is told there."""
    summary: Summary | None = None
    trouble: str | None = None
    run_id: str = ""
    is_lost: bool = False


_END: ContextVar[End | None] = ContextVar("end", default=None)


@contextmanager
def noted_end(*, on_own_server: bool) -> Iterator[End]:
    """Note how the run that is started inside of this ends."""
    end = End(on_own_server)
    token = _END.set(end)
    try:
        yield end
    finally:
        _END.reset(token)


def is_heard() -> bool:
    """Whether the server of this run is one that automations may listen on."""
    end = _END.get()
    return end is None or not end.on_own_server


def note_end(summary: Summary, trouble: str | None, page: Page) -> None:
    """Note how the run of this context has ended, if anybody wants to know."""
    if end := _END.get():
        end.summary, end.trouble, end.is_lost = summary, trouble, page.is_lost
        end.run_id = str(flow_run.get_id())


def leave_in_time(page: Page) -> None:
    """End the process that a worker has started for a run, if Prefect cannot say soon how the run has ended.

    Its work is done and recorded, and Prefect itself would try for minutes. A server that is only slow is waited for.
    """
    if page.is_lost and os.environ.get(_OWN_PROCESS):
        # A process that ends by itself does not wait for it.
        threading.Thread(target=_leave_when_gone, name="leadgate-leaves-in-time", daemon=True).start()


def is_server_gone() -> bool:
    """Whether the Prefect server does not even say that it is there."""
    patience = {PREFECT_CLIENT_MAX_RETRIES: 0, PREFECT_API_REQUEST_TIMEOUT: _SERVER_ANSWERS_WITHIN_SECONDS}
    with temporary_settings(patience), get_client(sync_client=True) as client:
        return client.api_healthcheck() is not None


def _leave_when_gone() -> None:
    time.sleep(_LEAVES_AFTER_SECONDS)
    while not is_server_gone():
        time.sleep(_LEAVES_AFTER_SECONDS)
    print(f"leadgate: {PAGE_LOST} The process of this run ends now.", file=sys.stderr)  # noqa: T201 - the log's server is gone
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
