"""The two seats of a pipeline: one run is at work, one is to come; every other finds both taken and ends at once.

They only save work: two runs at once never share a lead anyway. A killed run's seat is free when its lease ends.
The run to come has not looked at the source yet, so it finds all that was due when others ended.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, or_

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import seats


class Seat(StrEnum):
    """Whether a run works now, or when the one at work has ended."""

    AT_WORK = "at_work"
    TO_COME = "to_come"


LEASES = {Seat.AT_WORK: timedelta(seconds=60), Seat.TO_COME: timedelta(seconds=20)}
"""How long a seat is kept for a run that is not heard of any more."""


@writes
def take_seat(ledger: Ledger, *, now: datetime) -> Seat | None:
    """Take the seat at work, or the one to come if a run is at work; None if both are taken."""
    with ledger.transaction() as connection:
        if not _take(ledger, connection, Seat.TO_COME, now):
            return None
        if not _take(ledger, connection, Seat.AT_WORK, now):
            return Seat.TO_COME
        _leave(ledger, connection, Seat.TO_COME)
        return Seat.AT_WORK


@writes
def keep_seat(ledger: Ledger, *, now: datetime) -> None:
    """Hold on to the seat at work for another lease; one that another run has taken stays with that run."""
    with ledger.transaction() as connection:
        _take(ledger, connection, Seat.AT_WORK, now)


@writes
def leave_seat(ledger: Ledger) -> None:
    """Free whichever seat this run has."""
    with ledger.transaction() as connection:
        _leave(ledger, connection, *Seat)


def _take(ledger: Ledger, connection: Connection, seat: Seat, now: datetime) -> bool:
    """Take or keep a seat in one statement; return whether it is this run's now."""
    until = now + LEASES[seat]
    insert = ledger.insert(seats).values(pipeline=ledger.pipeline, seat=seat, owner=ledger.owner, until=until)
    # A lease that lies further ahead than its length was written by a clock that was ahead.
    free = or_(seats.c.owner == ledger.owner, seats.c.until < now, seats.c.until > until)
    taken = insert.on_conflict_do_update(
        index_elements=[seats.c.pipeline, seats.c.seat],
        set_={"owner": insert.excluded.owner, "until": insert.excluded.until},
        where=free,
    )
    return connection.execute(taken.returning(seats.c.owner)).first() is not None


def _leave(ledger: Ledger, connection: Connection, *left: Seat) -> None:
    own = (seats.c.pipeline == ledger.pipeline, seats.c.owner == ledger.owner, seats.c.seat.in_(left))
    connection.execute(seats.delete().where(*own))
