"""The brake of an account, kept over all runs: while acts are in doubt, the next one goes alone.

It is on from the account's first act until one that went alone is answered by the documented sentence. Each one that
went alone in vain doubles the wait for the next; and no act is sent while too many leads are in doubt.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ENTRY, brakes, entries, pipelines
from leadgate.model import Outcome, Result, State

_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_FULL_WAIT = timedelta(minutes=15)
"""How long acts wait after as many leads were in doubt as may be."""
MAY_HAVE_ACTED = (ENTRY.doubt_since.is_not(None), ENTRY.doubt_action.is_not(None))
"""Of an entry: a known act may have been taken. The first condition is that of the index of leads in doubt."""
_IN_DOUBT = (*MAY_HAVE_ACTED, or_(ENTRY.state == State.UNKNOWN, ENTRY.state == State.REVIEW))
_own = select(pipelines.c.account).where(pipelines.c.pipeline == bindparam("pipeline")).scalar_subquery()
_OF_ACCOUNT = ENTRY.pipeline.in_(select(pipelines.c.pipeline).where(pipelines.c.account == _own))
"""By their pipelines, as the index of leads in doubt has them: that of accounts would go through settled ones too."""
_COUNT = select(func.count()).select_from(entries).where(_OF_ACCOUNT)
_DOUBTS, _UNDER_WAY = _COUNT.where(*_IN_DOUBT), _COUNT.where(*MAY_HAVE_ACTED, ENTRY.state == State.SENDING)
"""How many leads of the account are in doubt, and how many have an act under way."""
_COUNTED = (_DOUBTS.scalar_subquery().label("in_doubt"), _UNDER_WAY.scalar_subquery().label("under_way"))
_BRAKE = select(brakes, *_COUNTED).where(brakes.c.account == bindparam("account"))
_BRAKE_LOCKED = _BRAKE.with_for_update(of=brakes)


@dataclass(frozen=True, slots=True)
class Admitted:
    """Which acts are kept back: all until an instant, or all but one until that one is answered."""

    kept: AbstractSet[str] = frozenset()
    lone: str | None = None
    """The lead whose act goes alone."""
    until: datetime | None = None
    """When acts may be sent again; None where they need only wait for the one that goes alone."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Brake:
    """How an account's acts are held back, and how many of its leads are in doubt."""

    is_on: bool
    since: datetime | None
    in_vain: int
    closed_until: datetime | None
    in_doubt: int


def read_brake(ledger: Ledger) -> Brake:
    """The brake of the ledger's account; before the account's first act it is on, since None."""
    with ledger.reading() as connection:
        in_doubt = connection.scalar(_DOUBTS, {"pipeline": ledger.pipeline}) or 0
        row = connection.execute(select(brakes).where(brakes.c.account == ledger.account)).first()
    if row is None:
        return Brake(is_on=True, since=None, in_vain=0, closed_until=None, in_doubt=in_doubt)
    return Brake(row.is_on, row.since, row.in_vain, row.closed_until, in_doubt)


def admit(  # noqa: PLR0913
    ledger: Ledger,
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    *,
    at_most: int,
    lease: timedelta,
    now: datetime,
) -> Admitted:
    """Decide by the brake which intents (`rows`) may be sent; note it if one goes alone.

    Acts under way count as in doubt: their answers may all be lost.
    """
    acts: dict[str, list[str]] = {}
    for intent in rows:
        if intent["action"]:
            acts.setdefault(intent["request_id"], []).append(intent["lead_id"])
    everyone = frozenset(lead_id for leads in acts.values() for lead_id in leads)
    account = {"account": ledger.account, "pipeline": ledger.pipeline}
    row = connection.execute(_BRAKE, account).first()
    if row is None:
        _begin(ledger, connection, now)
        row = connection.execute(_BRAKE, account).one()
    if row.in_doubt >= at_most:
        leads_are = "lead is" if row.in_doubt == 1 else "leads are"
        why = f"{row.in_doubt} {leads_are} in doubt, which is delivery.in_doubt_at_most: no act is sent"
        return Admitted(everyone, until=now + _FULL_WAIT, why=why)
    if row.is_on:
        row = connection.execute(_BRAKE_LOCKED, account).one()
    if not row.is_on:
        room = at_most - row.in_doubt - row.under_way
        return Admitted(everyone - _fitting(acts, room, is_first=not row.under_way))
    if row.closed_until and now < row.closed_until <= now + _LONGEST_WAIT:
        acts_are = "act that went alone is" if row.in_vain == 1 else f"{row.in_vain} acts that went alone are"
        why = f"the last {acts_are} in doubt too"
        return Admitted(everyone, until=row.closed_until, why=why)
    if row.lone_until and now < row.lone_until <= now + lease:
        return Admitted(everyone)
    lone = next(iter(acts.values()))[0]
    _set(ledger, connection, lone_until=now + lease)
    return Admitted(everyone - {lone}, lone=lone)


