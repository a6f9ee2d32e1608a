"""One account's request rate, held by one row for all who share the ledger: requests wait for slots of time.

Slots are reserved in small blocks, each by one statement. A block that is not used is lost.
"""

import asyncio
from collections import deque
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, Double, case, cast, func, literal

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import rates

_OLD_SECONDS = 0.01
"""How old a slot may be that is reserved: an account that was idle makes up for so much."""
_LATE_SECONDS = 0.025
"""How late a slot may be used; one that is older is lost, or its request would meet those of the next ones.

Together they let 1.035 times the rate, and one request more, out in any one second; some take longer to LeadByte."""
_BLOCK_SECONDS = 0.1
_AHEAD_SECONDS = 0.05
"""How long before a slot the next one is asked for: more than what that takes, so that no slot passes meanwhile."""


@writes
def reserve_turns(
    ledger: Ledger, account: str, turns: int, *, every: timedelta, after: timedelta = timedelta()
) -> timedelta:
    """Reserve the account's next `turns` slots, `every` apart, none before `after`; return the span to the first.

    PostgreSQL takes its own clock, so that the workers' clocks need not agree; SQLite's users are on one machine.
    """
    seconds = every.total_seconds()
    with ledger.transaction() as connection:
        if ledger.dialect == "postgresql":
            now: ColumnElement[float] = cast(func.extract("epoch", func.clock_timestamp()), Double)
        else:
            now = literal(ledger.now().timestamp(), Double)  # read here: the wait for SQLite's lock is over
        oldest = now + (after.total_seconds() - _OLD_SECONDS)
        # A slot so far ahead was reserved by a clock that was wrong.
        is_near = rates.c.next_at.between(oldest, now + 60 + 100 * seconds)
        insert = ledger.insert(rates).values(account=account, next_at=now + (after.total_seconds() + turns * seconds))
        reserve = insert.on_conflict_do_update(
            index_elements=[rates.c.account],
            set_={"next_at": case((is_near, rates.c.next_at), else_=oldest) + turns * seconds},
        )
        ahead = connection.execute(reserve.returning(rates.c.next_at - now)).scalar_one()
    return timedelta(seconds=ahead - turns * seconds)


class Rate:
    """The turns of one process: its requests wait in line, and get their slots a moment ahead of time."""

    def __init__(self, ledger: Ledger, account: str, *, requests_per_second: float) -> None:
        self._ledger = ledger
        self._account = account
        self._every = timedelta(seconds=1 / requests_per_second)
        self._most = max(1, int(_BLOCK_SECONDS * requests_per_second))
        self._line = asyncio.Lock()
        self._waiting = 0
        self._slots: deque[float] = deque()

    async def take_turn(self) -> None:
        """Wait until one more request may be sent to the account; raise LedgerUnavailable as any call of the ledger."""
        time = asyncio.get_running_loop().time
        late = 0.0
        while True:
            self._waiting += 1
            try:
                async with self._line:
                    slot = await self._next_slot(timedelta(seconds=late))
                    await asyncio.sleep(slot - _AHEAD_SECONDS - time())
            finally:
                self._waiting -= 1
            await asyncio.sleep(slot - time())
            if late or time() - slot <= _LATE_SECONDS:
                return  # a second one in a row is used though it is late: a process that is always held up must go on
            late = time() - slot

    async def _next_slot(self, after: timedelta) -> float:
        now = asyncio.get_running_loop().time()
        while self._slots and self._slots[0] < now - _LATE_SECONDS:
            self._slots.popleft()
        if not self._slots:
            await self._reserve(after)
        return self._slots.popleft()

    async def _reserve(self, after: timedelta) -> None:
        await asyncio.sleep(0)  # whoever asks in the same moment is in the line by then
        turns = min(self._waiting, self._most)
        reserve = partial(reserve_turns, self._ledger, self._account, turns, every=self._every, after=after)
        first = await self._ledger.aside(reserve)
        # Counted from when the answer is here: rather later than the slot than before it.
        start, every = asyncio.get_running_loop().time() + first.total_seconds(), self._every.total_seconds()
        self._slots.extend(start + turn * every for turn in range(turns))
