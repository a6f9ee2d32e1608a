"""A pipeline's ledger as one run uses it. The modules beside this one write and read it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from datetime import datetime
from functools import cached_property, partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Table, Text, and_, select
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from leadgate.among import is_among
from leadgate.clock import CLOCKS_AGREE, Clock, utc_now
from leadgate.identity import Identity
from leadgate.ledger.engine import GaveWay, ledger_errors, reading
from leadgate.ledger.schema import ENTRY, pipelines
from leadgate.ledger.server_clock import ServerClock
from leadgate.model import Fingerprint, fingerprint

NOT_ASKED = "LeadByte has not been asked what time it is: no lead becomes late before."

P = ParamSpec("P")
T = TypeVar("T")


class Ledger:
    """The database, the pipeline whose entries are meant, and the run that writes them, named `owner` on its leases.

    No dataclass: Prefect would look through it at every task call (see `leadgate.model.Wave`).
    """

    def __init__(
        self, engine: Engine, *, pipeline: str, owner: str, clock: Clock | None = None, account: str = ""
    ) -> None:
        self.engine, self.dialect = engine, engine.dialect.name
        self.pipeline = pipeline
        self.account = account
        """The LeadByte account that the pipeline acts on, whose brake and rate all its runs share."""
        self.owner = owner
        self._server = ServerClock(engine) if clock is None and self.dialect == "postgresql" else None
        self.clock: Clock = self._server.now if self._server else clock or utc_now
        """The ledger's clock: the database's own where it is a server's, unless one is handed in."""
        self.their_now: Callable[[], datetime | None] | None = None
        """LeadByte's clock, where no server of ours has one; it gives None before LeadByte has answered."""
        self.identity: Identity | None = None
        """The account and source of the pipeline file, where one was read."""
        # SQLite lets one writer in, and threads that take turns for it cost more than one that has all to do.
        self._threads = ThreadPoolExecutor(1 if self.dialect == "sqlite" else None, "leadgate-ledger")

    def close(self) -> None:
        """Give the connections back."""
        self._threads.shutdown(wait=False)
        self.engine.dispose()

    async def aside(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a step that uses this ledger in a thread; on SQLite one at a time."""
        inside = partial(copy_context().run, step, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, inside)

    def now(self) -> datetime:
        """The present instant by the ledger's clock, from which all instants come that it keeps or compares."""
        return self.clock()

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Makes the hashes of values that the ledger keeps, by a key that never leaves it."""
        names = (self.pipeline, "")  # the second is the place that init keeps free
        query = (
            select(pipelines.c.hash_key).where(pipelines.c.pipeline.in_(names)).order_by(pipelines.c.pipeline.desc())
        )
        with self.reading() as connection:
            key = bytes.fromhex(connection.execute(query).scalars().first() or "")
        return partial(fingerprint, key=key)

    def clock_problem(self) -> str | None:
        """Why no lead may be called late by the ledger's clock; None if nothing is known against it.

        A server's clock is compared with this machine's; without a server, LeadByte's is: NOT_ASKED until it is known.
        """
        if self._server:
            other, gap = "the ledger's", utc_now() - self.clock()
        elif self.their_now is None:
            return None
        elif (theirs := self.their_now()) is None:
            return NOT_ASKED
        else:
            other, gap = "LeadByte's", self.clock() - theirs
        if abs(gap) <= CLOCKS_AGREE:
            return None
        seconds = f"{abs(gap).total_seconds():.0f} s"
        return f"This machine's clock and {other} differ by {seconds}: no lead becomes late until they agree."

    @property
    def mine(self) -> ColumnElement[bool]:
        """The entries of this pipeline."""
        return ENTRY.pipeline == self.pipeline

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that only reads."""
        return reading(self.engine)

    def fetch_rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Run one query that reads; return its rows."""
        with self.reading() as connection:
            return connection.execute(query).all()

    def fetch_column(self, query: Select[tuple[T]]) -> list[T]:
        """Run one query that reads; return the values of its only column."""
        with self.reading() as connection:
            return list(connection.scalars(query))

    def fetch_value(self, query: Select[tuple[T]]) -> T | None:
        """Run one query that reads; return the first column of its first row, None if it has no row."""
        with self.reading() as connection:
            return connection.scalar(query)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection whose changes are committed together, or not at all."""
        with ledger_errors(self.engine), self.engine.begin() as connection:
            yield connection

    def write(self, step: "partial[T]") -> T:
        """Run a step that writes, and retry it when the database rolled it back in favour of another transaction.

        Raises LedgerUnavailable when that happens again and again.
        """
        try:
            return step()
        except GaveWay:
            return _patiently(step)

    def lock(self, connection: Connection, ids: Iterable[str]) -> None:
        """Lock the entries of these ids, which are to be written, in the order of their ids.

        Everybody who waits for locks takes them in this order, so that nobody waits in a circle. On SQLite a
        transaction holds the whole file.
        """
        if self.dialect != "sqlite":
            self.locked(connection, self.among(ids))

    def locked(self, connection: Connection, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """Lock the entries that meet conditions, as `lock` does; return the condition to write them by.

        With the conditions alone a statement would also change, in no order, entries that have come to meet them since.
        """
        chosen = and_(self.mine, *conditions)
        if self.dialect == "sqlite":
            return chosen
        query = select(ENTRY.lead_id).where(chosen).order_by(ENTRY.lead_id).with_for_update()
        return and_(self.among(connection.scalars(query)), chosen)

    def among(self, ids: Iterable[str], column: ColumnElement[str] = ENTRY.lead_id) -> ColumnElement[bool]:
        """Whether a column, by default that of entries, holds one of many ids."""
        return is_among(column, list(ids), Text(), dialect=self.dialect)

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - the two dialects' inserts share methods, not a type
        """Give the dialect's own `insert` into a table, which knows ON CONFLICT."""
        if self.dialect == "postgresql":
            from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - brings all its drivers' modules along

            return postgresql.insert(table)
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - as above

        return sqlite.insert(table)


@retry(
    retry=retry_if_exception_type(GaveWay),
    wait=wait_random_exponential(multiplier=0.01, max=1),
    stop=stop_after_attempt(12),
    reraise=True,
)
def _patiently(step: "partial[T]") -> T:
    return step()


def writes(function: Callable[Concatenate[Ledger, P], T]) -> Callable[Concatenate[Ledger, P], T]:
    """Mark a function that changes the ledger: it goes through `Ledger.write`, and opens its own transaction."""

    @wraps(function)
    def write(ledger: Ledger, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return ledger.write(partial(function, ledger, *args, **kwargs))

    return write
