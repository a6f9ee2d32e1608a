"""The alarms that are raised: one row each, so that one run alone reports that it begins, and one that it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import alarms


class Alarm(StrEnum):
    """What a run may find wrong that a person should hear of."""

    LEADBYTE = "leadbyte"
    """LeadByte takes no requests."""
    BUDGET = "budget"
    """A budget of acts is used up: leads wait for it, or went to a person."""
    REVIEWS = "reviews"
    """Reviews have been open for longer than review.within."""
    BRAKE = "brake"
    """Acts are held back, since too much is in doubt."""
    CONTROL = "control"
    """A lead that LeadByte queued has not left quarantine in time."""
    KEY = "key"
    """LeadByte refuses the API key, or a permission of it."""
    PARKED = "parked"
    """Leads are parked: LeadByte refused them too often."""
    UNKNOWN = "unknown"
    """An act has been in doubt for longer than evidence takes."""
    SENTENCES = "sentences"
    """LeadByte answered an act by a sentence that is not known."""
    DOUBTS = "doubts"
    """An act has been in doubt for longer than a day."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that is raised, and the instant it was found."""

    alarm: str
    since: datetime


@writes
def raise_alarm(ledger: Ledger, alarm: Alarm, *, now: datetime, is_heard: bool = True) -> bool:
    """Note that an alarm is raised; return whether this run is the one that reports it.

    A run whose events nobody receives (`is_heard` is false) leaves that to the next one.
    """
    row = {"pipeline": ledger.pipeline, "alarm": alarm, "since": now, "told": is_heard}
    insert = ledger.insert(alarms).values(row)
    if is_heard:
        key = [alarms.c.pipeline, alarms.c.alarm]
        insert = insert.on_conflict_do_update(index_elements=key, set_={"told": True}, where=~alarms.c.told)
    else:
        insert = insert.on_conflict_do_nothing()
    with ledger.transaction() as connection:
        return connection.execute(insert.returning(alarms.c.alarm)).first() is not None and is_heard


@writes
def clear_alarm(ledger: Ledger, alarm: Alarm, *, is_heard: bool = True) -> bool:
    """Note that an alarm is over; return whether this run is the one that reports it.

    A run whose events nobody receives leaves an alarm that was reported as it is.
    """
    mine = (alarms.c.pipeline == ledger.pipeline, alarms.c.alarm == alarm)
    chosen = mine if is_heard else (*mine, ~alarms.c.told)
    with ledger.transaction() as connection:
        return bool(connection.scalar(alarms.delete().where(*chosen).returning(alarms.c.told)))


def read_alarms(ledger: Ledger) -> Sequence[Raised]:
    """The alarms that are raised now, the oldest first."""
    query = select(alarms.c.alarm, alarms.c.since).where(alarms.c.pipeline == ledger.pipeline)
    return [Raised(**row._asdict()) for row in ledger.fetch_rows(query.order_by(alarms.c.since, alarms.c.alarm))]
