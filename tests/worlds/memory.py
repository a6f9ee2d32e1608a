"""The real ledger on SQLite in memory: one connection for a whole process of worlds, emptied for each of them.

The processes of a world share it. Their transactions never overlap, as with the write lock of a file.
"""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, StaticPool, create_engine, event

from leadgate.ledger import engine as real
from leadgate.ledger import indexes  # noqa: F401 - known to `metadata` by being imported
from leadgate.ledger.schema import REVISION, metadata

PIPELINE = "worlds"
_ROWS = "state, due_at, lease_until, inferred, doubt_since, note, decided_token, missing is null"


@dataclass(frozen=True, slots=True)
class Row:
    """Where an entry is, read without the code under test."""

    state: str
    due_at: datetime | None
    lease_until: datetime | None
    inferred: bool
    in_doubt: bool
    note: str
    decided_token: int | None
    never_looked_at: bool


class MemoryLedger:
    """The database, and ways to copy, replace and read it that the code under test does not know of."""

    def __init__(self) -> None:
        self._file = sqlite3.connect(":memory:", check_same_thread=False, cached_statements=512)
        self.engine: Engine = create_engine("sqlite://", creator=lambda: self._file, poolclass=StaticPool)
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", real._begin)
        with self.engine.begin() as connection:
            metadata.create_all(connection)
            connection.exec_driver_sql("create table leadgate_version (version_num varchar(32) not null)")
            connection.exec_driver_sql("insert into leadgate_version values (?)", (REVISION,))
        self._empty = self.copy()

    def empty(self) -> None:
        """Begin anew, as for another world."""
        self.put_back(self._empty)

    def copy(self) -> sqlite3.Connection:
        """Give a copy of all there is, as a backup."""
        copy = sqlite3.connect(":memory:")
        self._file.backup(copy)
        return copy

    def put_back(self, copy: sqlite3.Connection) -> None:
        """Put a copy in the place of all there is."""
        copy.backup(self._file)

    def rows(self) -> dict[str, Row]:
        """Every entry."""
        found = self._file.execute(f"select lead_id, {_ROWS} from leadgate_entries")  # noqa: S608 - names of ours
        return {
            lead_id: Row(state, _instant(due), _instant(lease), bool(inferred), doubt is not None, note or "", *rest)
            for lead_id, state, due, lease, inferred, doubt, note, *rest in found
        }

    def add_settled(self, lead_id: str, action: str, at: datetime) -> None:
        """Add a lead that was acted on before."""
        state = {"process": "processed", "reject": "rejected"}[action]
        self._file.execute(
            "insert into leadgate_entries (pipeline, account, lead_id, state, quarantined_at, registered_at,"
            " settled_at, token, decided_token) values (?, 'worlds', ?, ?, ?, ?, ?, 1, 1)",
            (PIPELINE, lead_id, state, *3 * [at.replace(tzinfo=None).isoformat(" ", "microseconds")]),
        )

    def intended(self, lead_id: str) -> set[str]:
        """The acts of which a run has written that it was about to send them, and may have."""
        query = "select action from leadgate_attempts where lead_id = ? and action is not null"
        return {action for (action,) in self._file.execute(query, (lead_id,))}

    def has_intent(self, lead_id: str, action: str) -> bool:
        """Whether a request for this act is in flight by the ledger, committed, with the decision it follows from."""
        if self._file.in_transaction:
            return False
        query = (
            "select 1 from leadgate_attempts a join leadgate_entry_decisions d using (pipeline, lead_id, token)"
            " where a.lead_id = ? and a.action = ? and a.outcome is null and d.verdict = ?"
        )
        return self._file.execute(query, (lead_id, action, action)).fetchone() is not None

    def attempts(self, lead_id: str) -> list[str]:
        """What the ledger says was sent for a lead, in order."""
        query = (
            "select sent_at, owner, kind, action, token, answered_at, outcome, http_status, message"
            " from leadgate_attempts where lead_id = ? order by sent_at"
        )
        return [" | ".join(map(str, row)) for row in self._file.execute(query, (lead_id,))]


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # as for a file
    connection.execute("pragma foreign_keys = on")


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
