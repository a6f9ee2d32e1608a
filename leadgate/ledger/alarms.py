"""The alarms that are raised: one row each, so that whoever watches is told once when one begins and once when it ends.

Runs come and go, side by side and on many machines; what one of them has told, the next finds here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from leadgate.ledger.ledger import Ledger, fields_of, writes
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
    """LeadByte said something of an act that nobody understands."""
    DOUBTS = "doubts"
    """An act has been in doubt for longer than a day."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that is raised, and the instant it was found."""

    alarm: str
    since: datetime


@writes
def raise_alarm(ledger: Ledger, alarm: Alarm, *, now: datetime) -> bool:
    """Note that an alarm is raised; tell whether that is news, which it is for one of all runs that find it."""
    row = {"pipeline": ledger.pipeline, "alarm": alarm, "since": now}
    insert = ledger.insert(alarms).on_conflict_do_nothing().returning(alarms.c.alarm)
    with ledger.transaction() as connection:
        return connection.execute(insert, row).first() is not None


@writes
def clear_alarm(ledger: Ledger, alarm: Alarm) -> bool:
    """Note that there is no cause for an alarm any more; tell whether that is news."""
    mine = (alarms.c.pipeline == ledger.pipeline, alarms.c.alarm == alarm)
    with ledger.transaction() as connection:
        return connection.execute(alarms.delete().where(*mine).returning(alarms.c.alarm)).first() is not None


def read_alarms(ledger: Ledger) -> Sequence[Raised]:
    """The alarms that are raised now, the oldest first."""
    query = select(alarms.c.alarm, alarms.c.since).where(alarms.c.pipeline == ledger.pipeline)
    with ledger.reading() as connection:
        return [Raised(**fields_of(row)) for row in connection.execute(query.order_by(alarms.c.since, alarms.c.alarm))]
