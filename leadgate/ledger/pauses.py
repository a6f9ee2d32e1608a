"""The brake: one row a pipeline while nothing of it may be processed or rejected; `intend` looks for it."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import and_, case, exists, select

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.people import checked_name, checked_reason
from leadgate.ledger.schema import DECISION, ENTRY, entries, in_state, pauses, stands_for
from leadgate.model import Pause, State

_PAUSE = [pauses.c[field.name] for field in fields(Pause)]


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause that is over, and how many leads it had put off."""

    pause: Pause
    leads: int


@writes
def keep_pause(ledger: Ledger, *, by: str, reason: str, now: datetime, where: str | None = None) -> Pause:
    """Pause a pipeline; return the pause that holds, which is the earlier one where it is paused already.

    That gets the reason if it has none.

    From the commit on no intent to process or reject is written; what was written before it is still sent.
    """
    pause = Pause(paused_at=now, paused_by=checked_name(by, where), reason=checked_reason(reason))
    row = {"pipeline": ledger.pipeline, **asdict(pause)}
    # In one statement, which leaves the rest of a row that is there as it is: what it returns holds when this commits.
    insert = ledger.insert(pauses).values(row)
    why = case((pauses.c.reason == "", insert.excluded.reason), else_=pauses.c.reason)
    same = insert.on_conflict_do_update(index_elements=[pauses.c.pipeline], set_={"reason": why})
    with ledger.transaction() as connection:
        return Pause(**connection.execute(same.returning(*_PAUSE)).one()._asdict())


@writes
def end_pause(ledger: Ledger, *, now: datetime) -> Resumed | None:
    """End the pause, and make every lead that it put off due now; None where there is none."""
    put_off = exists().where(stands_for(ENTRY), DECISION.paused)
    put_off_entries = and_(in_state(State.READY), ENTRY.due_at > now, put_off)
    with ledger.transaction() as connection:
        over = pauses.delete().where(pauses.c.pipeline == ledger.pipeline).returning(*_PAUSE)
        found = connection.execute(over).first()
        if found is None:
            return None
        due = (
            entries.update()
            .where(ledger.locked(connection, put_off_entries))
            .values(due_at=now, written_at=now)
            .returning(ENTRY.lead_id)
        )
        return Resumed(Pause(**found._asdict()), len(connection.scalars(due).all()))


def read_pause(ledger: Ledger) -> Pause | None:
    """The pause that holds now."""
    with ledger.reading() as connection:
        found = connection.execute(select(*_PAUSE).where(pauses.c.pipeline == ledger.pipeline)).first()
        return Pause(**found._asdict()) if found else None
