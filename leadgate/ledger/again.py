"""Leads in review or failed that are decided anew after their data or the rules have changed.

Not those in review because of a person's decision, a budget, or an act that may have been taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, not_, null, or_, select, type_coerce

from leadgate.ledger.claims import at
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.many_rows import ManyRows
from leadgate.ledger.rows import seen_row
from leadgate.ledger.schema import DECISION, ENTRY, decisions, entries, in_state, same_lead, stands_for
from leadgate.model import Parked, Seen, State

_AT_ONCE = 1000
_SEEN = ManyRows("seen", ENTRY.pipeline, ENTRY.lead_id, ENTRY.seen)
_standing = decisions.alias("standing").c  # where the decisions are asked for as well
_NOT_BY_RULES = exists().where(
    same_lead(_standing, ENTRY),
    _standing.token == ENTRY.decided_token,
    or_(_standing.capped, _standing.decided_by.is_not(None)),
)

IS_LEFT = or_(ENTRY.doubt_since.is_not(None), _NOT_BY_RULES)
"""Of an entry in review: only a person decides it."""
_BY_RULES = and_(in_state(State.REVIEW), not_(IS_LEFT))
_PARKED = (_BY_RULES, in_state(State.FAILED))


def read_parked(ledger: Ledger, ids: Sequence[str]) -> list[Parked]:
    """Those of the ids that are decided anew when their data changes."""
    return _read(ledger, _parked(ledger, or_(*_PARKED)).where(ledger.among(ids)))


def all_parked(ledger: Ledger, limit: int) -> Iterator[list[Parked]]:
    """All leads that are decided anew when their data changes, in pages."""
    for which in _PARKED:
        after = ""
        while page := _read(ledger, _parked(ledger, which).where(ENTRY.lead_id > after).limit(limit)):
            yield page
            after = page[-1].lead_id


def _parked(ledger: Ledger, which: ColumnElement[bool]) -> Select[tuple[str, str | None, dict[str, object] | None]]:
    query = select(ENTRY.lead_id, ENTRY.data_hash, ENTRY.seen).where(ledger.mine, which)
    return query.order_by(ENTRY.lead_id)


def _read(ledger: Ledger, query: Select[tuple[str, str | None, dict[str, object] | None]]) -> list[Parked]:
    return [
        Parked(row.lead_id, had_data=row.data_hash is not None, seen=Seen(**row.seen) if row.seen else None)
        for row in ledger.fetch_rows(query)
    ]


@writes
def note_seen(ledger: Ledger, seen: Mapping[str, Seen]) -> None:
    """Record the data that parked leads are compared with from now on."""
    if not seen:
        return
    row = _SEEN.rows(ledger.dialect).c
    statement = entries.update().where(same_lead(ENTRY, row), or_(*_PARKED)).values(seen=row.seen)
    rows = [{"pipeline": ledger.pipeline, "lead_id": lead_id, "seen": seen_row(seen[lead_id])} for lead_id in seen]
    with ledger.transaction() as connection:
        ledger.lock(connection, seen)
        connection.execute(statement, _SEEN.hand_over(connection, rows))


def decide_parked_anew(ledger: Ledger, ids: Sequence[str], *, now: datetime) -> int:
    """Let parked leads whose data has changed wait as if they were new; return how many."""
    return as_new(ledger, ids, or_(*_PARKED), now=now)


def decide_reviews_anew(ledger: Ledger, *, rules: str, now: datetime) -> int:
    """Let leads in review that rules of another version decided wait as if they were new; return how many."""
    return as_new(ledger, sorted(read_older(ledger, rules)), _BY_RULES, now=now)


def read_older(ledger: Ledger, rules: str) -> set[str]:
    """The leads in review that rules of another version decided, without those that only a person decides."""
    return set(ledger.fetch_column(_older(ledger, rules)))


def count_older(ledger: Ledger, rules: str) -> int:
    """How many leads `read_older` finds."""
    query = select(func.count()).select_from(_older(ledger, rules).subquery())
    return ledger.fetch_value(query) or 0


def _older(ledger: Ledger, rules: str) -> Select[tuple[str]]:
    query = select(ENTRY.lead_id).join(decisions, stands_for(ENTRY))
    return query.where(ledger.mine, _BY_RULES, DECISION.policy_version != rules)


def as_new(ledger: Ledger, ids: Sequence[str], *conditions: ColumnElement[bool], now: datetime) -> int:
    """Let those of the ids that meet conditions wait as if they were new; return how many.

    The next look decides again whether one is late. A lead that a person has decided is ready at once.
    """
    chunks = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
    return sum(_as_new(ledger, chunk, conditions, now=now) for chunk in chunks)


@writes
def _as_new(ledger: Ledger, ids: Sequence[str], conditions: Sequence[ColumnElement[bool]], *, now: datetime) -> int:
    with ledger.transaction() as connection:
        chosen = ledger.locked(connection, *conditions, ledger.among(ids))
        statement = entries.update().where(chosen).values(**waits_as_new(now))
        return len(connection.scalars(statement.returning(ENTRY.lead_id)).all())


def waits_as_new(now: datetime) -> Mapping[str, ColumnElement[object] | object]:
    """The columns of an entry that waits as if it were new."""
    decided = ENTRY.override_token.is_not(None)
    return {
        "state": case((decided, State.READY.value), else_=State.WAITING.value),
        "missing": case((decided, ENTRY.missing), else_=type_coerce(null(), ENTRY.missing.type)),
        "due_at": case((decided, at(now)), else_=None),
        "late": False,
        "note": None,
        "refusals": 0,
        "written_at": now,
    }
