"""Forgetting a lead because somebody asks for it, whatever its age; never one of which an act may be under way."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import RowMapping

from leadgate.ledger.forgotten import erase, keep_hashes, lock_account
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ENTRY, marks, pipelines
from leadgate.model import State
from leadgate.printable import on_one_line


@writes
def forget(ledger: Ledger, lead_id: str) -> str | None:
    """Erase every row of a lead, and what faults of the source say of it; return why not yet, or None if it is done.

    Only a hash of its id stays, so that it is never registered again. A lead without an entry leaves one too, but
    for a lead of another pipeline of the account, which would go on to act on it.
    """
    query = select(ENTRY.state, ENTRY.doubt_since, ENTRY.doubt_action, ENTRY.lease_owner)
    with ledger.transaction() as connection:
        key = lock_account(ledger, connection)
        ledger.lock(connection, [lead_id])
        found = connection.execute(query.where(ledger.mine, ENTRY.lead_id == lead_id)).mappings().first()
        if found is None and (name := _find_elsewhere(ledger, connection, lead_id)):
            shown = on_one_line(lead_id)
            return f"it belongs to the pipeline {name!r}: type `leadgate forget {shown}` with the file of that one"
        if found and (found["lease_owner"] or found["doubt_since"]):
            return _why_not_yet(lead_id, found)
        keep_hashes(ledger, connection, [lead_id], key)
        erase(ledger, connection, [lead_id])
        _leave_out_of_marks(ledger, connection, lead_id)
    return None


def _find_elsewhere(ledger: Ledger, connection: Connection, lead_id: str) -> str | None:
    """Find the pipeline of the account that has a lead."""
    own = select(pipelines.c.account).where(pipelines.c.pipeline == ledger.pipeline).scalar_subquery()
    return connection.scalar(select(ENTRY.pipeline).where(ENTRY.account == own, ENTRY.lead_id == lead_id))


def _why_not_yet(lead_id: str, entry: RowMapping) -> str:
    shown = on_one_line(lead_id)
    again = f"type `leadgate forget {shown}` again"
    if entry["doubt_since"] is None:
        return f"a run holds it right now: {again} when the run has ended"
    act = f"its {entry['doubt_action']}" if entry["doubt_action"] else "an act"
    doubt = f"{act} may have been taken, and nobody knows yet"
    if entry["state"] == State.REVIEW:
        settle = f"`leadgate review settle {shown} --was processed | rejected | not-taken`"
        return f"{doubt}: look it up in LeadByte, say what you find with {settle}, then {again}"
    return f"{doubt}: runs look for evidence; {again} when `leadgate explain {shown}` says that it is settled"


def _leave_out_of_marks(ledger: Ledger, connection: Connection, lead_id: str) -> None:
    """Faults of the source name a few ids, and a comparison that goes on knows the last one that it has seen."""
    own = marks.c.pipeline == ledger.pipeline
    query = select(marks.c.relation, marks.c.compared_to, marks.c.faults, marks.c.growing).where(own)
    for row in connection.execute(query.with_for_update()).all():
        kept = {name: [_without(each, lead_id) for each in getattr(row, name)] for name in ("faults", "growing")}
        # Without its place the comparison begins again.
        compared_to = None if row.compared_to == lead_id else row.compared_to
        connection.execute(
            marks.update().where(own, marks.c.relation == row.relation).values(**kept, compared_to=compared_to)
        )


def _without(fault: Mapping[str, Any], lead_id: str) -> dict[str, Any]:
    detail = "" if lead_id in fault["detail"] else fault["detail"]
    return {**fault, "detail": detail, "ids": [each for each in fault["ids"] if each != lead_id]}
