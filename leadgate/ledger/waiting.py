"""The entries that wait, and the few among them that a look must see. Each way of asking has an index of its own.

A million waiting entries cost nothing here: every query begins at an index that holds just those it is after.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, Select, and_, or_, select

from leadgate.ledger.engine import reading
from leadgate.ledger.schema import entries, in_state
from leadgate.model import State, Waiting

Pages = Iterator[list[Waiting]]

_E = entries.c


def read_waiting_page(engine: Engine, pipeline: str, *, after: str, limit: int) -> list[Waiting]:
    """The next `limit` waiting entries in the order of their ids."""
    with reading(engine) as connection:
        query = _waiting(pipeline).where(_E.lead_id > after).order_by(_E.lead_id).limit(limit)
        return [Waiting(*row) for row in connection.execute(query)]


def read_waiting(engine: Engine, pipeline: str, ids: Sequence[str]) -> list[Waiting]:
    """Those of the ids that wait."""
    with reading(engine) as connection:
        return [Waiting(*row) for row in connection.execute(_waiting(pipeline).where(_E.lead_id.in_(ids)))]


def never_looked_at(engine: Engine, pipeline: str, limit: int) -> Pages:
    """Entries that were registered and not yet compared with the source, in pages."""
    return _pages(engine, _waiting(pipeline).where(_E.missing.is_(None)), limit)


def held_until(engine: Engine, pipeline: str, now: datetime, limit: int) -> Pages:
    """Entries that a rule held until now, in pages."""
    query = _waiting(pipeline).where(_E.due_at.is_not(None), _E.due_at <= now)
    return _pages(engine, query, limit, by=_E.due_at)


def waiting_since(engine: Engine, pipeline: str, instant: datetime, limit: int) -> Pages:
    """Entries, but held ones, that have waited since an instant or longer, in pages."""
    query = _waiting(pipeline).where(_E.due_at.is_(None), _E.quarantined_at <= instant)
    return _pages(engine, query, limit, by=_E.quarantined_at)


def _waiting(pipeline: str) -> Select[Any]:
    columns = (_E.lead_id, _E.quarantined_at, _E.missing, _E.data_hash, _E.due_at)
    return select(*columns).where(_E.pipeline == pipeline, in_state(State.WAITING))


def _pages(
    engine: Engine,
    query: Select[Any],
    limit: int,
    by: Column[datetime] | None = None,
) -> Pages:
    """Each page begins behind the last one: what a look leaves where it is must not be met again."""
    order = [_E.lead_id] if by is None else [by, _E.lead_id]
    behind: ColumnElement[bool] | None = None
    while True:
        page_query = query.order_by(*order).limit(limit)
        with reading(engine) as connection:
            page = [
                Waiting(*row) for row in connection.execute(page_query if behind is None else page_query.where(behind))
            ]
        if page:
            yield page
        if len(page) < limit:
            return
        last = page[-1]
        behind = _E.lead_id > last.lead_id
        if by is not None:
            at = last.held_until if by is _E.due_at else last.quarantined_at
            behind = and_(by >= at, or_(by > at, behind))