def _fitting(acts: Mapping[str, Sequence[str]], room: int, *, is_first: bool) -> AbstractSet[str]:
    """The leads of those requests that fit whole; of a first one that does not, as many as there is room for."""
    fitting: set[str] = set()
    for leads in acts.values():
        if len(leads) <= room:
            fitting.update(leads)
            room -= len(leads)
        elif is_first and not fitting:
            return set(leads[: max(room, 0)])
    return fitting


def lock_acts(ledger: Ledger, connection: Connection, now: datetime) -> None:
    """Lock the account's acts for this transaction, before any entry: nobody else writes intents of acts meanwhile."""
    if ledger.dialect != "sqlite":  # there the whole file is held
        _begin(ledger, connection, now)
        connection.execute(select(brakes.c.account).where(brakes.c.account == ledger.account).with_for_update())


def give_way(ledger: Ledger, connection: Connection) -> None:
    """Let another act go alone: the one that was to cannot be sent, or has been answered."""
    _set(ledger, connection, lone_until=None)


def judge_acts(ledger: Ledger, connection: Connection, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Put the brake on after an act in doubt; take it off when the one that went alone was taken."""
    acts = [outcome for outcome in outcomes if outcome.attempt.request.action]
    lone = next((outcome for outcome in acts if outcome.attempt.goes_alone), None)
    if any(outcome.result is Result.IN_DOUBT for outcome in acts):
        put_on(ledger, connection, now=now, lone_in_vain=lone is not None and lone.result is Result.IN_DOUBT)
        if lone:
            give_way(ledger, connection)
    elif lone and lone.result is Result.TAKEN:
        _set(ledger, connection, is_on=False, since=now, lone_until=None, in_vain=0, closed_until=None)
    elif lone:
        give_way(ledger, connection)


def put_on(ledger: Ledger, connection: Connection, *, now: datetime, lone_in_vain: bool) -> None:
    """Let the next act go alone; after one that went alone in vain, later, and ever later."""
    _begin(ledger, connection, now)
    row = connection.execute(select(brakes).where(brakes.c.account == ledger.account).with_for_update()).one()
    changes: dict[str, object] = {"is_on": True, "since": row.since if row.is_on else now}
    if lone_in_vain:
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * (1 << min(row.in_vain, 10)))
        changes |= {"in_vain": row.in_vain + 1, "closed_until": now + wait}
    _set(ledger, connection, **changes)


@writes
def note_doubts(ledger: Ledger, *, now: datetime) -> None:
    """Put the brake on, since runs have ended that may have acted."""
    with ledger.transaction() as connection:
        put_on(ledger, connection, now=now, lone_in_vain=False)


def _begin(ledger: Ledger, connection: Connection, now: datetime) -> None:
    """Begin the account's brake, on; one that exists stays as it is."""
    begin = ledger.insert(brakes).values(account=ledger.account, is_on=True, since=now)
    connection.execute(begin.on_conflict_do_nothing())


def _set(ledger: Ledger, connection: Connection, **changes: object) -> None:
    connection.execute(brakes.update().where(brakes.c.account == ledger.account).values(**changes))
