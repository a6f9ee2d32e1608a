"""Where a pipeline's leads are now: counts, ages, what is due. Nothing here changes a row."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, func, select, true

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.observed import HELD
from leadgate.ledger.schema import ENTRY, in_state, readings, settled
from leadgate.model import FINAL_STATES, State


@dataclass(frozen=True, slots=True)
class Status:
    """Where a pipeline's leads are, and how fresh what it knows is."""

    counts: dict[State, int]
    oldest_waiting_since: datetime | None
    read_at: datetime | None
    healthy_at: datetime | None
    newest_at: datetime | None
    inferred: int = 0
    """Settled leads of which no answer says that their act was taken."""
    held: int = 0
    """Of the waiting ones those that were decided before, and are decided again at a time: held, or observed."""


@dataclass(frozen=True, slots=True)
class Due:
    """How many leads wait for a decision or a probe, and since when the first of them does; None where none does."""

    ready: int
    unknown: int
    since: datetime | None


def read_status(ledger: Ledger) -> Status:
    """Count a pipeline's entries by state, every state named, and tell the ages that matter."""
    # Each state by the index that holds it; one that is being sent has a lease.
    leased = {State.SENDING: ENTRY.lease_until.is_not(None)}
    is_open = {
        state: select(func.count()).where(ledger.mine, in_state(state), leased.get(state, true()))
        for state in State
        if state not in FINAL_STATES
    }
    ended = select(settled.c.state, settled.c.inferred, settled.c.leads).where(settled.c.pipeline == ledger.pipeline)
    held = select(func.count()).where(ledger.mine, HELD)
    oldest = select(func.min(ENTRY.quarantined_at)).where(ledger.mine, in_state(State.WAITING))
    newest = select(readings).where(readings.c.pipeline == ledger.pipeline)
    with ledger.reading() as connection:
        counts = {state: connection.scalar(query) or 0 for state, query in is_open.items()}
        rows = connection.execute(ended).all()
        counts |= {state: sum(row.leads for row in rows if row.state == state) for state in FINAL_STATES}
        look = connection.execute(newest).first()
        return Status(
            counts={state: counts[state] for state in State},
            oldest_waiting_since=connection.scalar(oldest),
            read_at=look.read_at if look else None,
            healthy_at=look.healthy_at if look else None,
            newest_at=look.newest_at if look else None,
            inferred=sum(row.leads for row in rows if row.inferred),
            held=connection.scalar(held) or 0,
        )


def read_due(ledger: Ledger, *, now: datetime) -> Due:
    """Count the leads that are due and held by nobody; the cost grows with them, not with those that wait."""
    free = (ledger.mine, ENTRY.lease_owner.is_(None), ENTRY.due_at <= now)
    counted = select(func.count().label("leads"), func.min(ENTRY.due_at).label("since")).where(*free)
    with ledger.reading() as connection:
        ready = connection.execute(counted.where(in_state(State.READY))).one()
        unknown = connection.execute(counted.where(in_state(State.UNKNOWN))).one()
    since = min((at for at in (ready.since, unknown.since) if at), default=None)
    return Due(ready.leads, unknown.leads, since)


def read_next_due(ledger: Ledger, *, after: datetime, until: datetime) -> datetime | None:
    """When the next lead falls due that is held by nobody: for a decision or a probe, after one instant, by another."""
    soon = (ledger.mine, ENTRY.lease_owner.is_(None), ENTRY.due_at > after, ENTRY.due_at <= until)
    first = select(func.min(ENTRY.due_at)).where(*soon)
    with ledger.reading() as connection:
        instants = [connection.scalar(first.where(in_state(state))) for state in (State.READY, State.UNKNOWN)]
    return min((instant for instant in instants if instant), default=None)


def read_missing(ledger: Ledger) -> dict[str, int]:
    """Count the waiting leads that lack each required column, but for those never looked at.

    Goes through every lead that waits: for people, not for runs.
    """
    what = cast(ENTRY.missing, Text).label("what")
    query = select(what, func.count().label("leads")).where(ledger.mine, in_state(State.WAITING)).group_by(what)
    counts: Counter[str] = Counter()
    for row in ledger.fetch_rows(query):
        counts.update(dict.fromkeys(json.loads(row.what) if row.what else (), row.leads))
    return dict(counts.most_common())
