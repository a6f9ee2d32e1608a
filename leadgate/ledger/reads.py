"""What the ledger tells people: counts, ages, and everything about one lead. Nothing here changes a row."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Text, cast, func, select
from sqlalchemy.engine import RowMapping

from leadgate.ledger.engine import reading
from leadgate.ledger.leases import CLAIMED
from leadgate.ledger.overrides import standing_overrides
from leadgate.ledger.schema import attempts, decisions, entries, in_state, outages, overrides, policies, readings
from leadgate.model import Claim, State


@dataclass(frozen=True, slots=True)
class Status:
    """Where a pipeline's leads are, and how fresh what it knows is."""

    counts: dict[State, int]
    oldest_waiting_since: datetime | None
    next_due_at: datetime | None
    read_at: datetime | None
    healthy_at: datetime | None
    newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """One lead's entry with every decision and attempt, oldest first; None of them holds a person's data."""

    entry: RowMapping
    decisions: Sequence[RowMapping]
    attempts: Sequence[RowMapping]
    stopped: timedelta = timedelta()
    """For how long the clock of its deadline has stood still, since the source was not healthy."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """The text of the rules that decided, by version."""
    overrides: Sequence[RowMapping] = ()
    """What people said of it."""


def read_status(engine: Engine, pipeline: str) -> Status:
    """Count a pipeline's entries by state, every state named, and tell the ages that matter."""
    mine = entries.c.pipeline == pipeline
    by_state = select(entries.c.state, func.count()).where(mine).group_by(entries.c.state)
    oldest = select(func.min(entries.c.quarantined_at)).where(mine, in_state(State.WAITING))
    due = select(func.min(entries.c.due_at)).where(mine, in_state(State.READY))
    newest = select(readings).where(readings.c.pipeline == pipeline)
    with reading(engine) as connection:
        found: dict[Any, int] = {row[0]: row[1] for row in connection.execute(by_state)}
        look = connection.execute(newest).mappings().first()
        return Status(
            counts={state: found.get(state.value, 0) for state in State},
            oldest_waiting_since=connection.scalar(oldest),
            next_due_at=connection.scalar(due),
            read_at=look["read_at"] if look else None,
            healthy_at=look["healthy_at"] if look else None,
            newest_at=look["newest_at"] if look else None,
        )


def read_missing(engine: Engine, pipeline: str) -> dict[str, int]:
    """Count the waiting leads that lack each required column, but for those never looked at.

    Goes through every lead that waits: for people, not for runs.
    """
    what = cast(entries.c.missing, Text)
    query = select(what, func.count()).where(entries.c.pipeline == pipeline, in_state(State.WAITING)).group_by(what)
    counts: Counter[str] = Counter()
    with reading(engine) as connection:
        for missing, count in connection.execute(query):
            counts.update(dict.fromkeys(json.loads(missing) if missing else (), count))
    return dict(counts.most_common())


def read_next_due(engine: Engine, pipeline: str) -> datetime | None:
    """When the next lead is due for a decision or a probe; None where none is ready or unknown."""
    free = (entries.c.pipeline == pipeline, entries.c.lease_owner.is_(None))
    with reading(engine) as connection:
        found = [
            connection.scalar(select(func.min(entries.c.due_at)).where(*free, in_state(state)))
            for state in (State.READY, State.UNKNOWN)
        ]
        return min((due_at for due_at in found if due_at), default=None)


def read_ready_page(engine: Engine, pipeline: str, *, after: str, limit: int, now: datetime) -> list[Claim]:
    """The next `limit` entries that are due for a decision, in the order of their ids, as if they were claimed."""
    e = entries.c
    query = (
        select(*CLAIMED, e.override_token)
        .where(e.pipeline == pipeline, in_state(State.READY), e.due_at <= now, e.lead_id > after)
        .order_by(e.lead_id)
        .limit(limit)
    )
    with reading(engine) as connection:
        rows = list(connection.execute(query))
        said = standing_overrides(connection, pipeline, [row.lead_id for row in rows if row.override_token])
        return [replace(Claim(*row[: len(CLAIMED)]), override=said.get(row.lead_id)) for row in rows]


def read_states(engine: Engine, pipeline: str, ids: Sequence[str]) -> dict[str, State]:
    """Where those of the ids that have an entry are."""
    query = select(entries.c.lead_id, entries.c.state)
    with reading(engine) as connection:
        found = connection.execute(query.where(entries.c.pipeline == pipeline, entries.c.lead_id.in_(ids)))
        return {lead_id: State(state) for lead_id, state in found}


def read_known(engine: Engine, pipeline: str, ids: Sequence[str]) -> set[str]:
    """Those of the ids that have an entry."""
    with reading(engine) as connection:
        query = select(entries.c.lead_id).where(entries.c.pipeline == pipeline, entries.c.lead_id.in_(ids))
        return set(connection.scalars(query))


def read_history(engine: Engine, pipeline: str, lead_id: str) -> History | None:
    """Everything the ledger knows of one lead, or None where it knows nothing."""

    def rows(table: Any, *order: Any) -> list[RowMapping]:  # noqa: ANN401
        query = select(table).where(table.c.pipeline == pipeline, table.c.lead_id == lead_id).order_by(*order)
        return list(connection.execute(query).mappings())

    with reading(engine) as connection:
        found = rows(entries)
        if not found:
            return None
        decided = rows(decisions, decisions.c.token)
        return History(
            entry=found[0],
            decisions=decided,
            attempts=rows(attempts, attempts.c.token, attempts.c.sent_at, attempts.c.request_id),
            stopped=_stopped(connection, pipeline, found[0]["quarantined_at"]),
            policies=_policies(connection, pipeline, {row["policy_version"] for row in decided}),
            overrides=rows(overrides, overrides.c.token),
        )


def _policies(connection: Connection, pipeline: str, versions: Collection[str]) -> dict[str, str]:
    query = select(policies.c.version, policies.c.text)
    found = connection.execute(query.where(policies.c.pipeline == pipeline, policies.c.version.in_(versions)))
    return {row[0]: row[1] for row in found}


def _stopped(connection: Connection, pipeline: str, since: datetime) -> timedelta:
    """Add up the outages since an instant; one that lasts counts up to the newest reading."""
    read_at = connection.scalar(select(readings.c.read_at).where(readings.c.pipeline == pipeline))
    spans = select(outages.c.began_at, outages.c.ended_at).where(outages.c.pipeline == pipeline)
    stopped = timedelta()
    for began_at, ended_at in connection.execute(spans):
        until = ended_at or read_at
        if until and until > since:
            stopped += until - max(began_at, since)
    return stopped


def read_settled_hashes(engine: Engine, pipeline: str, ids: Sequence[str]) -> dict[str, str | None]:
    """Of those of the ids that are settled, the hash of the enrichment last seen."""
    e = entries.c
    query = select(e.lead_id, e.data_hash).where(e.pipeline == pipeline, e.lead_id.in_(ids), e.settled_at.is_not(None))
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
