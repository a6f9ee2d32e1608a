"""What is written before and after requests: the intents, then each lead's answer, for many requests at once."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Insert,
    Integer,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    not_,
    or_,
    select,
)

from leadgate.config import BudgetsConfig
from leadgate.ledger.brakes import Admitted, admit, give_way, judge_acts
from leadgate.ledger.budgets import over_budget
from leadgate.ledger.claims import has_open_request
from leadgate.ledger.instants import UtcDateTime
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.many_rows import ManyRows
from leadgate.ledger.rows import DECIDED, NO_LEASE, Row, conclusion_row, decision_row, intent_row, outcome_row
from leadgate.ledger.schema import ATTEMPT, DECISION, ENTRY, attempts, decisions, entries, in_state, pauses, same_lead
from leadgate.model import Attempt, Conclusion, Outcome, RequestKind, Result, State

_NOW, _JUDGED_AT, _LEASE_UNTIL = (bindparam(name, type_=UtcDateTime()) for name in ("now", "judged_at", "lease_until"))
_OWNER = bindparam("owner", type_=ATTEMPT.owner.type)

_NO_BUDGETS = BudgetsConfig.model_validate({"reject": "none"})
_CLAIM = (ENTRY.pipeline, ENTRY.lead_id, ENTRY.token)
_ATTEMPT = (*_CLAIM, ATTEMPT.request_id, ATTEMPT.kind, ATTEMPT.action, ATTEMPT.fields, ATTEMPT.payload_hash)
_DECISION = (*_CLAIM, *DECIDED)
_INTENTS = ManyRows("intents", *_ATTEMPT, *DECIDED)
_CONCLUSIONS = ManyRows("conclusions", *_CLAIM, ENTRY.state, ENTRY.due_at, ENTRY.note, ENTRY.seen)
_OUTCOMES = ManyRows(
    "outcomes",
    *_CLAIM,
    *(ATTEMPT.request_id, ATTEMPT.outcome, ATTEMPT.http_status, ATTEMPT.message, ATTEMPT.shape),
    *(ENTRY.state, ENTRY.due_at, ENTRY.note, ENTRY.updated_hash, ENTRY.inferred, ENTRY.doubt_theirs, ENTRY.seen),
    is_refusal=Integer(),
    settled=Boolean(),
    goes_on=Boolean(),
    acted=Boolean(),
    ends_doubt=Boolean(),
    dates_doubt=Boolean(),
    acts_again=Boolean(),
)


@dataclass(frozen=True, slots=True)
class Intended:
    """Which of the leads that were to be sent may be, and what keeps the acts of others."""

    held: AbstractSet[tuple[str, int]] = frozenset()
    """Their ids, each with the token under which this run holds it."""
    admitted: Admitted = field(default_factory=Admitted)
    over_budget: Mapping[str, datetime] = field(default_factory=dict)
    """Leads for whose act the budgets have no room, and when each is to be decided again."""

    @property
    def may_go(self) -> AbstractSet[str]:
        """The ids of the leads that may be sent."""
        return {lead_id for lead_id, _ in self.held}

    def lets(self, attempt: Attempt) -> bool:
        """Whether an attempt may be sent: a run that was held up may have claimed its lead for a second time."""
        return (attempt.claim.lead_id, attempt.claim.token) in self.held


@writes
def intend(  # noqa: PLR0913
    ledger: Ledger,
    attempted: Sequence[Attempt],
    *,
    lease: timedelta,
    now: datetime,
    in_doubt_at_most: int = 200,
    budgets: BudgetsConfig = _NO_BUDGETS,
) -> Intended:
    """Commit decisions and intents before anything is sent; return which leads may be sent.

    Refused are leads that another run took over, that wait for the answer to an earlier request, or that are in doubt
    and were to be acted on; and acts while the pipeline is paused, all but one while the account's brake is on, and
    those for which the budgets have no room. An entry that is probed stays unknown. An act is in doubt from now on.
    """
    if not attempted:
        return Intended()
    rows = [intent_row(ledger.pipeline, each) for each in attempted]
    with ledger.transaction() as connection:
        admitted, over = Admitted(), over_budget(ledger, connection, rows, budgets, now=now)
        rows = [row for row in rows if row["lead_id"] not in over]
        if any(row["action"] for row in rows):
            admitted = admit(ledger, connection, rows, at_most=in_doubt_at_most, lease=lease, now=now)
            rows = [row for row in rows if row["lead_id"] not in admitted.kept]
        ledger.lock(connection, (row["lead_id"] for row in rows))
        written = {"now": now, "lease_until": now + lease, "owner": ledger.owner}
        values = {**written, **_INTENTS.hand_over(connection, rows)}
        held = set(map(tuple, connection.execute(_held(ledger.dialect), values)))
        if len(held) < len(rows):
            values |= _INTENTS.hand_over(connection, [row for row in rows if (row["lead_id"], row["token"]) in held])
        if held:
            connection.execute(_decisions_kept(ledger.dialect), values)
            connection.execute(_attempts_begun(ledger.dialect), values)
        intended = Intended(held, admitted, over)
        if admitted.lone is not None and admitted.lone not in intended.may_go:
            give_way(ledger, connection)
    return intended


@writes
def record(ledger: Ledger, outcomes: Sequence[Outcome], *, now: datetime, judged_at: datetime | None = None) -> None:
    """Record the outcome of each attempt and move its entry, unless another claim has taken the lead since.

    An answer that arrives after the lease ended still moves an `unknown` entry of the same token. An act that was taken
    settles its entry whoever holds it by now, so that it is not acted on again. An attempt that has a certain outcome
    keeps it. Due times were reckoned from `judged_at`: the clock may have been set back since.
    """
    if not outcomes:
        return
    rows = [outcome_row(ledger.pipeline, outcome) for outcome in outcomes]
    with ledger.transaction() as connection:
        _make_due(ledger, connection, rows, now)
        judge_acts(ledger, connection, outcomes, now=now)
        ledger.lock(connection, (row["lead_id"] for row in rows))
        values = {"now": now, "judged_at": judged_at or now, **_OUTCOMES.hand_over(connection, rows)}
        connection.execute(_moved(ledger.dialect), values)
        connection.execute(_ended(ledger.dialect), values)
        if any(row["acted"] for row in rows):
            connection.execute(_overtaken(ledger.dialect), values)


@writes
def conclude(ledger: Ledger, conclusions: Sequence[Conclusion], *, now: datetime) -> None:
    """Record decisions that need no request, and move their entries."""
    if not conclusions:
        return
    rows = [conclusion_row(ledger.pipeline, conclusion) for conclusion in conclusions]
    with ledger.transaction() as connection:
        _make_due(ledger, connection, rows, now)
        ledger.lock(connection, (row["lead_id"] for row in rows))
        values = {"now": now, "owner": ledger.owner, **_CONCLUSIONS.hand_over(connection, rows)}
        held = set(connection.scalars(_concluded(ledger.dialect), values))
        kept = [each for each in conclusions if each.claim.lead_id in held]
        rows = [decision_row(ledger.pipeline, each.claim, each.decision) for each in kept]
        if rows:
            connection.execute(_decisions_kept(ledger.dialect), {"now": now, **_INTENTS.hand_over(connection, rows)})


def _make_due(ledger: Ledger, connection: Connection, rows: Sequence[Row], now: datetime) -> None:
    """Make leads that a pause has put off due at once if it is over by now.

    A pause that holds is locked, before the entries: its end waits for this transaction, and then makes them due.
    """
    put_off = [row for row in rows if row["put_off"]]
    holds = select(pauses.c.paused_at).where(pauses.c.pipeline == ledger.pipeline).with_for_update(read=True)
    if put_off and not connection.execute(holds).first():
        for row in put_off:
            row["due_at"] = now


def _holds(token: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether an entry is this run's under a token, and has no request in flight."""
    return and_(ENTRY.token == token, ENTRY.lease_owner == _OWNER, not_(has_open_request()))


