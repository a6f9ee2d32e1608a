"""Every change of an entry's state, each method one transaction. Reading for people is in reads.py.

A lead's way stands here; who holds it meanwhile is in leases.py, and what may be written follows from that. What
nobody answered is in unknowns.py, what people decide in reviews.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import JSON, Boolean, Integer, Text, case, func, literal, not_, or_, select, true

from leadgate.ledger.engine import insert_for
from leadgate.ledger.given import Given, Types, key_is
from leadgate.ledger.leases import at
from leadgate.ledger.rows import (
    NO_LEASE,
    conclusion_row,
    entry_row,
    look_row,
)
from leadgate.ledger.schema import UtcDateTime, entries, in_state
from leadgate.ledger.sending import Sending
from leadgate.model import Claim, Conclusion, Lead, Look, State

_E = entries.c
_KEY: Types = {"pipeline": Text(), "lead_id": Text()}
_LEADS = Given("leads", _KEY | {"quarantined_at": UtcDateTime()})
_LOOKS = Given(
    "looks",
    _KEY
    | {
        "state": Text(),
        "missing": JSON(),
        "data_hash": Text(),
        "late": Boolean(),
        "due": Boolean(),
        "complete": Boolean(),
    },
)
_CHANGED = Given("changed", _KEY | {"data_hash": Text()})
_CONCLUSIONS = Given(
    "conclusions", _KEY | {"token": Integer(), "state": Text(), "due_at": UtcDateTime(), "note": Text()}
)


class Ledger(Sending):
    """One pipeline's entries, written by one run, which is named `owner`."""

    def register(self, leads: Sequence[Lead], *, now: datetime) -> int:
        """Start to wait for every lead that is not known yet; return how many those were."""
        if not leads:
            return 0
        row = _LEADS.rows(self.engine).c
        # Without a condition SQLite would read ON CONFLICT as the ON of a join.
        chosen = select(literal(State.WAITING.value), at(now), *row).where(true())
        insert = insert_for(self.engine)(entries).from_select(["state", "registered_at", *row.keys()], chosen)
        with self.transaction() as connection:
            ids = [lead.lead_id for lead in leads]
            known = set(connection.scalars(select(_E.lead_id).where(self.mine(), _E.lead_id.in_(ids))))
            rows = [entry_row(self.pipeline, lead) for lead in leads if lead.lead_id not in known]
            new = insert.on_conflict_do_nothing().returning(_E.lead_id)
            return len(connection.scalars(new, _LEADS.give(connection, rows)).all()) if rows else 0

    def note_looks(self, looks: Sequence[Look], *, now: datetime) -> None:
        """Record what a look at the source found: what is missing still, and who is due for a decision."""
        if not looks:
            return
        look = _LOOKS.rows(self.engine).c
        incomplete = not_(look.complete)
        statement = (
            entries.update()
            .where(key_is(look), in_state(State.WAITING))
            .values(
                state=look.state,
                missing=look.missing,
                data_hash=look.data_hash,
                late=look.late,
                due_at=case((look.due, at(now)), (incomplete, None), else_=_E.due_at),
                arrived_at=case((incomplete, None), else_=func.coalesce(_E.arrived_at, at(now))),
                note=case((or_(look.due, incomplete), None), else_=_E.note),
            )
        )
        rows = [look_row(self.pipeline, one) for one in looks]
        with self.transaction() as connection:
            connection.execute(statement, _LOOKS.give(connection, rows))

    def note_changed(self, hashes: Mapping[str, str]) -> int:
        """Record that the enrichment of settled leads has changed, which changes nothing; return how many those are."""
        if not hashes:
            return 0
        seen = _CHANGED.rows(self.engine).c
        statement = entries.update().where(key_is(seen), _E.settled_at.is_not(None)).values(data_hash=seen.data_hash)
        rows = [{"pipeline": self.pipeline, "lead_id": lead_id, "data_hash": hashes[lead_id]} for lead_id in hashes]
        with self.transaction() as connection:
            connection.execute(statement, _CHANGED.give(connection, rows))
        return len(rows)

    def conclude(self, conclusions: Sequence[Conclusion], *, now: datetime) -> None:
        """Record decisions that need no request, and move their entries."""
        if not conclusions:
            return
        end = _CONCLUSIONS.rows(self.engine).c
        statement = (
            entries.update()
            .where(key_is(end), self.holds(end.token, State.READY, State.SENDING))
            .values(state=end.state, due_at=end.due_at, note=end.note, decided_token=_E.token, **NO_LEASE)
            .returning(_E.lead_id)
        )
        with self.transaction() as connection:
            rows = [conclusion_row(self.pipeline, conclusion) for conclusion in conclusions]
            held = set(connection.scalars(statement, _CONCLUSIONS.give(connection, rows)))
            self.keep_decisions(
                connection, [(c.claim, c.decision) for c in conclusions if c.claim.lead_id in held], now
            )

    def reopen(self, claim: Claim, look: Look) -> None:
        """Let a claimed lead wait again: a value it needs has become null since it was found complete."""
        with self.transaction() as connection:
            connection.execute(
                entries.update()
                .where(self.held([(claim.lead_id, claim.token)], State.READY))
                .values(
                    state=State.WAITING,
                    missing=list(look.missing),
                    data_hash=look.data_hash,
                    arrived_at=None,
                    due_at=None,
                    note=None,
                    late=False,
                    **NO_LEASE,
                )
            )

    def retry(self, ids: Sequence[str] | None, *, now: datetime) -> list[str]:
        """Let parked leads go round again with all their attempts, or every one where `ids` is None; return which."""
        chosen = true() if ids is None else _E.lead_id.in_(ids)
        with self.transaction() as connection:
            statement = (
                entries.update()
                .where(self.mine(), in_state(State.FAILED), chosen)
                .values(state=State.READY, due_at=now, attempts=0, note=None)
                .returning(_E.lead_id)
            )
            return sorted(connection.scalars(statement))
