"""The two seats of a pipeline: one run is at work, one is to come, and every other finds both taken and ends at once.

They save work and keep nobody safe: two runs at once never share a lead anyway. A seat is a lease that its run renews,
so the seat of a killed run is free when the lease ends. Who is to come has not looked yet: it sees all that was due
when others found both seats taken.
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
    """Take the seat that is to come, and the one at work where that is free; None where another run is to come."""
    with ledger.transaction() as connection:
        if not _sit(ledger, connection, Seat.TO_COME, now):
            return None
        if not _sit(ledger, connection, Seat.AT_WORK, now):
            return Seat.TO_COME
        _stand_up(ledger, connection, Seat.TO_COME)
        return Seat.AT_WORK


@writes
def keep_seat(ledger: Ledger, *, now: datetime) -> None:
    """Hold on to the seat at work for another lease; one that another run has taken stays with that run."""
    with ledger.transaction() as connection:
        _sit(ledger, connection, Seat.AT_WORK, now)


@writes
def leave_seat(ledger: Ledger) -> None:
    """Free whichever seat this run has."""
    with ledger.transaction() as connection:
        _stand_up(ledger, connection, *Seat)


def _sit(ledger: Ledger, connection: Connection, seat: Seat, now: datetime) -> bool:
    """Take a seat, or keep it, in one statement; whether it is this run's now."""
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


def _stand_up(ledger: Ledger, connection: Connection, *which: Seat) -> None:
    mine = (seats.c.pipeline == ledger.pipeline, seats.c.owner == ledger.owner, seats.c.seat.in_(which))
    connection.execute(seats.delete().where(*mine))
