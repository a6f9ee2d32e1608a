"""Reading the source: every waiting lead by pages, rows by id, what was written since, and how fresh it is.

Nothing is ever written. A page, a thousand ids and a reading are one statement each, on a connection of their own: no
transaction stays open between them, and a server that was restarted in between is not noticed.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from leadgate.clock import Clock
from leadgate.config import Block, SourceConfig
from leadgate.errors import SourceError
from leadgate.model import Enrichment, Faults, Lead, SourceReading
from leadgate.source.advice import advise, warn_of_casts
from leadgate.source.database import Database
from leadgate.source.describe import Place
from leadgate.source.faults import several_rows
from leadgate.source.freshness import read_horizon, read_source
from leadgate.source.ids import id_text
from leadgate.source.known import KnownColumns, each_relation
from leadgate.source.lead_pages import LeadPages
from leadgate.source.relations import ReadableRelation, reflect
from leadgate.source.rows import NEVER, Fitted, Newest, Rows
from leadgate.source.sampling import Sample, read_slice, sample_columns, sample_enrichment, sample_leads
from leadgate.source.wakeups import Wakeups

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 1000


class Source(KnownColumns):
    """The user's database, seen through the two relations of the pipeline file. Threads may share it."""

    def __init__(
        self,
        config: SourceConfig,
        database: Database,
        relations: Sequence[ReadableRelation],
        clock: Clock | None,
        wakeups: Wakeups,
    ) -> None:
        # UTC itself reckons far faster than a zone of that name.
        zone = UTC if config.time_zone == "UTC" else ZoneInfo(config.time_zone)
        leads, enrichment = relations
        super().__init__(leads, enrichment)
        self._database = database
        self._clock = clock
        self.wakeups = wakeups
        nulls = config.nulls
        self._leads = Rows(database, leads, config.leads.updated_at or config.leads.quarantined_at, zone, nulls)
        self.lead_pages = LeadPages(self._leads, config.leads.quarantined_at)
        self._enrichment = Rows(database, enrichment, config.enrichment.updated_at, zone, nulls)
        self._updated_at = config.enrichment.updated_at
        self._quarantined_at = config.leads.quarantined_at

    @classmethod
    def open(cls, config: SourceConfig, *, base_dir: Path, clock: Clock | None = None) -> "Source":
        """Connect and look up the columns; a relative SQLite path starts at `base_dir`, the pipeline file's folder.

        With a `clock`, readings compare it with the database's: one of both that has jumped makes no lead late.
        Raises SourceError naming every fault of both relations, SourceUnavailable when there is no connection.
        """
        assert not isinstance(config.url, Block)  # noqa: S101 - a pipeline file is read with its blocks
        address = config.url.get_secret_value()
        database = Database.open(address, base_dir)
        try:
            relations = _reflect_both(database, config)
        except SourceError:
            database.close()
            raise
        return cls(config, database, relations, clock, Wakeups(address))

    @property
    def has_clock(self) -> bool:
        """Whether its database is a server's, which has a clock of its own."""
        return self._database.dialect.name != "sqlite"

    def close(self) -> None:
        """Close every connection."""
        self.wakeups.close()
        self._database.close()

    def end_with(self, ends_at: Callable[[], float | None]) -> None:
        """Wait for the database no longer than the process may, once it is asked to end."""
        self._database.end_with(ends_at)

    def advice(self) -> list[str]:
        """Say how arrivals are found here, and what is missing to find them better."""
        return list(advise(self._database, self._leads, self._enrichment))

    def warnings(self) -> list[str]:
        """Say what in the queries may send wrong data, whatever the rows are."""
        return list(warn_of_casts(self._database, self._leads, self._enrichment))

    def sample(self) -> Sample:
        """Read some of the rows, at a cost that does not grow with the relations where indexes serve them."""
        leads_raw = read_slice(
            self._database,
            self._leads,
            [self._leads.stamp, self._quarantined_at, self._leads.relation.place.config.id],
            both_ends=True,
        )
        by = [self._enrichment.stamp, self._enrichment.relation.place.config.id]
        newest_raw = read_slice(self._database, self._enrichment, by, both_ends=False)
        newest, odd = sample_enrichment(self._enrichment, newest_raw)
        newest_ids = list(dict.fromkeys(row.lead_id for row in newest))
        times = Counter(row.lead_id for row in newest)
        if several := [lead_id for lead_id in newest_ids if times[lead_id] > 1]:
            where = self._enrichment.relation.where
            odd.add(several_rows(where), several, rows=sum(times[lead_id] for lead_id in several))
        # Before an odd id is found among the leads, for then no index serves this.
        present = self.present(newest_ids)
        leads, faults, remarks = sample_leads(self._leads, self.lead_pages, leads_raw, self._quarantined_at)
        ids = {lead.lead_id for lead in leads}
        enrichments = self.enrichments(list(ids))
        for row in newest:
            if row.lead_id in ids:  # one with an odd id is not looked up
                enrichments.setdefault(row.lead_id, row)
        others = list({row.lead_id: row for row in reversed(newest) if row.lead_id not in enrichments}.values())
        for row in others:
            self._enrichment.unreadable.saw(row.lead_id, row.unfit)
        arrived = [row.columns for row in (*enrichments.values(), *others)]
        return Sample(
            leads=leads,
            enrichments=enrichments,
            newest_ids=newest_ids,
            without_lead=[lead_id for lead_id in newest_ids if lead_id not in present | ids],
            columns=[
                *sample_columns(self._leads, leads_raw, [lead.columns for lead in leads]),
                *sample_columns(self._enrichment, newest_raw, arrived),
            ],
            faults=faults,
            remarks=Faults(remarks, odd),
        )

    def newest_lead(self, now: datetime) -> Newest | None:
        """The newest stamp of a lead that is not of the future, and the others."""
        return self._leads.newest(now)

    def mind_odd_ids(self, faults: Faults) -> None:
        """Compare ids without what cannot be seen in them, in a relation of which earlier readings say that."""
        for rows in (self._leads, self._enrichment):
            rows.mind_odd_ids(faults)

    def odd_enrichment_ids(self) -> Faults:
        """Go through the ids of enrichment for those that hold what cannot be seen, and mind them."""
        return self._enrichment.look_for_odd_ids()

    def faults(self) -> Faults:
        """What was found so far: values that could not be read, by column, and odd ids of enrichment."""
        return Faults(self._leads.unreadable.faults(), self._enrichment.unreadable.faults(), self._enrichment.odd_ids)

    def note_missing(self, missing: Mapping[str, Collection[str]]) -> None:
        """Note which columns each of some leads waits for, such as enrichment.score: unreadable ones hold it back."""
        for relation, rows in (("lead", self._leads), ("enrichment", self._enrichment)):
            rows.unreadable.note_missing(missing, relation)

    def leads(self, ids: Sequence[str]) -> dict[str, Lead]:
        """The leads among `ids` that the source has, with all their columns; of several rows the earliest counts."""
        rows: dict[str, list[Fitted]] = {}
        for lead_id, row in self._leads.look_up(ids):
            rows.setdefault(lead_id, []).append(row)
        at = self._quarantined_at
        found = {lead_id: lead for lead_id, each in rows.items() if (lead := _as_one(lead_id, each, at))}
        self._leads.unreadable.saw_all(ids, found)
        return found

    def present(self, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that have a row among the leads, whatever stands in it."""
        return {lead_id for lead_id, _ in self._leads.look_up(ids, [])}

    def enrichments(self, ids: Sequence[str]) -> dict[str, Enrichment]:
        """What has arrived for `ids`. Of several rows for one lead the latest `updated_at` counts.

        Among equals it is the row with the most columns filled, then the last in order of their text, so that
        the same rows always give the same answer.
        """
        found: dict[str, Enrichment] = {}
        for lead_id, (columns, own, unfit) in self._enrichment.look_up(ids):
            updated_at = columns[self._updated_at] if self._updated_at else None
            row = Enrichment(lead_id, updated_at, columns, own, unfit)
            other = found.get(lead_id)
            if other is None or _rank(row) > _rank(other):
                found[lead_id] = row
        self._enrichment.unreadable.saw_all(ids, found)
        return found

    def changed(self, since: datetime, size: int = _PAGE) -> Iterator[list[tuple[str, datetime]]] | None:
        """The ids of enrichment stamped at `since` or later, with their stamps, in pages, oldest first.

        One id may come more than once. None where that cannot be asked.
        """
        pages = self._enrichment.written_since(since, size)
        return None if pages is None else map(self._stamped, pages)

    def _stamped(self, rows: Sequence[Sequence[Any]]) -> list[tuple[str, datetime]]:
        found = ((id_text(raw_id), raw_id, self._enrichment.instant(raw_at)) for raw_id, raw_at in rows)
        stamped = []
        for lead_id, raw_id, at in found:
            if lead_id and at:
                self._enrichment.has_odd_ids |= isinstance(raw_id, str) and raw_id != lead_id
                stamped.append((lead_id, at))
        return stamped

    def reads_forward(self) -> bool:
        """Whether `changed` can be asked."""
        return self.changed(_EPOCH) is not None

    def horizon(self) -> datetime | None:
        """Until when all that was written is committed, as far as the database tells; None where it does not."""
        return read_horizon(self._database, self._enrichment.relation.where)

    def reading(self, now: datetime, fresh_within: timedelta | None) -> SourceReading:
        """Look whether the source answers and how new its newest enrichment is, in a few cheap statements."""
        if self._enrichment.stamp is None and fresh_within is not None:
            lacks = f"from `{self._updated_at}`, whose texts are not in the order of time: give a `query:` with a date"
            raise SourceError(
                "wait.source_fresh_within: how fresh the source is cannot be seen "
                f"{lacks if self._updated_at else 'without source.enrichment.updated_at: name its column'}, or leave "
                "source_fresh_within out."
            )
        return read_source(self._enrichment, now, fresh_within, self._clock, self._database)


def _reflect_both(database: Database, config: SourceConfig) -> list[ReadableRelation]:
    def read(place: Place, instants: Mapping[str, str]) -> ReadableRelation:
        with database.connect(place.where) as connection:
            return reflect(connection, place, instants)

    return each_relation(config, None, read)


def _as_one(lead_id: str, rows: Sequence[Fitted], at: str) -> Lead | None:
    """Make a lead of its rows: the earliest counts, and where others differ from it is noted. None without a date."""
    if len(rows) > 1:
        rows = sorted(rows, key=lambda row: (row.columns[at] or NEVER, repr(row)))
    columns, own, unfit = rows[0]
    if columns[at] is None:
        return None
    values = {name: [row.columns[name] for row in rows] for name in columns if name != at and len(rows) > 1}
    differing = {name: of_rows for name, of_rows in values.items() if any(each != of_rows[0] for each in of_rows)}
    return Lead(lead_id, columns[at], columns, own, unfit, differing)


def _rank(row: Enrichment) -> tuple[datetime, int, str]:
    filled = sum(value is not None for value in row.columns.values())
    return row.updated_at or _LONG_AGO, filled, repr(row.columns)
