"""The brake: one row a pipeline while nothing of it may be processed or rejected."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, exists, literal, select

from leadgate.errors import ConfigError
from leadgate.ledger.engine import insert_for, ledger_errors, reading
from leadgate.ledger.rows import storable
from leadgate.ledger.schema import decisions, entries, in_state, pauses
from leadgate.model import Pause, State

LONGEST_NAME = 100
"""Characters of a person's name that the ledger keeps."""

_E, _D, _P = entries.c, decisions.c, pauses.c


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause that is over, and how many leads it had put off."""

    pause: Pause
    leads: int


def checked_name(name: str) -> str:
    """Give a person's name as it is kept; raise ConfigError for one that names nobody or is too long."""
    name = storable(name.strip())
    if not 0 < len(name) <= LONGEST_NAME:
        msg = f"the name of who decides must have 1 to {LONGEST_NAME} characters: give one with --by NAME"
        raise ConfigError(msg)
    return name


def keep_pause(engine: Engine, pipeline: str, *, by: str, reason: str, now: datetime) -> Pause:
    """Pause a pipeline; return the pause that holds, which is the earlier one where it is paused already.

    From the commit on no intent to process or reject is written; what was written before it is still sent.
    """
    row = {"pipeline": pipeline, "paused_at": now, "paused_by": checked_name(by), "reason": storable(reason.strip())}
    with ledger_errors(engine), engine.begin() as connection:
        connection.execute(insert_for(engine)(pauses).on_conflict_do_nothing(), row)
        found = connection.execute(select(_P.paused_at, _P.paused_by, _P.reason).where(_P.pipeline == pipeline)).one()
    return Pause(*found)


def end_pause(engine: Engine, pipeline: str, *, now: datetime) -> Resumed | None:
    """End the pause, and make every lead that it put off due now; None where there is none."""
    put_off = exists().where(
        _D.pipeline == _E.pipeline, _D.lead_id == _E.lead_id, _D.token == _E.decided_token, _D.paused
    )
    over = pauses.delete().where(_P.pipeline == pipeline).returning(_P.paused_at, _P.paused_by, _P.reason)
    due = (
        entries.update()
        .where(_E.pipeline == pipeline, in_state(State.READY), _E.due_at > now, put_off)
        .values(due_at=now)
        .returning(_E.lead_id)
    )
    with ledger_errors(engine), engine.begin() as connection:
        found = connection.execute(over).first()
        return Resumed(Pause(*found), len(connection.scalars(due).all())) if found else None


def read_pause(engine: Engine, pipeline: str) -> Pause | None:
    """The pause that holds now."""
    with reading(engine) as connection:
        query = select(_P.paused_at, _P.paused_by, _P.reason).where(_P.pipeline == pipeline)
        found = connection.execute(query).first()
    return Pause(*found) if found else None


def is_paused(pipeline: str) -> ColumnElement[bool]:
    """Whether a pipeline is paused, as a condition of a statement that writes."""
    return exists().where(_P.pipeline == literal(pipeline))
