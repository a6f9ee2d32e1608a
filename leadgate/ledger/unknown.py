"""Leads whose act got no answer that can be trusted: which they are, and claiming them for a probe.

An entry stays `unknown` while it is probed; what the probe found moves it through `record`, like any answer.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, not_, select

from leadgate.ledger.claims import CLAIMED, claim_of, due_and_free, has_open_request, take
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ATTEMPT, DECISION, ENTRY, OVERRIDE, attempts, entries, same_lead, stands_for
from leadgate.model import Action, InDoubt, RequestKind, Result, State


@writes
def claim_unknown(ledger: Ledger, *, limit: int, lease: timedelta, now: datetime) -> Sequence[InDoubt]:
    """Take up to `limit` unknown leads whose time to be probed has come, the longest due first."""
    due = due_and_free(ledger, State.UNKNOWN, now).where(~has_open_request()).limit(limit)
    verdict = select(DECISION.verdict).where(stands_for(ENTRY)).correlate(entries)
    probes = _count(
        ATTEMPT.kind == RequestKind.PROBE, ATTEMPT.token > ENTRY.decided_token, ATTEMPT.outcome != Result.REFUSED
    )
    acts = _count(ATTEMPT.action.is_not(None), ATTEMPT.outcome == Result.IN_DOUBT)
    query = select(*CLAIMED, verdict.label("verdict"), probes.label("probes"), acts.label("acts"))
    with ledger.transaction() as connection:
        ids = [row.lead_id for row in take(ledger, connection, due, lease=lease, now=now)]
        # Not RETURNING: SQLite's names no tables, so that a condition in a subquery there compares its own columns.
        found = connection.execute(
            query.where(ledger.mine, ENTRY.lead_id.in_(ids)).order_by(ENTRY.due_at, ENTRY.lead_id)
        )
        return [InDoubt(claim_of(row), Action(row.verdict), probes=row.probes, acts=row.acts) for row in found]


def act_in_doubt() -> ScalarSelect[str]:
    """The last act of an entry that nobody answered and nothing has cleared up since; null where there is none.

    It is cleared up by a probe that LeadByte took, and by a person who has looked.
    """
    probe = attempts.alias("probe")
    still_there = exists().where(
        same_lead(probe.c, ENTRY),
        probe.c.kind == RequestKind.PROBE,
        probe.c.outcome == Result.TAKEN,
        probe.c.token > ATTEMPT.token,
    )
    looked = exists().where(same_lead(OVERRIDE, ENTRY), OVERRIDE.token > ATTEMPT.token)
    return (
        select(ATTEMPT.action)
        .where(same_lead(ATTEMPT, ENTRY), ATTEMPT.action.is_not(None), ATTEMPT.outcome == Result.IN_DOUBT)
        .where(not_(still_there), not_(looked))
        .correlate(entries)
        .order_by(ATTEMPT.token.desc())
        .limit(1)
        .scalar_subquery()
    )


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many of an entry's attempts are so."""
    query = select(func.count()).select_from(attempts).where(same_lead(ATTEMPT, ENTRY), *conditions)
    return query.correlate(entries).scalar_subquery()
