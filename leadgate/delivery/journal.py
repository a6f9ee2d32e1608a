"""Many batches, few transactions: while one is being committed, what the others want written gathers for the next.

A commit waits for the disk, and SQLite lets one writer in at a time: batches that each wrote for themselves would
spend their time waiting for each other.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from leadgate.config import BudgetsConfig, DeliveryConfig
from leadgate.errors import LedgerUnavailable
from leadgate.ledger import Ledger
from leadgate.ledger.sending import Intended, intend, record
from leadgate.model import Attempt, Outcome

T = TypeVar("T")
R = TypeVar("R")


class Journal:
    """Writes the intents and outcomes of one run, each a group at a time."""

    def __init__(self, ledger: Ledger, delivery: DeliveryConfig, budgets: BudgetsConfig) -> None:
        self._ledger = ledger
        self._delivery = delivery
        self._budgets = budgets
        self._intents = _Lane(self._intend, ledger)
        self._outcomes = _Lane(self._record, ledger)

    async def intend(self, attempts: Sequence[Attempt]) -> Intended:
        """Commit intents as `leadgate.ledger.sending.intend` does; what it says is of these and of others."""
        return await self._intents.write(attempts)

    async def record(self, outcomes: Sequence[Outcome], judged_at: datetime) -> None:
        """Record outcomes, which were judged at an instant, as `leadgate.ledger.sending.record` does."""
        await self._outcomes.write([(outcome, judged_at) for outcome in outcomes])

    def _intend(self, attempts: Sequence[Attempt]) -> Intended:
        return intend(
            self._ledger,
            attempts,
            lease=self._delivery.lease,
            now=self._ledger.now(),
            in_doubt_at_most=self._delivery.in_doubt_at_most,
            budgets=self._budgets,
        )

    def _record(self, judged: Sequence[tuple[Outcome, datetime]]) -> None:
        latest = max((at for _, at in judged), default=None)
        record(self._ledger, [outcome for outcome, _ in judged], now=self._ledger.now(), judged_at=latest)


class _Lane(Generic[T, R]):
    """What waits to be written in one way, and the one task that writes it."""

    def __init__(self, write_group: Callable[[Sequence[T]], R], ledger: Ledger) -> None:
        self._write_group = write_group
        self._ledger = ledger
        self._waiting: list[tuple[Sequence[T], asyncio.Future[R]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, items: Sequence[T]) -> R:
        """Write items with whatever else waits by then; return what came of all that was written."""
        written: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await written

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                results = await self._ledger.aside(self._write_each, [items for items, _ in waiting])
                for (_, written), result in zip(waiting, results, strict=True):
                    if written.done():  # whoever waited has been cancelled meanwhile
                        continue
                    if isinstance(result, BaseException):
                        written.set_exception(result)
                    else:
                        written.set_result(result)
        finally:
            self._writer = None

    def _write_each(self, batches: Sequence[Sequence[T]]) -> list[R | BaseException]:
        """Write batches together; what cannot be written must not take the others with it."""
        try:
            return [self._write_group([item for items in batches for item in items])] * len(batches)
        except BaseException as error:  # noqa: BLE001 - raised to whoever waits for it
            if len(batches) > 1 and not isinstance(error, LedgerUnavailable):
                return [result for items in batches for result in self._write_each([items])]
            return [error] * len(batches)
