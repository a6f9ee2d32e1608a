"""The rows of one relation: looked up by id, and read forward in the order they were written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, and_, bindparam, func, or_, select
from sqlalchemy.types import NullType

from leadgate.among import is_among
from leadgate.clock import CLOCKS_AGREE
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.model import MOST_IDS, ColumnType, Fault, Faults
from leadgate.model.values import BYTES, as_text, fit, fits_as_it_is, own_value
from leadgate.source.database import Database
from leadgate.source.faults import odd_ids, written_like
from leadgate.source.ids import IdKind, bind_values, bound_value, id_text
from leadgate.source.relations import ReadableRelation
from leadgate.source.stamps import comparable
from leadgate.source.unreadable import Unreadable

_IDS_A_STATEMENT = 1000
_LATEST = 100
"""Stamps among which there should be one that can be read."""
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest stamp of a relation that is not of the future; and what lies ahead of it."""

    at: datetime | None
    latest_at: datetime
    """The newest of all, of the future or not."""
    faults: Faults = field(default_factory=Faults)


class Fitted(NamedTuple):
    """A row's columns as rules see them, those that the source has in another form, and those that cannot be read."""

    columns: dict[str, Any]
    own: dict[str, Any]
    unfit: dict[str, str]
    """How they are written."""


class Rows:
    """One relation, its values as their types say; `stamp` names the column that says when a row was written.

    Texts of `nulls` are no values.
    """

    def __init__(
        self,
        database: Database,
        relation: ReadableRelation,
        stamp: str | None,
        zone: tzinfo,
        nulls: frozenset[str] = frozenset({""}),
    ) -> None:
        self.relation = relation
        self._forms = relation.forms
        form = self._forms.get(stamp or "")
        self.stamp = None if form and not form.sorts else stamp
        """The column by which rows can be read in the order in which they were written."""
        self.unsorted_stamp = stamp if form and not form.sorts else None
        """The column that says it in an order that is not the time's."""
        self.has_odd_ids = False
        """Whether ids may hold what cannot be seen: then they are compared without it, which no index serves."""
        self.unreadable = Unreadable(relation)
        self.odd_ids = Faults()
        """How many rows have such an id, if somebody has counted."""
        self._database = database
        self._zone = zone
        self._nulls = nulls

    def fetch(self, statement: Executable) -> Sequence[Sequence[Any]]:
        """Run one statement on a connection of its own."""
        with self._database.connect(self.relation.where) as connection:
            return connection.execute(statement).all()

    def is_null(self, text: str) -> bool:
        """Whether a text means no value."""
        return text in self._nulls

    def instant(self, raw: object, column: str | None = None) -> datetime | None:
        """Read a raw value of a column, or else of the stamp, as an instant."""
        if form := self._forms.get(column or self.stamp or ""):
            found = form.read(raw, self._zone)
            return found and found[0]
        instant: datetime | None = fit(raw, ColumnType.TIMESTAMP, self._zone)
        return instant

    def look_up(self, ids: Sequence[str], columns: Sequence[str] | None = None) -> Iterator[tuple[str, Fitted]]:
        """Every row of the ids, with some columns or all, in no order."""
        relation = self.relation
        names = list(relation.types) if columns is None else columns
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _IDS_A_STATEMENT):
            chunk = set(wanted[start : start + _IDS_A_STATEMENT])
            values = bind_values(relation.id_kind, chunk)
            if not values:
                continue
            is_wanted = is_among(relation.id, values, relation.id_kind.value, dialect=relation.dialect)
            if self.has_odd_ids:
                is_wanted = or_(is_wanted, relation.normal_id.in_(bindparam(None, list(chunk), expanding=True)))
            for raw_id, *cells in self.fetch_named(names, is_wanted):
                lead_id = id_text(raw_id)
                # A collation may find ABC for abc, and those are two leads.
                if lead_id in chunk:
                    yield lead_id, self.fit_row(names, cells)

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
            column_names = " and ".join(f"`{name}`" for name in faulty)
            how = "put the values right, or leave them out by a `query:`."
            raise SourceError(f"{error} It is {column_names} that it cannot give: {how}") from None

    def fit_row(self, names: Sequence[str], cells: Sequence[object]) -> Fitted:
        """Give a row's values as the types of their columns; what is not of its type counts as missing."""
        columns: dict[str, Any] = {}
        own: dict[str, Any] = {}
        unfit: dict[str, str] = {}
        types, forms, zone, nulls = self.relation.types, self._forms, self._zone, self._nulls
        for name, given in zip(names, cells, strict=True):
            raw = as_text(given) if type(given) is not str and isinstance(given, BYTES) else given
            if raw is None or (type(raw) is str and raw.strip() in nulls):
                columns[name] = None
                continue
            if name in forms:
                value, written = forms[name].read(raw, zone) or (None, None)
            elif fits_as_it_is(raw, types[name]):
                columns[name] = raw
                continue
            else:
                value = fit(raw, types[name], zone)
                written = own_value(raw, value)
            columns[name] = value
            if value is None:
                unfit[name] = written_like(raw)
            elif written is not value:
                own[name] = written
        return Fitted(columns, own, unfit)

    def mind_odd_ids(self, faults: Faults) -> None:
        """Compare ids without what cannot be seen in them from now on, if some of the faults are ids that hold that."""
        self.odd_ids = faults.only(lambda fault: fault == odd_ids(self.relation.where))
        self.has_odd_ids = bool(self.odd_ids)

    def look_for_odd_ids(self) -> Faults:
        """Count the rows whose id holds what cannot be seen, and mind them."""
        relation = self.relation
        if relation.id_kind not in {IdKind.TEXT, IdKind.ANY}:
            return Faults()
        # By the lengths: MariaDB calls texts equal that differ in blanks at their end.
        is_odd = func.length(relation.normal_id) != func.length(relation.id_value)
        ((count,),) = self.fetch(select(func.count()).select_from(relation.rows).where(is_odd))
        faults = Faults()
        if count:
            faults.add(odd_ids(relation.where), self._lead_ids(is_odd), rows=count)
        self.mind_odd_ids(faults)
        return self.odd_ids

    def _lead_ids(self, condition: ColumnElement[bool]) -> list[str]:
        """Ids of rows that fulfil a condition, as many as are held of a fault."""
        found = self.fetch(select(self.relation.id_value).where(condition).limit(MOST_IDS))
        return [lead_id for (raw,) in found if (lead_id := id_text(raw))]

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
        bound = self._bound(stamp, until)
        if bound is None:
            return Newest(None, at or NEVER)
        is_past = stamp <= _raw(bound)
        ((past,),) = self.fetch(select(func.max(stamp)).where(is_past))
        is_ahead = stamp > _raw(bound)
        ((count,),) = self.fetch(select(func.count()).select_from(self.relation.rows).where(is_ahead))
        ahead = f", the last at {at:%Y-%m-%d %H:%M}Z" if at else ""
        faults = Faults()
        if count:
            advice = "They do not count as fresh: put them right, or correct source.time_zone if all are ahead."
            fault = Fault(self.relation.where, f"with a `{self.stamp}` of the future", advice)
            faults.add(fault, self._lead_ids(is_ahead), rows=count, detail=ahead)
        return Newest(self.instant(past), at or NEVER, faults)

    def _bound(self, stamp: ColumnElement[Any], instant: datetime) -> object | None:
        """An instant as the stamps hold them; None where they cannot be compared with one, or there is none."""
        sample = self._sample(stamp)
        form = self._forms.get(self.stamp or "")
        if form and sample is not None:
            return form.write(instant, sample, self._zone)
        return comparable(sample, instant, self._zone)

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
        stamp = self.relation.rows.c[self.stamp]
        if self._sample(stamp) is None:
            return iter(())
        bound = self._bound(stamp, since)
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
                last_id = bound_value(after[0], relation.id_kind.value)
                later = and_(later, or_(stamp > _raw(after[1]), relation.id > last_id))
            rows = self.fetch(wanted.where(later, relation.id.is_not(None)).order_by(stamp, relation.id).limit(size))
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = (rows[-1][0], rows[-1][1])


def _raw(value: object) -> ColumnElement[Any]:
    """Bind a value without a cast to a type, which may be another zone's."""
    return bound_value(value, NullType())
