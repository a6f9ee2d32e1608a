"""Leads whose act got no answer that can be trusted: claiming them for a probe, and giving them to a person.

An entry stays `unknown` while it is probed; what the probe found moves it through `Ledger.record`, like any answer.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select

from leadgate.ledger.leases import CLAIMED, Leases, has_open_request
from leadgate.ledger.rows import NO_LEASE, attempt_row, storable
from leadgate.ledger.schema import attempts, decisions, entries, in_state
from leadgate.model import Action, Attempt, Claim, InDoubt, RequestKind, Result, State

_E, _A, _D = entries.c, attempts.c, decisions.c


class Unknowns(Leases):
    """The part of the ledger that settles what nobody answered."""

    def claim_unknown(self, *, limit: int, lease: timedelta, now: datetime) -> list[InDoubt]:
        """Take up to `limit` unknown leads whose time to be probed has come, the longest due first."""
        free = or_(_E.lease_until.is_(None), _E.lease_until < now)
        due = (
            select(_E.lead_id)
            .where(self.mine(), in_state(State.UNKNOWN), _E.due_at <= now, free, ~has_open_request())
            .order_by(_E.due_at, _E.lead_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        probes = _count(_A.kind == RequestKind.PROBE, _A.token > _E.decided_token, _A.outcome != Result.REFUSED)
        acts = _count(_A.action.is_not(None), _A.outcome == Result.IN_DOUBT)
        verdict = (
            select(_D.verdict)
            .where(_D.pipeline == _E.pipeline, _D.lead_id == _E.lead_id, _D.token == _E.decided_token)
            .scalar_subquery()
        )
        with self.transaction() as connection:
            claimed = set(
                connection.scalars(
                    entries.update()
                    .where(self.mine(), _E.lead_id.in_(select(due.c.lead_id)))
                    .values(token=_E.token + 1, lease_owner=self.owner, lease_until=now + lease)
                    .returning(_E.lead_id)
                )
            )
            query = select(*CLAIMED, verdict, probes, acts).where(self.mine(), _E.lead_id.in_(claimed))
            rows = connection.execute(query.order_by(_E.due_at, _E.lead_id)) if claimed else ()
            return [InDoubt(Claim(*row[:6]), Action(row[6]), probes=row[7], acts=row[8]) for row in rows]

    def intend_probes(self, attempted: Sequence[Attempt], *, lease: timedelta, now: datetime) -> set[str]:
        """Commit what is about to be asked; return the ids that are still this run's. The entries stay unknown."""
        pairs = [(attempt.claim.lead_id, attempt.claim.token) for attempt in attempted]
        with self.transaction() as connection:
            statement = (
                entries.update()
                .where(self.held(pairs, State.UNKNOWN))
                .values(lease_until=now + lease)
                .returning(_E.lead_id)
            )
            held = set(connection.scalars(statement))
            rows = [attempt_row(self.pipeline, a, self.owner, now) for a in attempted if a.claim.lead_id in held]
            if rows:
                connection.execute(attempts.insert(), rows)
        return held

    def give_to_person(self, claims: Sequence[Claim], *, note: str) -> None:
        """Send unknown leads that cannot be probed to a person."""
        pairs = [(claim.lead_id, claim.token) for claim in claims]
        if not pairs:
            return
        with self.transaction() as connection:
            connection.execute(
                entries.update()
                .where(self.held(pairs, State.UNKNOWN))
                .values(state=State.REVIEW, due_at=None, note=storable(note), **NO_LEASE)
            )


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many of an entry's attempts are so."""
    mine = (_A.pipeline == _E.pipeline, _A.lead_id == _E.lead_id)
    return select(func.count()).select_from(attempts).where(*mine, *conditions).scalar_subquery()
