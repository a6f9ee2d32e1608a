"""The alarms that are raised: one row each, so that whoever watches is told once when one begins and once when it ends.

Runs come and go, side by side and on many machines; what one of them has told, the next finds here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine, select

from leadgate.ledger.engine import insert_for, ledger_errors, reading
from leadgate.ledger.schema import alarms


class Alarm(StrEnum):
    """What a run may find wrong that a person should hear of."""

    LEADBYTE = "leadbyte"
    """LeadByte takes no requests."""
    REJECTS = "rejects"
    """A run has rejected as many leads as it may, and gave the rest to a person."""
    REVIEWS = "reviews"
    """Reviews have been open for longer than safety.review_within."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that is raised, and the instant it was found."""

    alarm: str
    since: datetime


def raise_alarm(engine: Engine, pipeline: str, alarm: Alarm, *, now: datetime) -> bool:
    """Note that an alarm is raised; tell whether that is news, which it is for one of all runs that find it."""
    row = {"pipeline": pipeline, "alarm": alarm, "since": now}
    insert = insert_for(engine)(alarms).on_conflict_do_nothing().returning(alarms.c.alarm)
    with ledger_errors(engine), engine.begin() as connection:
        return connection.execute(insert, row).first() is not None


def clear_alarm(engine: Engine, pipeline: str, alarm: Alarm) -> bool:
    """Note that there is no cause for an alarm any more; tell whether that is news."""
    over = alarms.delete().where(alarms.c.pipeline == pipeline, alarms.c.alarm == alarm).returning(alarms.c.alarm)
    with ledger_errors(engine), engine.begin() as connection:
        return connection.execute(over).first() is not None


def read_alarms(engine: Engine, pipeline: str) -> Sequence[Raised]:
    """The alarms that are raised now, the oldest first."""
    a = alarms.c
    with reading(engine) as connection:
        query = select(a.alarm, a.since).where(a.pipeline == pipeline).order_by(a.since, a.alarm)
        return [Raised(*row) for row in connection.execute(query)]