_TO_BE_SENT = ENTRY.state.in_((State.READY, State.SENDING))


@cache
def _held(dialect: str) -> Update:
    """Entries that this run still holds under the claims it was given: `sending`, or unknown and being probed."""
    asked = _INTENTS.rows(dialect, "pipeline", "lead_id", "token", "kind", "action").c
    probed = asked.kind == RequestKind.PROBE
    acts = asked.action.is_not(None)
    is_free = and_(ENTRY.doubt_since.is_(None), not_(exists().where(pauses.c.pipeline == asked.pipeline)))
    return (
        entries.update()
        .where(same_lead(ENTRY, asked), _holds(asked.token), ENTRY.lease_until >= _NOW)
        .where(or_(and_(probed, in_state(State.UNKNOWN)), and_(not_(probed), _TO_BE_SENT)), or_(not_(acts), is_free))
        .values(
            state=case((probed, ENTRY.state), else_=State.SENDING.value),
            decided_token=case((probed, ENTRY.decided_token), else_=ENTRY.token),
            note=case((probed, ENTRY.note), else_=None),
            lease_until=_LEASE_UNTIL,
            written_at=_NOW,
            doubt_since=case((acts, _NOW), else_=ENTRY.doubt_since),
            doubt_action=case((acts, asked.action), else_=ENTRY.doubt_action),
        )
        .returning(ENTRY.lead_id, ENTRY.token)
    )


