"""Reading the source: every waiting lead by pages, rows by id, and how fresh it is. Nothing is ever written.

A page, a thousand ids and a reading are one statement each, on a connection of their own: no transaction stays
open between them, and a server that was restarted in between is not noticed.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, bindparam, func, literal, select

from leadgate.config import Block, SourceConfig
from leadgate.errors import ConfigError, SourceError, SourceUnavailable
from leadgate.model import Columns, ColumnType, Enrichment, Lead, Reading
from leadgate.source.database import Database
from leadgate.source.describe import Place
from leadgate.source.ids import bind_values, id_text
from leadgate.source.relations import ReadableRelation, reflect
from leadgate.source.values import convert

logger = logging.getLogger(__name__)

_IDS_A_STATEMENT = 1000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Some of the leads in order of id, and what is wrong with rows among them, a sentence each.

    The leads carry their id and `quarantined_at` alone: a page of those needs no more than an index.
    """

    leads: list[Lead]
    faults: list[str]


class Source:
    """The user's database, seen through the two relations of the pipeline file. Threads may share it."""

    def __init__(
        self, config: SourceConfig, database: Database, leads: ReadableRelation, enrichment: ReadableRelation
    ) -> None:
        self.columns = Columns(lead=dict(leads.types), enrichment=dict(enrichment.types))
        self._database = database
        self._leads = leads
        self._enrichment = enrichment
        self._quarantined_at = config.leads.quarantined_at
        self._updated_at = config.enrichment.updated_at
        self._told: set[tuple[str, str]] = set()

    @classmethod
    def open(cls, config: SourceConfig, *, base_dir: Path) -> "Source":
        """Connect and look up the columns; a relative SQLite path starts at `base_dir`, the pipeline file's folder.

        Raises SourceError naming every fault of both relations, SourceUnavailable when there is no connection.
        """
        if isinstance(config.url, Block):
            msg = f"source.url: the block {config.url.block} was not loaded: blocks are known to Prefect's flows only."
            raise ConfigError(msg)
        database = Database.open(config.url.get_secret_value(), base_dir)
        try:
            leads, enrichment = _reflect_both(database, config)
        except SourceError:
            database.close()
            raise
        return cls(config, database, leads, enrichment)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def check(self, *, required: Sequence[str], used: Sequence[str]) -> list[str]:
        """Say which columns named elsewhere in the file cannot be read, and why; empty when all can.

        `required` is `wait.require`; `used` are the columns of `update`.
        """
        named = [("wait.require", name) for name in required]
        named += [("update", name) for name in dict.fromkeys(used)]
        return [f"{path}: {problem}" for path, name in named if (problem := self._enrichment.problem(name))]

    def lead_pages(self, size: int = 1000) -> Iterator[LeadPage]:
        """Every lead in order of id, with its `quarantined_at`, at most `size` rows in memory."""
        leads = self._leads
        faults = self._null_ids()
        after: Any = None
        more = True
        while more:
            statement = select(leads.id_value, leads.value(self._quarantined_at)).where(leads.id.is_not(None))
            if after is not None:
                statement = statement.where(leads.id > bindparam(None, after, type_=leads.id_kind.bind_type))
            rows = self._fetch(leads, statement.order_by(leads.id).limit(size + 1))
            more = len(rows) > size
            if more:
                rows = _whole_ids(rows)
            page = self._page(rows)
            if page.leads or page.faults or faults:
                yield LeadPage(page.leads, faults + page.faults)
            faults = []
            after = rows[-1][0] if rows else None

    def leads(self, ids: Sequence[str]) -> dict[str, Lead]:
        """The leads among `ids` that the source has, with all their columns; of several rows the earliest."""
        found: dict[str, tuple[Any, Lead]] = {}
        for lead_id, columns in self._look_up(self._leads, ids):
            quarantined_at = columns[self._quarantined_at]
            if quarantined_at is None:
                continue
            rank = (quarantined_at, repr(columns))
            if lead_id not in found or rank < found[lead_id][0]:
                found[lead_id] = rank, Lead(lead_id, quarantined_at, columns)
        return {lead_id: lead for lead_id, (_, lead) in found.items()}

    def enrichments(self, ids: Sequence[str]) -> dict[str, Enrichment]:
        """What has arrived for `ids`. Of several rows for one lead the latest `updated_at` counts.

        Among equals it is the row with the most columns filled, then the last in order of their text, so that
        the same rows always give the same answer.
        """
        found: dict[str, tuple[Any, Enrichment]] = {}
        for lead_id, columns in self._look_up(self._enrichment, ids):
            updated_at = columns[self._updated_at] if self._updated_at else None
            filled = sum(value is not None for value in columns.values())
            rank = (updated_at or _LONG_AGO, filled, repr(columns))
            if lead_id not in found or rank > found[lead_id][0]:
                found[lead_id] = rank, Enrichment(lead_id, updated_at, columns)
        return {lead_id: enrichment for lead_id, (_, enrichment) in found.items()}

    def reading(self, now: datetime, fresh_within: timedelta | None) -> Reading:
        """Look whether the source answers and how new its newest enrichment is: one cheap statement.

        Healthy is a source that answers and, where `fresh_within` is given, has a row no older than that.
        """
        enrichment, column = self._enrichment, self._updated_at
        if column is None and fresh_within is not None:
            msg = (
                "wait.source_fresh_within: how fresh the source is cannot be seen without "
                "source.enrichment.updated_at: name its column, or leave source_fresh_within out."
            )
            raise SourceError(msg)
        if column is None:
            statement: Executable = select(literal(None)).select_from(enrichment.rows).limit(1)
        else:
            statement = select(func.max(enrichment.rows.c[column]))
        try:
            rows = self._fetch(enrichment, statement)
        except SourceUnavailable as error:
            logger.warning("%s", error)
            return Reading(read_at=now, newest_at=None, healthy=False)
        newest_at = self._convert(enrichment, column, rows[0][0]) if column and rows else None
        return Reading(
            read_at=now,
            newest_at=newest_at,
            healthy=fresh_within is None or (newest_at is not None and newest_at >= now - fresh_within),
            lag=max(now - newest_at, timedelta(0)) if newest_at else None,
        )

    def _null_ids(self) -> list[str]:
        """Say how many rows have no id, and when they were quarantined: there is nothing else to know them by."""
        leads, at = self._leads, self._leads.rows.c[self._quarantined_at]
        statement = select(func.count(), func.min(at), func.max(at)).select_from(leads.rows).where(leads.id.is_(None))
        ((count, first, last),) = self._fetch(leads, statement)
        if not count:
            return []
        spans = [convert(value, ColumnType.TIMESTAMP) for value in (first, last)]
        when = f", quarantined from {spans[0]} to {spans[1]}" if all(spans) else ""
        return [f"{leads.where}: {count} rows have no `{leads.place.config.id}`{when}. Give them one."]

    def _page(self, rows: Sequence[Sequence[Any]]) -> LeadPage:
        where, at = self._leads.where, self._quarantined_at
        by_id: dict[str, list[datetime | None]] = {}
        faults = []
        for raw_id, raw_at in rows:
            quarantined_at = convert(raw_at, ColumnType.TIMESTAMP)
            lead_id = id_text(raw_id)
            if lead_id is None:
                faults.append(
                    f"{where}: a row quarantined at {quarantined_at} has an id that is none: blank, longer than 200 "
                    "characters, or with a NUL in it. Put it right."
                )
            else:
                by_id.setdefault(lead_id, []).append(quarantined_at)
        leads = []
        for lead_id, instants in by_id.items():
            known = [instant for instant in instants if instant]
            if len(instants) > 1:
                faults.append(f"{where}: lead {lead_id} is on more than one row; the earliest `{at}` counts.")
            if known:
                leads.append(Lead(lead_id, min(known)))
            else:
                faults.append(f"{where}: lead {lead_id} has no date and time in `{at}`, and waits until it has one.")
        return LeadPage(leads, faults)

    def _look_up(self, relation: ReadableRelation, ids: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        names = list(relation.types)
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _IDS_A_STATEMENT):
            chunk = set(wanted[start : start + _IDS_A_STATEMENT])
            values = bind_values(relation.id_kind, chunk)
            if not values:
                continue
            among = bindparam(None, values, type_=relation.id_kind.bind_type, expanding=True)
            columns = (relation.value(name) for name in names)
            for raw_id, *cells in self._fetch(
                relation, select(relation.id_value, *columns).where(relation.id.in_(among))
            ):
                lead_id = id_text(raw_id)
                # A collation may find ABC for abc, and those are two leads.
                if lead_id in chunk:
                    pairs = zip(names, cells, strict=True)
                    yield lead_id, {name: self._convert(relation, name, cell) for name, cell in pairs}

    def _fetch(self, relation: ReadableRelation, statement: Executable) -> Sequence[Sequence[Any]]:
        with self._database.connect(relation.where) as connection:
            return connection.execute(statement).all()

    def _convert(self, relation: ReadableRelation, name: str, raw: object) -> Any:  # noqa: ANN401 - any column's
        value = convert(raw, relation.types[name])
        if value is None and raw is not None and (relation.where, name) not in self._told:
            self._told.add((relation.where, name))
            logger.warning(
                "%s: column `%s` holds values that are no %s; they count as missing. Say what they are under `types:`.",
                relation.where,
                name,
                relation.types[name],
            )
        return value


def _reflect_both(database: Database, config: SourceConfig) -> list[ReadableRelation]:
    found: list[ReadableRelation] = []
    faults: list[str] = []
    for place, key, instant in (
        (Place("source.leads", config.leads), "quarantined_at", config.leads.quarantined_at),
        (Place("source.enrichment", config.enrichment), "updated_at", config.enrichment.updated_at),
    ):
        try:
            with database.connect(place.where) as connection:
                found.append(reflect(connection, place, key, instant))
        except SourceUnavailable:
            raise
        except SourceError as fault:
            faults.append(str(fault))
    if faults:
        raise SourceError("\n".join(faults))
    return found


def _whole_ids(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Leave out the last id of a page that goes on: its other rows may follow, and duplicates are told together.

    Ids that differ in case alone count as one here, since the database may sort and compare them as equal. A page
    that is one id from end to end stays as it is: what follows of that id is passed over.
    """

    def key(row: Sequence[Any]) -> str:
        return (id_text(row[0]) or "").rstrip().casefold()

    last = key(rows[-1])
    return [row for row in rows if key(row) != last] or rows
