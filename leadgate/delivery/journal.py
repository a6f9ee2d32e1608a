"""Many batches, few transactions: while one is being committed, what the others want written gathers for the next.

A commit waits for the disk, and SQLite lets one writer in at a time: batches that each wrote for themselves would
spend their time waiting for each other.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadgate.errors import LedgerUnavailable
from leadgate.ledger import Ledger
from leadgate.model import Attempt, Decision, Outcome


@dataclass(slots=True)
class _Entry:
    """What one batch wants written, and who waits for it: with the ids that may be sent, once that is committed."""

    written: asyncio.Future[set[str]]
    outcomes: Sequence[Outcome] = ()
    attempted: Sequence[Attempt] = ()
    decided: Mapping[str, Decision] = field(default_factory=dict)

    def fulfil(self, written: set[str] | BaseException) -> None:
        """Tell whoever waits, unless it has been cancelled meanwhile."""
        if self.written.done():
            return
        if isinstance(written, BaseException):
            self.written.set_exception(written)
        else:
            self.written.set_result(written.intersection(attempt.claim.lead_id for attempt in self.attempted))


class Journal:
    """Writes the intents and outcomes of one run, each a group at a time."""

    def __init__(self, ledger: Ledger, *, lease: timedelta, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._lease = lease
        self._clock = clock
        self._intents = _Lane(self._intend)
        self._outcomes = _Lane(self._record)

    async def intend(self, attempted: Sequence[Attempt], decided: Mapping[str, Decision]) -> set[str]:
        """Commit intents as `Ledger.intend` does; return the ids that may be sent."""
        return await self._intents.write(_Entry(_future(), attempted=attempted, decided=decided))

    async def record(self, outcomes: Sequence[Outcome]) -> None:
        """Record outcomes as `Ledger.record` does."""
        await self._outcomes.write(_Entry(_future(), outcomes=outcomes))

    def _record(self, entries: Sequence[_Entry]) -> set[str]:
        self._ledger.record([outcome for entry in entries for outcome in entry.outcomes], now=self._clock())
        return set()

    def _intend(self, entries: Sequence[_Entry]) -> set[str]:
        return self._ledger.intend(
            [attempt for entry in entries for attempt in entry.attempted],
            decided={lead_id: decision for entry in entries for lead_id, decision in entry.decided.items()},
            lease=self._lease,
            now=self._clock(),
        )


class _Lane:
    """What waits to be written in one way, and the one task that writes it."""

    def __init__(self, write: Callable[[Sequence[_Entry]], set[str]]) -> None:
        self._write_group = write
        self._waiting: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, entry: _Entry) -> set[str]:
        """Write an entry with whatever else waits by then; return the ids that may be sent."""
        self._waiting.append(entry)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await entry.written

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                entries, self._waiting = self._waiting, []
                for entry, written in await asyncio.to_thread(self._write_each, entries):
                    entry.fulfil(written)
        finally:
            self._writer = None

    def _write_each(self, entries: Sequence[_Entry]) -> list[tuple[_Entry, set[str] | BaseException]]:
        """Write entries together; what cannot be written must not take the others with it."""
        try:
            written: set[str] | BaseException = self._write_group(entries)
        except BaseException as error:  # noqa: BLE001 - raised to whoever waits for it
            if len(entries) > 1 and not isinstance(error, LedgerUnavailable):
                return [pair for entry in entries for pair in self._write_each([entry])]
            written = error
        return [(entry, written) for entry in entries]


def _future() -> asyncio.Future[set[str]]:
    return asyncio.get_running_loop().create_future()
