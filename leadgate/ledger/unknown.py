"""Leads whose act may have been taken: claiming them for a probe, and the controls beside them.

An entry stays `unknown` while it is probed; `record` moves it by the probe's answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, and_, exists, func, literal_column, select

from leadgate.ledger.claims import CLAIMED, claim_of, due_and_free, has_open_request, take
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.rows import NO_DOUBT, NO_LEASE
from leadgate.ledger.schema import ATTEMPT, DECISION, ENTRY, attempts, entries, in_state, same_lead, stands_for
from leadgate.model import ACTED, FINAL_STATES, Action, Control, InDoubt, RequestKind, Result, State

IS_CONTROL = ATTEMPT.kind == literal_column(f"'{RequestKind.CONTROL.value}'")
"""Of an attempt; written into the statement, so that the index of controls serves."""
_CANDIDATES = 20
_SENT_AT = select(func.max(ATTEMPT.sent_at)).where(same_lead(ATTEMPT, ENTRY), ATTEMPT.action.is_not(None))
DOUBT_BEGAN = func.coalesce(_SENT_AT.correlate(entries).scalar_subquery(), ENTRY.doubt_since)
"""Of an entry in doubt: when its act was sent. What may be concluded goes by `doubt_since`, which can be later."""


@writes
def claim_unknown(ledger: Ledger, *, limit: int, lease: timedelta, now: datetime) -> Sequence[InDoubt]:
    """Claim up to `limit` unknown leads that are due for a probe, the longest due first."""
    due = due_and_free(ledger, State.UNKNOWN, now).where(~has_open_request()).limit(limit)
    with ledger.transaction() as connection:
        ids = [row.lead_id for row in take(ledger, connection, due, lease=lease, now=now)]
        return _in_doubt(ledger, connection, ids) if ids else []


def _in_doubt(ledger: Ledger, connection: Connection, ids: Sequence[str]) -> Sequence[InDoubt]:
    """What is known of claimed leads."""
    # Not RETURNING: SQLite's names no tables, so that a condition in a subquery there compares its own columns.
    verdict = select(DECISION.verdict).where(stands_for(ENTRY)).correlate(entries)
    query = select(*CLAIMED, verdict.label("verdict"), _probes().label("probes"))
    query = query.add_columns(ENTRY.doubt_action, ENTRY.doubt_theirs, ENTRY.acted_again)
    query = query.where(ledger.mine, ledger.among(ids)).order_by(ENTRY.due_at, ENTRY.lead_id)
    return [
        InDoubt(
            claim=claim_of(row),
            action=Action(row.doubt_action or row.verdict),
            is_ours=row.doubt_action is not None,
            since=row.doubt_since,
            theirs=row.doubt_theirs,
            acted_again=row.acted_again,
            probes=row.probes,
        )
        for row in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class Kept:
    """A lead in doubt, and the known words of LeadByte's answer to its act."""

    lead_id: str
    action: Action
    shape: str


def read_kept(ledger: Ledger) -> list[Kept]:
    """The leads in doubt whose last act LeadByte answered by a sentence that is not known."""
    later = attempts.alias("later")
    is_last = ~exists().where(same_lead(later.c, ATTEMPT), later.c.action.is_not(None), later.c.token > ATTEMPT.token)
    query = select(ENTRY.lead_id, ENTRY.doubt_action, ATTEMPT.shape).join(attempts, same_lead(ATTEMPT, ENTRY))
    query = query.where(ledger.mine, ENTRY.doubt_action.is_not(None), ENTRY.state.in_((State.UNKNOWN, State.REVIEW)))
    query = query.where(ATTEMPT.action == ENTRY.doubt_action, ATTEMPT.shape.is_not(None), is_last)
    return [Kept(row.lead_id, Action(row.doubt_action), row.shape) for row in ledger.fetch_rows(query)]


