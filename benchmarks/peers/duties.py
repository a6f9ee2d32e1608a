"""What a peer needs to have leadgate's duties: its rules in Python, and a durable record of each lead.

Runs in each peer's own environment, so that it imports nothing of leadgate.
"""

import json
import re
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]

_RELEASE_RESULTS = "quaratineReleaseResults"  # LeadByte spells it so
_NAMED_LEAD = re.compile(r"Quarantine ID '(\d+)'")
_LONGEST_SENTENCE = 500

_metadata = MetaData()
_records = Table(
    "lead_records",
    _metadata,
    Column("quarantine_id", BigInteger, primary_key=True, autoincrement=False),
    Column("action", String(10), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("intended_at", DateTime(timezone=True)),
    Column("status", Integer),
    Column("sentence", String(_LONGEST_SENTENCE)),
    Column("answered_at", DateTime(timezone=True)),
)
_keep_outcome = (
    _records.update()
    .where(_records.c.quarantine_id == bindparam("lead"), _records.c.answered_at.is_(None))
    .values(status=bindparam("status"), sentence=bindparam("sentence"), answered_at=bindparam("answered_at"))
)


def decide(row: Row) -> Row:
    """The row with what is to be done with its lead and why: the rules of the benchmark's pipeline file."""
    if row["opted_out"]:
        return row | {"action": "reject", "reason": "The person opted out."}
    if row["phone_verified"] and row["score"] is not None and row["score"] >= 0.5:  # noqa: PLR2004 - the rule's own
        return row | {"action": "process", "reason": f"Phone verified and a score of {row['score']}."}
    return row | {"action": "review", "reason": "No rule matched."}


class LeadRecords:
    """One row a lead: its decision and intent, committed before its request, and its outcome, committed after it.

    A lead with an intent and no outcome is in doubt: it is never sent again.
    """

    def __init__(self, url: str, connections: int = 1) -> None:
        """Open the table in the database at `url`, and make it if it is missing."""
        is_sqlite = url.startswith("sqlite")
        self._engine = create_engine(url, pool_size=connections, connect_args={"timeout": 30} if is_sqlite else {})
        # SQLite has one writer: threads that wait for a lock of ours wait less than those that ask SQLite again.
        self._turn: AbstractContextManager[Any] = threading.Lock() if is_sqlite else nullcontext()
        if is_sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
        _metadata.create_all(self._engine)

    @property
    def engine(self) -> Engine:
        """What the table is read and closed by."""
        return self._engine

    def intend(self, rows: Sequence[Row]) -> list[Row]:
        """Commit the decision and the intent of each lead; return the rows that may be sent.

        A lead that has a record already is not among them, nor is one that a person has to review.
        """
        now = datetime.now(UTC)
        values = [
            {
                "quarantine_id": row["quarantine_id"],
                "action": row["action"],
                "reason": row["reason"],
                "decided_at": now,
                "intended_at": None if row["action"] == "review" else now,
            }
            for row in rows
        ]
        insert = sqlite.insert(_records) if self._engine.dialect.name == "sqlite" else postgresql.insert(_records)
        unless_known = insert.on_conflict_do_nothing().returning(_records.c.quarantine_id)
        with self._turn, self._engine.begin() as connection:
            new = set(connection.execute(unless_known, values).scalars())
        return [row for row in rows if row["quarantine_id"] in new and row["action"] != "review"]

    def record(self, rows: Sequence[Row], status: int, answer: str) -> None:
        """Commit the outcome of each lead of a request: the status, and what LeadByte's answer says of the lead."""
        now, sentences = datetime.now(UTC), _sentences_of(answer)
        values = [
            {
                "lead": row["quarantine_id"],
                "status": status,
                "sentence": sentences.get(str(row["quarantine_id"]), answer)[:_LONGEST_SENTENCE],
                "answered_at": now,
            }
            for row in rows
        ]
        with self._turn, self._engine.begin() as connection:
            connection.execute(_keep_outcome, values)

    def count(self) -> tuple[int, int]:
        """How many leads have an outcome, and how many are in doubt."""
        query = select(func.count(_records.c.answered_at), func.count(_records.c.intended_at))
        with self._engine.connect() as connection:
            answered, intended = connection.execute(query).one()
        return answered, intended - answered


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")


def _sentences_of(answer: str) -> dict[str, str]:
    """What an answer says of each lead: of its act, or else of its update."""
    try:
        body = json.loads(answer)
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    of_updates = {str(line.get("quarantineId")): str(line.get("message")) for line in body.get("leads", [])}
    lines = [str(line) for line in body.get(_RELEASE_RESULTS, [])]
    return of_updates | {named[1]: line for line in lines if (named := _NAMED_LEAD.search(line))}
