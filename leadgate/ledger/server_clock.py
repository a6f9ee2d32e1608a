"""The clock of a ledger's server, by which all workers go, whatever their own clocks say."""

import threading
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from leadgate.errors import LedgerUnavailable
from leadgate.ledger.engine import reading

_ASKED_EVERY_SECONDS = 60.0


class ServerClock:
    """The database's clock, asked now and then; in between, time is what has passed on this machine since.

    Not what this machine's clock shows, which may be set meanwhile.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asking = threading.Lock()
        self._asked: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The present instant; raise LedgerUnavailable where the server has never answered."""
        server_time, read_at = self._asked or self._ask()
        passed = time.monotonic() - read_at
        if passed > _ASKED_EVERY_SECONDS and self._asking.acquire(blocking=False):
            try:
                server_time, read_at = self._ask()
            except LedgerUnavailable:  # the last answer still holds
                self._asked = server_time, read_at
            finally:
                self._asking.release()
            passed = time.monotonic() - read_at
        return server_time + timedelta(seconds=passed)

    def _ask(self) -> tuple[datetime, float]:
        with reading(self._engine) as connection:
            sent = time.monotonic()
            server_time: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            self._asked = server_time.astimezone(UTC), (sent + time.monotonic()) / 2
        return self._asked
