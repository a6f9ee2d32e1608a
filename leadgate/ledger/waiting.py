"""Leads that wait: registering them, recording looks at the source, and finding those that a look must see.

A million waiting entries cost nothing: every query starts from an index of the entries in question.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Column, ColumnElement, Select, and_, case, func, literal, not_, or_, select, true

from leadgate.ledger.claims import at
from leadgate.ledger.forgotten import find_forgotten
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.many_rows import ManyRows, as_json
from leadgate.ledger.pipelines import lock_pipeline
from leadgate.ledger.rows import look_row, seconds_of
from leadgate.ledger.schema import ENTRY, entries, in_state, same_lead
from leadgate.model import Arrivals, Lead, Look, State, Waiting

Pages = Iterator[list[Waiting]]

_KEY = (ENTRY.pipeline, ENTRY.lead_id)
_LEADS = ManyRows("leads", *_KEY, ENTRY.quarantined_at, ENTRY.doubt_since)
_LOOK = (*_KEY, *(ENTRY[name] for name in ("state", "missing", "deadline", "data_hash", "late", "arrivals")))
_LOOKS = ManyRows("looks", *_LOOK, due=Boolean(), complete=Boolean())
_CHANGED = ManyRows("changed", *_KEY, ENTRY.data_hash, ENTRY.arrivals)


class Registration(NamedTuple):
    """How many leads are new, and those that another pipeline of the account has, by its name: they are not new."""

    new: int
    elsewhere: Mapping[str, str]


@writes
def register(ledger: Ledger, leads: Sequence[Lead], *, now: datetime) -> Registration:
    """Add every lead that no pipeline of the account knows or has forgotten.

    Leads older than the ledger are in doubt from the start: a lost ledger may have acted on them.
    """
    if not leads:
        return Registration(0, {})
    row = _LEADS.rows(ledger.dialect).c
    with ledger.transaction() as connection:
        ids = [lead.lead_id for lead in leads]
        known = set(connection.scalars(select(ENTRY.lead_id).where(ledger.mine, ledger.among(ids))))
        new = [lead for lead in leads if lead.lead_id not in known]
        if not new:
            return Registration(0, {})
        mine = lock_pipeline(ledger, connection)
        forgotten = find_forgotten(ledger, connection, [lead.lead_id for lead in new], account=mine.account)
        new = [lead for lead in new if lead.lead_id not in forgotten]
        if not new:
            return Registration(0, {})
        rows = [
            {
                "pipeline": ledger.pipeline,
                "lead_id": lead.lead_id,
                "quarantined_at": lead.quarantined_at,
                "doubt_since": mine.doubt_of(lead.quarantined_at),
            }
            for lead in new
        ]
        # Without a condition SQLite would read ON CONFLICT as the ON of a join.
        chosen = select(literal(State.WAITING.value), at(now), literal(mine.account), *row).where(true())
        insert = ledger.insert(entries).from_select(["state", "registered_at", "account", *row.keys()], chosen)
        made = insert.on_conflict_do_nothing().returning(ENTRY.lead_id)
        registered = set(connection.scalars(made, _LEADS.hand_over(connection, rows)))
        others = (ENTRY.account == mine.account, ENTRY.pipeline != ledger.pipeline)
        left = [lead.lead_id for lead in new if lead.lead_id not in registered]
        found = select(ENTRY.lead_id, ENTRY.pipeline).where(*others, ledger.among(left))
        elsewhere = {row.lead_id: row.pipeline for row in connection.execute(found)} if left else {}
        return Registration(len(registered), elsewhere)


def read_known(ledger: Ledger, ids: Sequence[str]) -> set[str]:
    """Those of the ids that have an entry."""
    return set(ledger.fetch_column(select(ENTRY.lead_id).where(ledger.mine, ledger.among(ids))))


def read_elsewhere(ledger: Ledger, ids: Sequence[str]) -> dict[str, str]:
    """Those of the ids that another pipeline of the account has, and its name."""
    account = ledger.identity and ledger.identity.account
    query = select(ENTRY.lead_id, ENTRY.pipeline).where(ENTRY.account == account, ENTRY.pipeline != ledger.pipeline)
    found = ledger.fetch_rows(query.where(ledger.among(ids))) if account else ()
    return {row.lead_id: row.pipeline for row in found}


@writes
def note_looks(
    ledger: Ledger, looks: Sequence[Look], *, now: datetime, arrivals: Mapping[str, Arrivals] | None = None
) -> None:
    """Record looks at the source: what is missing, which leads are due for a decision, what has arrived.

    Leads without an item in `arrivals` keep theirs.
    """
    if not looks:
        return
    look = _LOOKS.rows(ledger.dialect).c
    incomplete = not_(look.complete)
    ends_hold = or_(look.due, incomplete)
    # By a person: that needs no data.
    decided_while_observed = and_(ENTRY.override_token.is_not(None), ENTRY.due_at.is_not(None))
    statement = (
        entries.update()
        .where(same_lead(ENTRY, look), in_state(State.WAITING), not_(decided_while_observed))
        .values(
            state=look.state,
            missing=look.missing,
            deadline=look.deadline,
            data_hash=look.data_hash,
            late=look.late,
            # A hold that goes on was reckoned when it was written.
            written_at=case((ends_hold, at(now)), else_=ENTRY.written_at),
            due_at=case((look.due, at(now)), (incomplete, None), else_=ENTRY.due_at),
            arrived_at=case((incomplete, None), else_=func.coalesce(ENTRY.arrived_at, at(now))),
            note=case((ends_hold, None), else_=ENTRY.note),
            arrivals=func.coalesce(look.arrivals, ENTRY.arrivals),
        )
    )
    known = arrivals or {}
    rows = [look_row(ledger.pipeline, each, known.get(each.lead_id)) for each in looks]
    with ledger.transaction() as connection:
        ledger.lock(connection, [each.lead_id for each in looks])
        connection.execute(statement, _LOOKS.hand_over(connection, rows))


class NoLongerWaiting(NamedTuple):
    """An entry that does not wait any more: a change of its enrichment is noted and has no effect."""

    lead_id: str
    is_settled: bool
    data_hash: str | None
    """Of the enrichment last seen; not renewed before it is settled."""
    arrivals: Arrivals | None


@writes
def note_changed(ledger: Ledger, changed: Sequence[NoLongerWaiting]) -> None:
    """Record the hash of the enrichment of entries and what has arrived; nothing else of them changes."""
    if not changed:
        return
    seen = _CHANGED.rows(ledger.dialect).c
    settled = ENTRY.settled_at.is_not(None)
    statement = (
        entries.update()
        .where(same_lead(ENTRY, seen))
        .values(data_hash=case((settled, seen.data_hash), else_=ENTRY.data_hash), arrivals=seen.arrivals)
    )
    rows = [
        {
            "pipeline": ledger.pipeline,
            "lead_id": each.lead_id,
            "data_hash": each.data_hash,
            "arrivals": as_json(each.arrivals),
        }
        for each in changed
    ]
    with ledger.transaction() as connection:
        ledger.lock(connection, [each.lead_id for each in changed])
        connection.execute(statement, _CHANGED.hand_over(connection, rows))


def read_no_longer_waiting(ledger: Ledger, ids: Sequence[str]) -> list[NoLongerWaiting]:
    """Those of the ids that wait no more, without those that a look has just made ready and noted."""
    columns = ENTRY.lead_id, ENTRY.settled_at.is_not(None).label("is_settled"), ENTRY.data_hash, ENTRY.arrivals
    is_news = or_(ENTRY.state.not_in((State.READY, State.SENDING)), ENTRY.late)
    query = select(*columns).where(ledger.mine, ledger.among(ids), ENTRY.state != State.WAITING, is_news)
    return [NoLongerWaiting(**row._asdict()) for row in ledger.fetch_rows(query)]


def has_met(ledger: Ledger) -> bool:
    """Whether any lead has ever had a row of enrichment."""
    return (
        ledger.fetch_value(select(ENTRY.lead_id).where(ledger.mine, ENTRY.data_hash.is_not(None)).limit(1)) is not None
    )


def all_waiting(ledger: Ledger, limit: int, *, after: str = "") -> Pages:
    """Every waiting entry behind an id, in the order of their ids, in pages."""
    return _pages(ledger, _waiting(ledger).where(ENTRY.lead_id > after), limit)


def read_waiting(ledger: Ledger, ids: Sequence[str]) -> list[Waiting]:
    """Those of the ids that wait."""
    return _read(ledger, _waiting(ledger).where(ledger.among(ids)))


def never_looked_at(ledger: Ledger, limit: int) -> Pages:
    """Entries that were registered and not yet compared with the source, in pages."""
    return _pages(ledger, _waiting(ledger).where(ENTRY.missing.is_(None)), limit)


def held_until(ledger: Ledger, now: datetime, limit: int) -> Pages:
    """Entries that a rule held until now, in pages."""
    query = _waiting(ledger).where(ENTRY.due_at.is_not(None), ENTRY.due_at <= now)
    return _pages(ledger, query, limit, by=ENTRY.due_at)


def waiting_since(ledger: Ledger, instant: datetime, limit: int, *, deadline: timedelta | None = None) -> Pages:
    """Entries without a hold quarantined by an instant that have this deadline of their own (None: none), in pages."""
    query = _waiting(ledger).where(ENTRY.due_at.is_(None), ENTRY.quarantined_at <= instant)
    query = query.where(ENTRY.deadline == seconds_of(deadline))
    return _pages(ledger, query, limit, by=ENTRY.quarantined_at)


def _waiting(ledger: Ledger) -> Select[Any]:
    columns = (
        ENTRY.lead_id,
        ENTRY.quarantined_at,
        ENTRY.missing,
        ENTRY.data_hash,
        ENTRY.due_at.label("held_until"),
        ENTRY.deadline,
        ENTRY.arrivals,
    )
    return select(*columns).where(ledger.mine, in_state(State.WAITING))


def _read(ledger: Ledger, query: Select[Any]) -> list[Waiting]:
    return [
        Waiting(**{**row._asdict(), "deadline": timedelta(seconds=row.deadline) or None})
        for row in ledger.fetch_rows(query)
    ]


def _pages(ledger: Ledger, query: Select[Any], limit: int, by: Column[datetime] | None = None) -> Pages:
    """Each page begins behind the last one: entries that a look has left in place must not be returned again."""
    order = [ENTRY.lead_id] if by is None else [by, ENTRY.lead_id]
    behind: ColumnElement[bool] = true()
    while True:
        page = _read(ledger, query.where(behind).order_by(*order).limit(limit))
        if page:
            yield page
        if len(page) < limit:
            return
        last = page[-1]
        behind = ENTRY.lead_id > last.lead_id
        if by is not None:
            reached = last.held_until if by is ENTRY.due_at else last.quarantined_at
            behind = and_(by >= reached, or_(by > reached, behind))