@cache
def _attempts_begun(dialect: str) -> Insert:
    row = _INTENTS.rows(dialect, *(column.name for column in _ATTEMPT)).c
    return attempts.insert().from_select(["owner", "sent_at", *row.keys()], select(_OWNER, _NOW, *row))


@cache
def _decisions_kept(dialect: str) -> Insert:
    """Decisions under their claims; a lead that is sent twice in one claim keeps the one it has."""
    row = _INTENTS.rows(dialect, *(column.name for column in _DECISION)).c
    # Not ON CONFLICT: SQLAlchemy would compile that statement anew each time, and the entries are locked by now.
    is_kept = exists().where(same_lead(DECISION, row), DECISION.token == row.token)
    chosen = select(_NOW, *row).where(row.verdict.is_not(None), not_(is_kept))
    return decisions.insert().from_select(["decided_at", *row.keys()], chosen)


@cache
def _concluded(dialect: str) -> Update:
    """Entries that this run still holds, to where their decisions take them."""
    end = _CONCLUSIONS.rows(dialect).c
    return (
        entries.update()
        .where(same_lead(ENTRY, end), _holds(end.token), _TO_BE_SENT)
        .values(state=end.state, due_at=end.due_at, note=end.note, seen=end.seen)
        .values(decided_token=ENTRY.token, written_at=_NOW, **NO_LEASE)
        .returning(ENTRY.lead_id)
    )


@cache
def _moved(dialect: str) -> Update:
    """Entries, to where their answers take them."""
    end = _OUTCOMES.rows(dialect).c
    # The entry is moved on to its next request, but its lease has ended: another run may take it up.
    goes_on_alone = and_(end.goes_on, ENTRY.lease_owner.is_(None))
    stays = and_(end.goes_on, ENTRY.lease_owner.is_not(None))
    awaits_answer = or_(in_state(State.SENDING), in_state(State.UNKNOWN))
    return (
        entries.update()
        .where(same_lead(ENTRY, end), ENTRY.settled_at.is_(None))
        .where(or_(end.acted, and_(ENTRY.token == end.token, awaits_answer)))
        .values(
            state=case((and_(goes_on_alone, end.state == State.SENDING), State.READY.value), else_=end.state),
            due_at=case((goes_on_alone, _NOW), else_=end.due_at),
            note=end.note,
            decided_token=case((end.acted, end.token), else_=ENTRY.decided_token),
            refusals=ENTRY.refusals + end.is_refusal,
            updated_hash=func.coalesce(end.updated_hash, ENTRY.updated_hash),
            inferred=end.inferred,
            seen=end.seen,
            doubt_since=case((end.ends_doubt, None), (end.dates_doubt, _NOW), else_=ENTRY.doubt_since),
            doubt_action=case((end.ends_doubt, None), else_=ENTRY.doubt_action),
            doubt_theirs=case((end.ends_doubt, None), else_=func.coalesce(ENTRY.doubt_theirs, end.doubt_theirs)),
            acted_again=or_(ENTRY.acted_again, end.acts_again),
            settled_at=case((end.settled, _NOW), else_=None),
            written_at=_JUDGED_AT,
            lease_owner=case((stays, ENTRY.lease_owner), else_=None),
            lease_until=case((stays, ENTRY.lease_until), else_=None),
        )
    )


@cache
def _ended(dialect: str) -> Update:
    """Attempts, with what they came to."""
    end = _OUTCOMES.rows(dialect).c
    return (
        attempts.update()
        .where(same_lead(ATTEMPT, end), ATTEMPT.request_id == end.request_id)
        .where(or_(ATTEMPT.outcome.is_(None), ATTEMPT.outcome == Result.IN_DOUBT))
        .values(
            outcome=end.outcome, answered_at=_NOW, http_status=end.http_status, message=end.message, shape=end.shape
        )
    )


@cache
def _overtaken(dialect: str) -> Update:
    """Ends probes of leads whose act was answered meanwhile: the run that sent them may be gone."""
    end = _OUTCOMES.rows(dialect).c
    return (
        attempts.update()
        .where(same_lead(ATTEMPT, end), end.acted, ATTEMPT.outcome.is_(None))
        .values(outcome=Result.IN_DOUBT, answered_at=_NOW, message="the act itself was answered meanwhile")
    )
