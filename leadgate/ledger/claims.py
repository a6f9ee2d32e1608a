"""Which run holds which lead: claims, their leases, and the token that fences what a run writes.

Two runs never share a lead: a claim raises the entry's token under a lock, and later writes are accepted only under
that token. PostgreSQL claims with FOR UPDATE SKIP LOCKED; SQLite takes its write lock before it reads (see engine.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from leadgate.clock import CLOCKS_AGREE
from leadgate.ledger.brakes import note_doubts
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.rows import NO_LEASE, seconds_of, storable
from leadgate.ledger.schema import ATTEMPT, ENTRY, OVERRIDE, UtcDateTime, attempts, entries, in_state, same_lead
from leadgate.model import Claim, Look, Override, Resolution, Result, State

CLAIMED = [ENTRY[field.name] for field in fields(Claim) if field.name != "override"]
"""The columns of a claim, named as its fields; they come first in every row."""
_DUE = len(CLAIMED)


@writes
def claim(
    ledger: Ledger, *, limit: int, lease: timedelta, now: datetime, ids: Sequence[str] | None = None
) -> list[Claim]:
    """Claim up to `limit` leads that are due for a decision, the longest due first; only of `ids`, unless None."""
    chosen = true() if ids is None else ledger.among(ids)
    due = due_and_free(ledger, State.READY, now).where(chosen).limit(limit)
    with ledger.transaction() as connection:
        rows = take(ledger, connection, due, ENTRY.override_token, lease=lease, now=now)
        return _as_claims(ledger, connection, rows)


def due_and_free(ledger: Ledger, state: State, now: datetime) -> Select[tuple[str]]:
    """The ids in a state that are due and that no lease protects, the longest due first."""
    free = or_(ENTRY.lease_until.is_(None), ENTRY.lease_until < now)
    query = select(ENTRY.lead_id).where(ledger.mine, in_state(state), ENTRY.due_at <= now, free)
    return query.order_by(ENTRY.due_at, ENTRY.lead_id)


def take(
    ledger: Ledger,
    connection: Connection,
    chosen: Select[tuple[str]],
    *columns: ColumnElement[Any],
    lease: timedelta,
    now: datetime,
) -> list[Row[Any]]:
    """Claim the chosen entries; return CLAIMED and the other columns of each, the longest due first."""
    # A CTE is run once; a bare subquery may be run again for each row, and would lock more than its limit. SQLite,
    # which has locked the whole file by now, ignores the locks.
    due = chosen.with_for_update(skip_locked=True).cte("due")
    statement = (
        entries.update()
        .where(ledger.mine, ENTRY.lead_id.in_(select(due.c.lead_id)))
        .values(token=ENTRY.token + 1, lease_owner=ledger.owner, lease_until=now + lease, written_at=now)
        .returning(*CLAIMED, ENTRY.due_at, *columns)
    )
    return sorted(connection.execute(statement), key=itemgetter(_DUE, 0))


def claim_of(row: Row[Any], override: Override | None = None) -> Claim:
    """The claim of a row that begins with the columns of CLAIMED."""
    lead_id, token, quarantined_at, late, refusals, updated_hash, doubt_since = row[:_DUE]
    return Claim(lead_id, token, quarantined_at, late, refusals, updated_hash, doubt_since, override)


def _as_claims(ledger: Ledger, connection: Connection, rows: Sequence[Row[Any]]) -> list[Claim]:
    """Claims, each with the override that stands in place of the rules, if there is one."""
    overrides: dict[str, Override] = {}
    if ids := [row.lead_id for row in rows if row.override_token]:
        query = (
            select(OVERRIDE.lead_id, OVERRIDE.verdict, OVERRIDE.reason, OVERRIDE.decided_by)
            .join(entries, same_lead(OVERRIDE, ENTRY))
            .where(ledger.mine, ENTRY.override_token == OVERRIDE.token, ledger.among(ids, OVERRIDE.lead_id))
        )
        for row in connection.execute(query):
            overrides[row.lead_id] = Override(Resolution(row.verdict), row.reason, row.decided_by)
    return [claim_of(row, overrides.get(row.lead_id)) for row in rows]


def read_ready_page(ledger: Ledger, *, after: str, limit: int, now: datetime) -> list[Claim]:
    """The next `limit` entries that are due for a decision, in the order of their ids, as if they were claimed."""
    query = (
        select(*CLAIMED, ENTRY.override_token)
        .where(ledger.mine, in_state(State.READY), ENTRY.due_at <= now, ENTRY.lead_id > after)
        .order_by(ENTRY.lead_id)
        .limit(limit)
    )
    with ledger.reading() as connection:
        return _as_claims(ledger, connection, list(connection.execute(query)))


def read_claims(ledger: Ledger, ids: Sequence[str]) -> list[Claim]:
    """Entries as if they were claimed, whatever their state."""
    query = select(*CLAIMED, ENTRY.override_token).where(ledger.mine, ledger.among(ids)).order_by(ENTRY.lead_id)
    with ledger.reading() as connection:
        return _as_claims(ledger, connection, list(connection.execute(query)))


def read_states(ledger: Ledger, ids: Sequence[str]) -> dict[str, State]:
    """The states of those ids that have an entry."""
    query = select(ENTRY.lead_id, ENTRY.state).where(ledger.mine, ledger.among(ids))
    return {row.lead_id: State(row.state) for row in ledger.fetch_rows(query)}


def reopen(ledger: Ledger, claim: Claim, look: Look) -> None:
    """Let a claimed lead wait again: a value it needs has become null since it was found complete."""
    found = {"missing": list(look.missing), "deadline": seconds_of(look.deadline), "data_hash": look.data_hash}
    waits = {"state": State.WAITING, "arrived_at": None, "due_at": None, "note": None, "late": False}
    _let_go(ledger, [claim], State.READY, found | waits)


def give_to_person(ledger: Ledger, claims: Sequence[Claim], *, note: str) -> None:
    """Send unknown leads that cannot be probed to a person."""
    _let_go(ledger, claims, State.UNKNOWN, {"state": State.REVIEW, "due_at": None, "note": storable(note)})


@writes
def _let_go(ledger: Ledger, claims: Sequence[Claim], state: State, then: Mapping[str, Any]) -> None:
    """Give up claims with what becomes of the leads, where this run still holds them and nothing is in flight."""
    pairs = [(each.lead_id, each.token) for each in claims]
    ids = [each.lead_id for each in claims]
    # SQLite uses no index for pairs.
    claimed = and_(ledger.mine, ledger.among(ids), tuple_(ENTRY.lead_id, ENTRY.token).in_(pairs))
    still = and_(ENTRY.lease_owner == ledger.owner, in_state(state), not_(has_open_request()))
    with ledger.transaction() as connection:
        ledger.lock(connection, ids)
        connection.execute(entries.update().where(claimed, still).values(**then, **NO_LEASE))


@writes
def release(ledger: Ledger, *, now: datetime, ids: Sequence[str] | None = None, until: datetime | None = None) -> None:
    """Give back the leads that this run holds and has no request in flight for, so that other runs may claim them.

    All of them if `ids` is None, which only a run may do that has nothing under way. They are due at `until`, if given.
    """
    chosen = _leased_to(ledger) if ids is None else and_(_leased_to(ledger), ledger.among(ids))
    with ledger.transaction() as connection:
        held = ledger.locked(connection, chosen)
        statement = entries.update().where(held, ~has_open_request())
        connection.execute(
            statement.values(
                state=case((in_state(State.SENDING), State.READY.value), else_=ENTRY.state),
                due_at=at(until) if until else case((in_state(State.SENDING), at(now)), else_=_still_due(now)),
                written_at=now,
                **NO_LEASE,
            )
        )


@writes
def renew(ledger: Ledger, *, lease: timedelta, now: datetime) -> None:
    """Extend the lease of every lead this run holds; one that another run took over is not taken back."""
    with ledger.transaction() as connection:
        held = ledger.locked(connection, _leased_to(ledger))
        connection.execute(entries.update().where(held).values(lease_until=now + lease, written_at=now))


def _leased_to(ledger: Ledger) -> ColumnElement[bool]:
    # The second condition is true of every lease; it lets the index of leases be used.
    return and_(ENTRY.lease_owner == ledger.owner, ENTRY.lease_until.is_not(None))


@writes
def rescue(ledger: Ledger, *, unknown_after: timedelta, now: datetime) -> int:
    """Move leads that dead runs were sending to `unknown` if an act may have been sent, else `ready`; return how many.

    Leads that a dead run only held or probed lose their lease and are not counted.
    """
    instants = {"now": now, "ahead": now + CLOCKS_AGREE}
    whose = {"own": ledger.pipeline}
    with ledger.reading() as connection:
        if not any(connection.execute(_LEFT_BEHIND, instants | whose).one()):
            return 0
    open_act = has_open_request(ATTEMPT.action.is_not(None))
    sending = _expired(ledger, now, State.SENDING)
    idle = _expired(ledger, now, State.READY, State.UNKNOWN)
    with ledger.transaction() as connection:
        for which, corrected in _LYING_AHEAD:
            lies_ahead = ledger.locked(connection, which.params(instants))
            connection.execute(entries.update().where(lies_ahead).values(**corrected(now)))
        stranded = connection.scalars(
            entries.update()
            .where(ledger.mine, ENTRY.lead_id.in_(select(sending.c.lead_id)))
            .values(
                state=case((open_act, State.UNKNOWN.value), else_=State.READY.value),
                due_at=case((open_act, at(now + unknown_after)), else_=at(now)),
                doubt_since=case((open_act, at(now)), else_=ENTRY.doubt_since),
                note="the run that sent it ended before the answer was recorded",
                written_at=now,
                **NO_LEASE,
            )
            .returning(ENTRY.state)
        ).all()
        freed = entries.update().where(ledger.mine, ENTRY.lead_id.in_(select(idle.c.lead_id)))
        connection.execute(freed.values(due_at=_still_due(now), **NO_LEASE))
        connection.execute(
            attempts.update()
            .where(STRANDED_REQUEST.params(whose))
            .values(outcome=Result.IN_DOUBT, answered_at=now, message="the run ended before the answer")
        )
    if State.UNKNOWN in stranded:
        note_doubts(ledger, now=now)
    return len(stranded)


def _expired(ledger: Ledger, now: datetime, *states: State) -> CTE:
    """The leads whose lease is over, locked; those another run is busy with are left to it."""
    query = select(ENTRY.lead_id).where(ledger.mine, ENTRY.lease_until < now, ENTRY.state.in_(states))
    return query.with_for_update(skip_locked=True).cte("expired")


def _still_due(now: datetime) -> ColumnElement[datetime]:
    """When a claimed lead is due: not after now, although the clock may have been set back since it was due."""
    return case((ENTRY.due_at > now, at(now)), else_=ENTRY.due_at)


def at(instant: datetime) -> ColumnElement[datetime]:
    """An instant in an expression in which no column gives it its type."""
    return literal(instant, UtcDateTime())


def has_open_request(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an entry has a request that was not answered; it never has two."""
    return exists().where(same_lead(ATTEMPT, ENTRY), ATTEMPT.outcome.is_(None), *conditions)