@writes
def settle_kept(ledger: Ledger, ids: Sequence[str], state: State, *, note: str, now: datetime) -> list[str]:
    """Move leads in doubt to the state that follows from a sentence taught since; return which were moved."""
    is_final = state in FINAL_STATES
    free = and_(ENTRY.doubt_action.is_not(None), ENTRY.state.in_((State.UNKNOWN, State.REVIEW)))
    with ledger.transaction() as connection:
        moved = entries.update().where(ledger.locked(connection, free, ledger.among(ids), ENTRY.state != state))
        cleared = NO_DOUBT if is_final else {}
        values = {"state": state, "note": note, "due_at": None, "settled_at": now if is_final else None, **cleared}
        # A token of its own: a probe that is under way can move it no more.
        again = moved.values(**values, **NO_LEASE, token=ENTRY.token + 1, written_at=now).returning(ENTRY.lead_id)
        return list(connection.scalars(again))


def find_controls(ledger: Ledger, action: Action, *, since: datetime) -> list[Control]:
    """Leads that LeadByte said it queued for this act: taken after an instant, then before it, nearest first."""
    query = _said_queued(ledger, action)
    after = query.where(ENTRY.settled_at >= since).order_by(ENTRY.settled_at)
    before = query.where(ENTRY.settled_at < since).order_by(ENTRY.settled_at.desc())
    with ledger.reading() as connection:
        return [Control(**row._asdict()) for part in (after, before) for row in connection.execute(part)]


def find_untaught(ledger: Ledger, shape: str, *, before: datetime) -> list[Control]:
    """Leads that were queued before an instant and not yet answered in these words as controls (see learned.py)."""
    taught = and_(IS_CONTROL, ATTEMPT.outcome == Result.REFUSED, ATTEMPT.shape == shape)
    is_new = ~exists().where(same_lead(ATTEMPT, ENTRY), taught)
    of_each = (_said_queued(ledger, action).where(ENTRY.settled_at < before, is_new) for action in ACTED)
    with ledger.reading() as connection:
        parts = (connection.execute(query.order_by(ENTRY.settled_at.desc())) for query in of_each)
        return [Control(**row._asdict()) for part in parts for row in part]


def _said_queued(ledger: Ledger, action: Action) -> Select[Any]:
    """A few leads that LeadByte said it queued for an act, as rows for `Control`."""
    query = select(ENTRY.lead_id, ENTRY.token, ENTRY.settled_at.label("taken_at"))
    return query.where(ledger.mine, in_state(ACTED[action]), ~ENTRY.inferred).limit(_CANDIDATES)


@writes
def note_control(  # noqa: PLR0913
    ledger: Ledger, control: Control, result: Result, *, request_id: str, message: str, shape: str, now: datetime
) -> None:
    """Record a control among the attempts of its lead; `shape` is that of LeadByte's words."""
    row = {
        "pipeline": ledger.pipeline,
        "lead_id": control.lead_id,
        "token": control.token,
        "request_id": request_id,
        "kind": RequestKind.CONTROL,
        "fields": [],
        "owner": ledger.owner,
        "sent_at": now,
        "answered_at": now,
        "outcome": result,
        "message": message,
        "shape": shape,
    }
    lead = select(ENTRY.lead_id).where(ledger.mine, ENTRY.lead_id == control.lead_id).with_for_update(read=True)
    with ledger.transaction() as connection:
        # It may have been forgotten meanwhile.
        if connection.scalar(lead):
            connection.execute(attempts.insert(), row)


def _probes() -> ScalarSelect[int]:
    """How many probes of an entry were answered or lost since its act was decided."""
    is_probe = and_(ATTEMPT.kind == RequestKind.PROBE, ATTEMPT.outcome != Result.REFUSED)
    query = select(func.count()).select_from(attempts)
    query = query.where(same_lead(ATTEMPT, ENTRY), is_probe, ATTEMPT.token > ENTRY.decided_token)
    return query.correlate(entries).scalar_subquery()
