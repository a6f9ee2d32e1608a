"""Forgotten leads, pruned or erased on request: the ledger keeps a hash of each id, so that none is registered again.

A pipeline hashes its ids with a key of its own; whoever looks one up tries the keys of all pipelines of the account.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, and_, exists, or_, select
from sqlalchemy.engine import RowMapping

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ENTRY, attempts, decisions, entries, forgotten, marks, overrides, pipelines
from leadgate.model import State
from leadgate.printable import on_one_line

Keys = Sequence[Row[tuple[str, str]]]
"""Names of pipelines, and the key of each one's hashes."""
_PAGE = 500


def read_forgotten(ledger: Ledger, ids: Sequence[str]) -> set[str]:
    """Those of the ids that a pipeline of the account has forgotten."""
    with ledger.reading() as connection:
        return find_forgotten(ledger, connection, ids, account=ledger.account)


def find_forgotten(ledger: Ledger, connection: Connection, ids: Sequence[str], *, account: str | None) -> set[str]:
    """As `read_forgotten`, within a transaction."""
    of_account = or_(pipelines.c.pipeline == ledger.pipeline, pipelines.c.account == account)
    return _look_up(connection, ids, _keys(connection, of_account))


def find_open_and_forgotten(ledger: Ledger, connection: Connection, account: str | None) -> tuple[str, str] | None:
    """Find a lead that is open here and forgotten by another pipeline of an account, or the other way round.

    Returns the pipeline that has it, and its id.
    """
    own, others = pipelines.c.pipeline == ledger.pipeline, pipelines.c.pipeline != ledger.pipeline
    others = and_(others, pipelines.c.account == account)
    for having, forgetting in ((own, others), (others, own)):
        if not (keys := _keys(connection, forgetting)):
            continue
        of = select(pipelines.c.pipeline).where(having)
        is_open = select(ENTRY.pipeline, ENTRY.lead_id).where(ENTRY.pipeline.in_(of), ENTRY.settled_at.is_(None))
        for page in connection.execute(is_open).partitions(_PAGE):
            names = {row.lead_id: row.pipeline for row in page}
            for lead_id in _look_up(connection, list(names), keys):
                return names[lead_id], lead_id
    return None


def _keys(connection: Connection, which: ColumnElement[bool]) -> Keys:
    """Read the keys of pipelines that have forgotten any lead."""
    has_some = exists().where(forgotten.c.pipeline == pipelines.c.pipeline)
    return connection.execute(select(pipelines.c.pipeline, pipelines.c.hash_key).where(which, has_some)).all()


def _look_up(connection: Connection, ids: Sequence[str], keys: Keys) -> set[str]:
    """Those of the ids that one of the pipelines has forgotten."""
    if not keys:
        return set()
    ids_of = {(name, hash_of(lead_id, key)): lead_id for name, key in keys for lead_id in ids}
    hashes = (
        and_(forgotten.c.pipeline == name, forgotten.c.hash.in_([hashed for of, hashed in ids_of if of == name]))
        for name, _ in keys
    )
    found = connection.execute(select(forgotten.c.pipeline, forgotten.c.hash).where(or_(*hashes)))
    return {ids_of[row.pipeline, row.hash] for row in found}


def hash_of(lead_id: str, hash_key: str) -> str:
    """The hash of an id by a pipeline's key: 32 hex digits."""
    return blake2b(lead_id.encode(), key=bytes.fromhex(hash_key), digest_size=16).hexdigest()


def lock_account(ledger: Ledger, connection: Connection) -> str:
    """Keep all pipelines of the account from registering leads until the transaction ends; return the own hash key.

    Otherwise one that has not found a lead's hash could register the lead after its entry was erased.
    """
    of_account = or_(pipelines.c.pipeline == ledger.pipeline, pipelines.c.account == _own_account(ledger))
    query = select(pipelines.c.pipeline, pipelines.c.hash_key).where(of_account).order_by(pipelines.c.pipeline)
    keys: dict[str, str] = {row.pipeline: row.hash_key for row in connection.execute(query.with_for_update())}
    return keys[ledger.pipeline]


def erase(ledger: Ledger, connection: Connection, ids: Sequence[str]) -> None:
    """Delete every row of these leads."""
    for table in (decisions, attempts, overrides, entries):
        connection.execute(
            table.delete().where(table.c.pipeline == ledger.pipeline, ledger.among(ids, table.c.lead_id))
        )


def keep_hashes(ledger: Ledger, connection: Connection, ids: Iterable[str], hash_key: str) -> None:
    """Store the hashes of leads that must never be registered again."""
    rows = [{"pipeline": ledger.pipeline, "hash": hash_of(lead_id, hash_key)} for lead_id in ids]
    if rows:
        connection.execute(ledger.insert(forgotten).on_conflict_do_nothing(), rows)


@writes
def forget(ledger: Ledger, lead_id: str) -> str | None:
    """Erase every row of a lead and its id in faults of the source; return None, or why that cannot be done yet.

    A hash of its id stays, also of a lead without an entry. A lead of another pipeline of the account is refused: that
    pipeline would go on to act on it.
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
    of_account = ENTRY.account == _own_account(ledger)
    return connection.scalar(select(ENTRY.pipeline).where(of_account, ENTRY.lead_id == lead_id))


def _own_account(ledger: Ledger) -> ScalarSelect[str | None]:
    return select(pipelines.c.account).where(pipelines.c.pipeline == ledger.pipeline).scalar_subquery()


def _why_not_yet(lead_id: str, entry: RowMapping) -> str:
    shown = on_one_line(lead_id)
    again = f"type `leadgate forget {shown}` again"
    if entry["doubt_since"] is None:
        return f"a run holds it right now: {again} when the run has ended"
    act = f"its {entry['doubt_action']}" if entry["doubt_action"] else "an act"
    in_doubt = f"{act} may have been taken, and nobody knows yet"
    if entry["state"] == State.REVIEW:
        settle = f"`leadgate review settle {shown} --was processed | rejected | not-taken`"
        return f"{in_doubt}: look it up in LeadByte, say what you find with {settle}, then {again}"
    return f"{in_doubt}: runs look for evidence; {again} when `leadgate explain {shown}` says that it is settled"


def _leave_out_of_marks(ledger: Ledger, connection: Connection, lead_id: str) -> None:
    """Remove an id from the faults of the source, and from the place that an unfinished comparison has reached."""
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
