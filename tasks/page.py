"""What a run shows on its page in Prefect, as long as the server answers: the ledger needs no page."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from prefect import get_run_logger
from prefect.runtime import flow_run

from leadgate.summary import Summary
from tasks.observed import quoted

PAGE_LOST = (
    "The Prefect server does not answer any more: the run's page there is not complete. The ledger has everything; "
    "`leadgate status` reads it."
)
_PATIENCE_SECONDS = 6
"""How long one entry of the page may take."""

T = TypeVar("T")


class Page:
    """The run's page; once the server has not answered, no more is written to it until `try_again`."""

    def __init__(self) -> None:
        self.is_lost = False
        self._was_told = False

    def try_again(self) -> None:
        """Let the next entry be tried, whatever has become of those before."""
        self.is_lost = False

    async def show(self, entry: Coroutine[Any, Any, T]) -> T | None:
        """Write an entry; None if the server does not answer, which costs the run its page and nothing else."""
        if self.is_lost:
            entry.close()
            return None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
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

    summary: Summary | None = None
    trouble: str | None = None
    run_id: str = ""
    is_lost: bool = False


_END: ContextVar[End | None] = ContextVar("end", default=None)


@contextmanager
def noted_end() -> Iterator[End]:
    """Note how the run that is started inside of this ends."""
    end = End()
    token = _END.set(end)
    try:
        yield end
    finally:
        _END.reset(token)


def note_end(summary: Summary, trouble: str | None, page: Page) -> None:
    """Note how the run of this context has ended, if anybody wants to know."""
    if end := _END.get():
        end.summary, end.trouble, end.is_lost = summary, trouble, page.is_lost
        end.run_id = str(flow_run.get_id())
