"""Taking from the outbox: which leads have changed in the source since they were last taken.

Triggers write a row for each change, in the change's own transaction; rows are read without a cursor and deleted once
they have been dealt with. So a row that is committed late is simply there the next time, and one that was read and
not deleted, as when a run was killed, is read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, Delete, TextClause, column, delete, select, table, text
from sqlalchemy.sql.elements import quoted_name

from leadgate.config import PipelineConfig
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.source.database import Database, address_of
from leadgate.source.ids import IdKind, id_text
from leadgate.source.outbox_sql import INSTALLED, OUTBOX
from leadgate.source.outbox_tables import Site, survey, what_is_missing

_DELETED_AT_ONCE = 500
"""Rows a transaction deletes: on SQLite the user's writers wait for it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids whose row in a relation is new or changed, each once and oldest change first, and what to delete for them.

    `seqs` has every row that was read: several for a lead that changed often, and those whose id is none.
    """

    leads: list[str]
    enrichment: list[str]
    seqs: list[int]


class Outbox:
    """One pipeline's rows of the outbox, over connections that write nothing else. Threads may share it."""

    def __init__(self, database: Database, pipeline: str, site: Site) -> None:
        self._database = database
        self._pipeline = pipeline
        self._site = site
        schema = quoted_name(site.sql.schema, quote=True) if site.sql.schema else None
        names = ("seq", "pipeline", "relation", "lead_id")
        self._rows = table(quoted_name(OUTBOX, quote=True), *map(column, names), schema=schema)

    @classmethod
    def find(cls, config: PipelineConfig, *, base_dir: Path) -> tuple["Outbox | None", str]:
        """Open the pipeline's outbox; without one that can be used, None and the reason with what to do.

        It is used only where every trigger stands as the file has it, and its rows may be read and deleted. Raises
        SourceUnavailable when the source does not answer.
        """
        database = Database.open(address_of(config.source), base_dir, writes=True)
        try:
            with database.connect(OUTBOX) as connection:
                site = survey(connection, config)
                reason = what_is_missing(connection, site.sql)
                if reason is None:
                    outbox = cls(database, config.pipeline, site)
                    outbox._try(connection)
                    return outbox, ""
        except SourceUnavailable:
            database.close()
            raise
        except SourceError as error:
            reason = str(error)
        database.close()
        return None, reason

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def pending(self, limit: int) -> Batch:
        """Read the oldest changes, at most `limit` rows; no `seqs` means that there are none.

        They are there until they are deleted. A lead's row itself is to be read after this, never before.
        """
        rows = self._rows.c
        statement = select(rows.seq, rows.relation, rows.lead_id).where(
            rows.pipeline == self._pipeline, rows.relation != INSTALLED
        )
        with self._database.connect(OUTBOX) as connection:
            found = connection.execute(statement.order_by(rows.seq).limit(limit)).all()
        ids: dict[str, dict[str, None]] = {relation: {} for relation in self._site.id_kinds}
        for _, relation, raw in found:
            lead_id = _id_of(self._site.id_kinds[relation], raw)
            if lead_id is not None:
                ids[relation][lead_id] = None
        return Batch(list(ids["leads"]), list(ids["enrichment"]), [seq for seq, *_ in found])

    def delete(self, seqs: Sequence[int]) -> None:
        """Delete rows that were read and dealt with; one that another run deleted already is no fault."""
        # In order, so that two runs wait for one another and do not lock each other out.
        ordered = sorted(seqs)
        for start in range(0, len(ordered), _DELETED_AT_ONCE):
            with self._database.transaction(OUTBOX) as connection:
                connection.execute(self._deletion(ordered[start : start + _DELETED_AT_ONCE]))

    def _deletion(self, seqs: list[int]) -> Delete | TextClause:
        if self._site.sql.dialect not in {"mysql", "mariadb"}:
            return delete(self._rows).where(self._rows.c.seq.in_(seqs))
        # One look-up a row. With IN it may scan the whole table (an index hint is ignored there), and a scan waits for
        # the rows of every transaction of the user's that is still open.
        outbox = self._site.sql.outbox
        taken = " UNION ALL ".join(f"SELECT {seq:d} AS seq" for seq in seqs)
        return text(
            f"DELETE FROM {outbox} USING ({taken}) AS taken STRAIGHT_JOIN {outbox} FORCE INDEX (PRIMARY)"  # noqa: S608
            f" ON {outbox}.seq = taken.seq"
        )

    def _try(self, connection: Connection) -> None:
        """Find out whether rows may be read and deleted: no database tells it in a better way."""
        connection.execute(select(*self._rows.c).limit(0)).close()
        connection.rollback()
        connection.execute(self._deletion([0]))
        connection.rollback()


def _id_of(kind: IdKind, raw: object) -> str | None:
    """The id as `Source` gives it; triggers write it as the database casts it to text, such as 123.00."""
    if not isinstance(raw, str):
        return id_text(raw)
    try:
        match kind:
            case IdKind.INTEGER:
                return id_text(int(raw))
            case IdKind.NUMBER:
                return id_text(Decimal(raw))
            case _:
                return id_text(raw)
    except (ValueError, ArithmeticError):
        # Written when the column was of another type.
        return None
