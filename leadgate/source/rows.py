"""The rows of one relation: looked up by id, and read forward in the order they were written."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import Executable, and_, bindparam, func, or_, select
from sqlalchemy.types import NullType

from leadgate.model import ColumnType
from leadgate.model.values import fit
from leadgate.source.database import Database
from leadgate.source.ids import bind_values, id_text
from leadgate.source.relations import ReadableRelation

logger = logging.getLogger(__name__)

_IDS_A_STATEMENT = 1000


class Rows:
    """One relation, its values as their types say; `stamp` names the column that says when a row was written."""

    def __init__(self, database: Database, relation: ReadableRelation, stamp: str | None, zone: tzinfo) -> None:
        self.relation = relation
        self.stamp = stamp
        self._database = database
        self._zone = zone
        self._told: set[str] = set()

    def fetch(self, statement: Executable) -> Sequence[Sequence[Any]]:
        """Run one statement on a connection of its own."""
        with self._database.connect(self.relation.where) as connection:
            return connection.execute(statement).all()

    def fit(self, name: str, raw: object) -> Any:  # noqa: ANN401 - any column's
        """Give a value as its column's type; one that is not of it counts as missing, which is logged once."""
        value = fit(raw, self.relation.types[name], self._zone)
        if value is None and raw is not None and name not in self._told:
            self._told.add(name)
            logger.warning(
                "event=unreadable_values relation=%s column=%s type=%s",
                self.relation.place.path,
                name,
                self.relation.types[name],
            )
        return value

    def instant(self, raw: object) -> datetime | None:
        """Read a raw value as an instant."""
        instant: datetime | None = fit(raw, ColumnType.TIMESTAMP, self._zone)
        return instant

    def look_up(self, ids: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every row of the ids, with all its columns, in no order."""
        relation = self.relation
        names = list(relation.types)
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _IDS_A_STATEMENT):
            chunk = set(wanted[start : start + _IDS_A_STATEMENT])
            values = bind_values(relation.id_kind, chunk)
            if not values:
                continue
            among = bindparam(None, values, type_=relation.id_kind.bind_type, expanding=True)
            columns = (relation.value(name) for name in names)
            for raw_id, *cells in self.fetch(select(relation.id_value, *columns).where(relation.id.in_(among))):
                lead_id = id_text(raw_id)
                # A collation may find ABC for abc, and those are two leads.
                if lead_id in chunk:
                    pairs = zip(names, cells, strict=True)
                    yield lead_id, {name: self.fit(name, cell) for name, cell in pairs}

    def is_empty(self) -> bool:
        """Whether there is no row at all."""
        return not self.fetch(select(self.relation.id).limit(1))

    def newest(self) -> Any:  # noqa: ANN401 - as the driver gives it
        """The newest stamp, raw; None where no row has one."""
        if self.stamp is None:
            return None
        ((raw,),) = self.fetch(select(func.max(self.relation.rows.c[self.stamp])))
        return raw

    def written_since(
        self, since: datetime, size: int, *, columns: Sequence[str] = ()
    ) -> Iterator[Sequence[Sequence[Any]]] | None:
        """Pages of rows stamped at `since` or later, oldest first: raw id, raw stamp, raw `columns`.

        None where the stamps cannot be compared with an instant: there are none, or they are text of a shape that
        does not sort. Rows without id or stamp are left out.
        """
        if self.stamp is None:
            return None
        newest = self.newest()
        if newest is None:
            return iter(())
        bound = comparable(newest, since, self._zone)
        return None if bound is None else self._pages(self.stamp, bound, size, columns)

    def _pages(
        self, column: str, bound: object, size: int, columns: Sequence[str]
    ) -> Iterator[Sequence[Sequence[Any]]]:
        relation = self.relation
        stamp = relation.rows.c[column]
        wanted = select(relation.id_value, stamp, *(relation.value(name) for name in columns))
        after: tuple[Any, Any] | None = None
        while True:
            # Not a comparison of pairs: SQLite would use one column of the index for it, MariaDB none.
            later = stamp >= _raw(bound if after is None else after[1])
            if after is not None:
                last_id = bindparam(None, after[0], type_=relation.id_kind.bind_type)
                later = and_(later, or_(stamp > _raw(after[1]), relation.id > last_id))
            rows = self.fetch(wanted.where(later, relation.id.is_not(None)).order_by(stamp, relation.id).limit(size))
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = (rows[-1][0], rows[-1][1])


def comparable(sample: object, instant: datetime, zone: tzinfo) -> object | None:
    """Give an instant as the column holds them, going by one of its values; never later, a second earlier at most.

    None where values like `sample` do not sort as their instants do.
    """
    match sample:
        case datetime():
            return instant if sample.tzinfo else instant.astimezone(zone).replace(tzinfo=None)
        case date():
            return instant.astimezone(zone).date()
        case int() | float() | Decimal() if not isinstance(sample, bool):
            return int(instant.timestamp() // 1)
        case str():
            return _comparable_text(sample, instant, zone)
        case _:
            return None


def _comparable_text(sample: str, instant: datetime, zone: tzinfo) -> str | None:
    try:
        found = datetime.fromisoformat(sample)
    except ValueError:
        return None
    local = instant.astimezone(found.tzinfo or zone).replace(tzinfo=None)
    date_alone, separator = sample[:10], sample[10:11]
    if date_alone.count("-") != 2:  # noqa: PLR2004 - a date without them sorts otherwise
        return None
    return local.isoformat(separator, "seconds") if separator else local.date().isoformat()


def _raw(value: object) -> Any:  # noqa: ANN401 - a bound value, without a cast to a type that may be another zone's
    return bindparam(None, value, type_=NullType())