_NOW, _AHEAD = (bindparam(name, type_=UtcDateTime()) for name in ("now", "ahead"))
_WRITTEN_AHEAD = ENTRY.written_at > _AHEAD
_DOUBTED_AHEAD = ENTRY.doubt_since > _AHEAD  # no doubt begins in the future, whenever it was written


def _doubtful_from(now: datetime) -> Mapping[str, datetime | None]:
    return {"doubt_since": now, "doubt_theirs": None}


_LYING_AHEAD: Sequence[tuple[ColumnElement[bool], Callable[[datetime], Mapping[str, datetime | None]]]] = [
    (and_(ENTRY.lease_until > _NOW, _WRITTEN_AHEAD), lambda now: {"lease_until": now - CLOCKS_AGREE}),
    (and_(in_state(State.UNKNOWN), _DOUBTED_AHEAD), _doubtful_from),
    (and_(in_state(State.REVIEW), ENTRY.doubt_action.is_not(None), _DOUBTED_AHEAD), _doubtful_from),
    *(
        (and_(in_state(state), ENTRY.due_at > _NOW, _WRITTEN_AHEAD), lambda now: {"due_at": now, "written_at": now})
        for state in (State.READY, State.UNKNOWN, State.WAITING)
    ),
]
"""Instants that a clock ahead of ours has written, and their corrections.

In this order: what is due is written anew after doubts. One by one, since each has an index of its own.
"""
STRANDED_REQUEST = and_(
    ATTEMPT.pipeline == bindparam("own"),
    ATTEMPT.outcome.is_(None),
    exists().where(same_lead(ENTRY, ATTEMPT), ENTRY.lease_owner.is_(None)),
)
"""Of attempts: a request without an answer whose entry has lost its lease."""
_LEFT_BEHIND = select(
    *(
        exists().where(ENTRY.pipeline == bindparam("own"), each)
        for each in (ENTRY.lease_until < _NOW, *(which for which, _ in _LYING_AHEAD))
    ),
    exists().where(STRANDED_REQUEST),
)
"""Whether there is anything to rescue, in one statement."""
