"""The rows of one relation: looked up by id, and read forward in the order they were written."""

import logging
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, func, or_, select
from sqlalchemy.types import NullType

from leadgate.clock import CLOCKS_AGREE
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.model import ColumnType
from leadgate.model.values import fit, own_value
from leadgate.source.database import Database
from leadgate.source.faults import Faults, odd_ids, shape_of
from leadgate.source.ids import IdKind, bind_values, bound_value, id_text
from leadgate.source.relations import ReadableRelation

logger = logging.getLogger(__name__)

_IDS_A_STATEMENT = 1000
_LATEST = 100
"""Stamps among which there should be one that can be read."""
_MOST_COUNTED = 100_000
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest stamp of a relation that is not of the future; and what lies ahead of it."""

    at: datetime | None
    latest_at: datetime
    """The newest of all, of the future or not."""
    faults: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Unreadable:
    """Leads of which a column holds what is not of its type."""

    told: str
    ids: set[str] = field(default_factory=set)


class Rows:
    """One relation, its values as their types say; `stamp` names the column that says when a row was written."""

    def __init__(self, database: Database, relation: ReadableRelation, stamp: str | None, zone: tzinfo) -> None:
        self.relation = relation
        self.stamp = stamp
        self.has_odd_ids = False
        """Whether ids may hold what cannot be seen: then they are compared without it, which no index serves."""
        self.odd_ids = Faults()
        """How many rows have such an id, if somebody has counted."""
        self._database = database
        self._zone = zone
        self._unreadable: dict[str, _Unreadable] = {}

    def fetch(self, statement: Executable) -> Sequence[Sequence[Any]]:
        """Run one statement on a connection of its own."""
        with self._database.connect(self.relation.where) as connection:
            return connection.execute(statement).all()

    def instant(self, raw: object) -> datetime | None:
        """Read a raw value as an instant."""
        instant: datetime | None = fit(raw, ColumnType.TIMESTAMP, self._zone)
        return instant

    def look_up(self, ids: Sequence[str]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Every row of the ids, with all its columns, in no order: as rules see them, and those that differ there."""
        relation = self.relation
        names = list(relation.types)
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _IDS_A_STATEMENT):
            chunk = set(wanted[start : start + _IDS_A_STATEMENT])
            values = bind_values(relation.id_kind, chunk)
            if not values:
                continue
            among = bindparam(None, values, type_=relation.id_kind.bind_type, expanding=True)
            is_wanted: ColumnElement[bool] = relation.id.in_(among)
            if self.has_odd_ids:
                is_wanted = or_(is_wanted, relation.normal_id.in_(bindparam(None, list(chunk), expanding=True)))
            for raw_id, *cells in self.fetch_named(names, is_wanted):
                lead_id = id_text(raw_id)
                # A collation may find ABC for abc, and those are two leads.
                if lead_id in chunk:
                    yield lead_id, *self.fit_row(lead_id, names, cells)

    def fetch_named(
        self,
        names: Sequence[str],
        condition: ColumnElement[bool] | None = None,
        *,
        order: ColumnElement[Any] | None = None,
        limit: int | None = None,
    ) -> Sequence[Sequence[Any]]:
        """Read the raw id and raw columns of some rows.

        Raises SourceError that names the columns which the database cannot give.
        """
        relation = self.relation
        wanted = () if condition is None else (condition,)

        def read(*columns: str) -> Sequence[Sequence[Any]]:
            return self.fetch(
                select(relation.id_value, *map(relation.value, columns)).where(*wanted).order_by(order).limit(limit)
            )

        def is_faulty(column: str) -> bool:
            try:
                read(column)
            except SourceUnavailable:
                raise
            except SourceError:
                return True
            return False

        try:
            return read(*names)
        except SourceUnavailable:
            raise
        except SourceError as error:
            faulty = [name for name in names if is_faulty(name)]
            if not faulty or len(faulty) == len(names):
                raise
            told = " and ".join(f"`{name}`" for name in faulty)
            msg = f"{error} It is {told} that it cannot give: put the values right, or leave them out by a `query:`."
            raise SourceError(msg) from None

    def fit_row(
        self, lead_id: str, names: Sequence[str], cells: Sequence[object]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give a row's values as the types of their columns; what is not of its type counts as missing."""
        columns: dict[str, Any] = {}
        own: dict[str, Any] = {}
        types, zone = self.relation.types, self._zone
        for name, raw in zip(names, cells, strict=True):
            columns[name] = value = fit(raw, types[name], zone)
            if value is not raw:
                if value is None:
                    self._note_unreadable(lead_id, name, raw)
                elif (written := own_value(raw, value)) is not value:
                    own[name] = written
        return columns, own

    def _note_unreadable(self, lead_id: str, name: str, raw: object) -> None:
        found = self._unreadable.get(name)
        if found is None:
            type_ = self.relation.types[name]
            written = f" (one is written like {shape_of(raw)})" if type_ is not ColumnType.STRING else ""
            told = f"{self.relation.where}: {{rows}} with a `{name}` that is no {type_}, and counts as missing{written}"
            found = self._unreadable[name] = _Unreadable(f"{told}, such as that of lead {lead_id}.")
            path = self.relation.place.path
            logger.warning("event=unreadable_values relation=%s column=%s type=%s", path, name, type_)
        if len(found.ids) < _MOST_COUNTED:
            found.ids.add(lead_id)

    def unreadable(self, among: Container[str] | None = None) -> Faults:
        """The values that were not of their column's type, of leads that were read so far; of all columns or some."""
        unreadable = self._unreadable.items()
        return Faults({found.told: len(found.ids) for name, found in unreadable if among is None or name in among})

    def mind_odd_ids(self, count: int) -> None:
        """Compare ids without what cannot be seen in them from now on, if the ids of `count` rows hold that."""
        self.has_odd_ids = bool(count)
        self.odd_ids = Faults({odd_ids(self.relation.where): count} if count else {})

    def look_for_odd_ids(self) -> Faults:
        """Count the rows whose id holds what cannot be seen, and mind them."""
        relation = self.relation
        if relation.id_kind not in {IdKind.TEXT, IdKind.ANY}:
            return Faults()
        # By the lengths: MariaDB calls texts equal that differ in blanks at their end.
        is_odd = func.length(relation.normal_id) != func.length(relation.id_value)
        ((count,),) = self.fetch(select(func.count()).select_from(relation.rows).where(is_odd))
        self.mind_odd_ids(count)
        return self.odd_ids

    def is_empty(self) -> bool:
        """Whether there is no row at all."""
        return not self.fetch(select(self.relation.id).limit(1))

    def newest(self, now: datetime) -> Newest | None:
        """The newest stamp that is not of the future; None where no row has one.

        Others are counted: a row that is stamped in 2099 says nothing of how fresh the source is.
        """
        if self.stamp is None:
            return None
        stamp, until = self.relation.rows.c[self.stamp], now + CLOCKS_AGREE
        ((raw,),) = self.fetch(select(func.max(stamp)))
        if raw is None:
            return None
        at = self.instant(raw)
        if at and at <= until:
            return Newest(at, at)
        bound = comparable(self._sample(stamp), until, self._zone)
        if bound is None:
            return Newest(None, at or _NEVER)
        is_past = stamp <= _raw(bound)
        ((past,),) = self.fetch(select(func.max(stamp)).where(is_past))
        ((count,),) = self.fetch(select(func.count()).select_from(self.relation.rows).where(stamp > _raw(bound)))
        ahead = f", the last at {at:%Y-%m-%d %H:%M}Z" if at else ""
        told = (
            f"{self.relation.where}: {{rows}} with a `{self.stamp}` of the future{ahead}. They do not count as fresh: "
            "put them right, or correct source.time_zone if all are ahead."
        )
        return Newest(self.instant(past), at or _NEVER, {told: count})

    def _sample(self, stamp: ColumnElement[Any]) -> Any:  # noqa: ANN401
        """One of the latest stamps, raw, and one that can be read if there is any; None where no row has one."""
        ((newest,),) = self.fetch(select(func.max(stamp)))
        if newest is None or self.instant(newest):
            return newest
        # `infinity` and the like come before all others.
        latest = self.fetch(select(stamp).distinct().where(stamp.is_not(None)).order_by(stamp.desc()).limit(_LATEST))
        return next((raw for (raw,) in latest if self.instant(raw)), newest)

    def written_since(
        self, since: datetime, size: int, *, columns: Sequence[str] = ()
    ) -> Iterator[Sequence[Sequence[Any]]] | None:
        """Pages of rows stamped at `since` or later, oldest first: raw id, raw stamp, raw `columns`.

        None where the stamps cannot be compared with an instant: there are none, or they are text of a shape that
        does not sort. Rows without id or stamp are left out.
        """
        if self.stamp is None:
            return None
        sample = self._sample(self.relation.rows.c[self.stamp])
        if sample is None:
            return iter(())
        bound = comparable(sample, since, self._zone)
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
                last_id = bound_value(after[0], relation.id_kind.bind_type)
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


def _raw(value: object) -> ColumnElement[Any]:
    """Bind a value without a cast to a type, which may be another zone's."""
    return bound_value(value, NullType())
