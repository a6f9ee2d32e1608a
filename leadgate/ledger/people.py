"""What people decide: recorded here and carried out by the next run; or refused, with the reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, case, false, func, not_, null, or_, select, true

from leadgate.errors import ConfigError
from leadgate.ledger.again import IS_LEFT, waits_as_new
from leadgate.ledger.claims import STRANDED_REQUEST
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.many_rows import ManyRows
from leadgate.ledger.reviews import CAN_BE_TAKEN_BACK, SETTLE, ids_meant
from leadgate.ledger.rows import NO_DOUBT, NO_LEASE
from leadgate.ledger.schema import (
    ATTEMPT,
    DECISION,
    ENTRY,
    OVERRIDE,
    attempts,
    decisions,
    entries,
    in_state,
    overrides,
    same_lead,
    stands_for,
)
from leadgate.model import Chosen, Resolution, Resolved, Result, State, Verdict
from leadgate.printable import on_one_line
from leadgate.readable import counted

LONGEST_NAME = 100
"""Characters of a person's name that the ledger keeps."""
_LONGEST_TEXT = 1000
_LONGEST_WHERE = 147
"""With the name, a space and brackets this is what the column holds."""
_NAMED = 5
_AT_ONCE = 1000
_IDS = ManyRows("ids", ENTRY.pipeline, ENTRY.lead_id)
_OPTIONAL = {Resolution.AGAIN, Resolution.UNDO, *SETTLE}
"""What may be said without a reason: it is one."""


def checked_name(name: str, where: str | None = None) -> str:
    """Give a person's name as it is kept; raise ConfigError for one that names nobody or is too long.

    Anybody can give any name: `where` is what is known besides, a login or a flow run, and is kept with it.
    """
    name = _one_line(name, "the name of who decides", "--by NAME")
    if not 0 < len(name) <= LONGEST_NAME:
        raise ConfigError(f"the name of who decides must have 1 to {LONGEST_NAME} characters: give one with --by NAME")
    return f"{name} ({on_one_line(where)[:_LONGEST_WHERE]})" if where else name


def checked_reason(reason: str) -> str:
    """Give a person's reason as it is kept, which may be empty; raise ConfigError for one that is not one line."""
    return _one_line(reason, "the reason", "--reason TEXT")


def _one_line(text: str, what: str, option: str) -> str:
    """A line break would add a line to what is read later, and a control character would change it."""
    text = text.strip()
    if len(text) > _LONGEST_TEXT:
        raise ConfigError(f"{what} has more than {_LONGEST_TEXT} characters: write a shorter one with {option}")
    if on_one_line(text) != text:
        raise ConfigError(f"{what} holds a line break or another control character: write it on one line with {option}")
    return text


class _Change(NamedTuple):
    """Which entries a person's decision may change, and what is set in them beside token and note."""

    allowed: ColumnElement[bool]
    values: Mapping[str, Any]


@writes
def resolve(  # noqa: PLR0913
    ledger: Ledger,
    chosen: Chosen,
    verdict: Resolution,
    *,
    reason: str,
    by: str,
    where: str | None = None,
    hold_for: timedelta = timedelta(),
    now: datetime,
    still_in_quarantine: bool = False,
    proven_after: timedelta = timedelta(),
) -> Resolved:
    """Record what a person says of leads, all in one transaction; of two people who meet the first is heard.

    `process` and `reject` make a lead in review ready, with the override that stands in place of the rules from then
    on; `wait` holds it for `hold_for`, then the rules decide again; `again` has them decide now. `undo` takes any of
    these back, and the lead is in review again; once something has followed it is refused. One whose act may have been
    taken is refused unless the person says that it is `still_in_quarantine`, which is heard once the act is older
    than `proven_after`: until then it may be under way, or in LeadByte's queue. `was-processed`, `was-rejected` and
    `not-taken` say what became of such an act; the last is heard as late, and lets the lead be decided anew. `discard`
    gives up a parked lead.

    Nothing is done, and ConfigError is raised, without a reason or name, where an id is unknown, and where leads that
    are not named by id are not `chosen.count`.
    """
    by, reason = checked_name(by, where), checked_reason(reason)
    if not reason and verdict not in _OPTIONAL:
        raise ConfigError("a person's decision needs a reason, which is read later: give one with --reason TEXT")
    proven_before = now - proven_after
    is_certain = ENTRY.doubt_since.is_(None)
    free = or_(is_certain, and_(true() if still_in_quarantine else false(), ENTRY.doubt_since <= proven_before))
    note = f"{by} decided {verdict}" + (f": {reason}" if reason else "")
    change = _change_of(verdict, free, proven_before, note, now=now, hold_for=hold_for)
    chosen_row = _IDS.rows(ledger.dialect).c
    ended = (
        entries.update()
        .where(same_lead(ENTRY, chosen_row), change.allowed)
        # A token of its own: whoever held the lead before can write nothing any more.
        .values({"written_at": now, "refusals": 0, "note": note, **change.values, "token": ENTRY.token + 1})
        .returning(ENTRY.lead_id, ENTRY.token)
    )
    row = {"pipeline": ledger.pipeline, "verdict": verdict, "reason": reason, "decided_by": by, "decided_at": now}
    with ledger.transaction() as connection:
        ids = list(dict.fromkeys(chosen.ids)) or _counted(ledger, connection, chosen, verdict)
        # Once they are locked: whoever comes second finds them decided.
        ledger.lock(connection, ids)
        handed = _IDS.hand_over(connection, [{"pipeline": ledger.pipeline, "lead_id": lead_id} for lead_id in ids])
        _refuse_unknown(ledger, connection, ids, handed)
        tokens: dict[str, int] = {row.lead_id: row.token for row in connection.execute(ended, handed)}
        if tokens:
            rows = [row | {"lead_id": lead_id, "token": token} for lead_id, token in tokens.items()]
            connection.execute(overrides.insert(), rows)
            if verdict in SETTLE:
                overtaken = attempts.update().where(STRANDED_REQUEST, ATTEMPT.lead_id.in_(select(chosen_row.lead_id)))
                ends = {"outcome": Result.IN_DOUBT, "answered_at": now, "message": "a person knew meanwhile"}
                connection.execute(overtaken.values(**ends), {**handed, "own": ledger.pipeline})
        others = [lead_id for lead_id in ids if lead_id not in tokens]
        asked = ledger, connection, others, verdict
        refused = _why_not(*asked, looked=still_in_quarantine, proven_after=proven_after) if others else {}
    return Resolved([lead_id for lead_id in ids if lead_id in tokens], refused)


def _change_of(  # noqa: PLR0911, PLR0913 - one for each word
    verdict: Resolution,
    free: ColumnElement[bool],
    proven_before: datetime,
    note: str,
    *,
    now: datetime,
    hold_for: timedelta,
) -> _Change:
    by_people = and_(in_state(State.REVIEW), free)
    in_doubt = and_(ENTRY.state.in_((State.REVIEW, State.UNKNOWN)), ENTRY.doubt_since.is_not(None))
    ready = {"state": State.READY, "due_at": now, **NO_LEASE, **NO_DOUBT}
    match verdict:
        case Resolution.PROCESS | Resolution.REJECT:
            return _Change(by_people, {**ready, "override_token": ENTRY.token + 1})
        case Resolution.WAIT:
            held = {"state": State.WAITING, "due_at": now + hold_for, "override_token": null(), **NO_DOUBT}
            return _Change(by_people, held)
        case Resolution.AGAIN:
            return _Change(and_(in_state(State.REVIEW), not_(IS_LEFT)), waits_as_new(now))
        case Resolution.UNDO:
            # By the decision that had sent it to a person, which stands again.
            asked = same_lead(DECISION, ENTRY), DECISION.verdict == Verdict.REVIEW
            last = select(func.max(DECISION.token)).where(*asked).correlate(entries).scalar_subquery()
            why = select(DECISION.reason).where(*asked).order_by(DECISION.token.desc()).limit(1).correlate(entries)
            stands = {"decided_token": func.coalesce(last, ENTRY.decided_token), "override_token": null()}
            review = {"state": State.REVIEW, "due_at": None, "note": func.coalesce(why.scalar_subquery(), note)}
            return _Change(CAN_BE_TAKEN_BACK, {**stands, **review, **NO_LEASE})
        case Resolution.NOT_TAKEN:
            return _Change(and_(in_doubt, ENTRY.doubt_since <= proven_before), ready)
        case Resolution.WAS_PROCESSED | Resolution.WAS_REJECTED:
            state = State.PROCESSED if verdict is Resolution.WAS_PROCESSED else State.REJECTED
            is_ours = ENTRY.decided_token.is_not(None)
            found = {"state": case((is_ours, state.value), else_=State.GONE.value), "inferred": is_ours}
            return _Change(in_doubt, {**found, "due_at": None, "settled_at": now, **NO_LEASE, **NO_DOUBT})
        case Resolution.DISCARD:
            gone = {"state": State.DISCARDED, "due_at": None, "settled_at": now, "override_token": null(), **NO_DOUBT}
            return _Change(in_state(State.FAILED), gone)


def _counted(ledger: Ledger, connection: Connection, chosen: Chosen, verdict: Resolution) -> list[str]:
    """The leads that a person means without naming them; raise ConfigError where they are not as many as was said."""
    ids = list(connection.scalars(ids_meant(ledger, verdict, chosen.rule).with_for_update(of=entries)))
    if chosen.count != len(ids):
        which = f"by {chosen.rule}" if chosen.rule else "in all"
        if not ids:
            left = (
                "what a budget or a person sent there is left" if verdict is Resolution.AGAIN else "others were faster"
            )
            raise ConfigError(
                f"no lead is meant now {which}, not {chosen.count}, and nothing was done: {left}. "
                "`leadgate review list` shows what is in review"
            )
        raise ConfigError(
            f"{counted(len(ids), 'lead is', 'leads are')} meant now {which}, not {chosen.count}, and nothing was done: "
            "look with `leadgate review list`, and say the new count"
        )
    return ids


def _refuse_unknown(ledger: Ledger, connection: Connection, ids: Sequence[str], handed: Mapping[str, str]) -> None:
    chosen_row = _IDS.rows(ledger.dialect).c
    known = set(
        connection.scalars(select(ENTRY.lead_id).join(chosen_row.lead_id.table, same_lead(ENTRY, chosen_row)), handed)
    )
    unknown = [lead_id for lead_id in ids if lead_id not in known]
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        named = ", ".join(map(on_one_line, unknown[:_NAMED]))
        raise ConfigError(
            f"not known to the pipeline {ledger.pipeline!r}: {named}{more}. Nothing was done: correct the ids, or "
            "leave those out"
        )


def _why_not(  # noqa: PLR0913
    ledger: Ledger,
    connection: Connection,
    ids: Sequence[str],
    verdict: Resolution,
    *,
    looked: bool,
    proven_after: timedelta,
) -> dict[str, str]:
    """Say for each of the ids why the person's decision was refused, and what to do instead.

    `looked`: the person says that the lead is still in quarantine, which is accepted `proven_after` its act.
    """
    query = (
        select(ENTRY.lead_id, ENTRY.state, ENTRY.doubt_since, ENTRY.doubt_action, OVERRIDE.decided_by, OVERRIDE.verdict)
        .add_columns(DECISION.capped)
        .select_from(entries)
        .outerjoin(overrides, and_(same_lead(OVERRIDE, ENTRY), OVERRIDE.token == ENTRY.token))
        .outerjoin(decisions, stands_for(ENTRY))
        .where(ledger.mine)
    )
    found: dict[str, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        for row in connection.execute(query.where(ledger.among(ids[start : start + _AT_ONCE]))):
            found[row.lead_id] = _why_not_one(row, verdict, looked=looked, proven_after=proven_after)
    return {lead_id: found[lead_id] for lead_id in ids}


def _why_not_one(row: Row[Any], verdict: Resolution, *, looked: bool, proven_after: timedelta) -> str:
    is_review = row.state == State.REVIEW
    discards, settles = verdict is Resolution.DISCARD, verdict in SETTLE
    if row.doubt_since and (is_review or (settles and row.state == State.UNKNOWN)) and not discards:
        heard_at = f"{row.doubt_since + proven_after:%Y-%m-%d %H:%M:%S}Z"
        return _in_doubt(row, verdict, heard_at, looked=looked or settles)
    if is_review and verdict is Resolution.AGAIN:
        sent_by = "since rules had rejected too many leads" if row.capped else "by the answer to what a person decided"
        return f"is in review {sent_by}: say process or reject, or wait, which lets the rules decide again"
    if is_review and discards:
        return f"is in review, not parked: `leadgate review reject {on_one_line(row.lead_id)} --reason TEXT` ends it"
    if verdict is Resolution.UNDO:
        return f"has nothing to take back: it is {_where(row.state)}"
    required = "failed" if discards else "in doubt" if settles else "in review"
    since = f", since {row.decided_by} decided {row.verdict}" if row.decided_by else ""
    is_pending = since and row.state in {State.READY, State.WAITING}
    undo = " (`leadgate review undo` takes that back)" if is_pending else ""
    return f"is not {required}: it is {_where(row.state)}{since}{undo}"


def _where(state: str) -> str:
    return {State.REVIEW: "in review", State.UNKNOWN: "in doubt, and runs look for evidence"}.get(State(state), state)


def _in_doubt(row: Row[Any], verdict: Resolution, heard_at: str, *, looked: bool) -> str:
    act = f"its {row.doubt_action}" if row.doubt_action else "an act"
    since = f"{row.doubt_since:%Y-%m-%d %H:%M:%S}Z"
    if looked:
        return (
            f"{act} was sent at {since} and may still be in LeadByte's queue: look the lead up in LeadByte again "
            f"after {heard_at}, and say then that it is still in quarantine"
        )
    settle = f"`leadgate review settle {on_one_line(row.lead_id)} --was processed | rejected | not-taken`"
    settled = f"{act} may have been taken, sent at {since}: look it up in LeadByte, and say what you find with {settle}"
    if verdict is Resolution.AGAIN:
        return settled
    return f"{settled}, or that it is still in quarantine after {heard_at} with --still-in-quarantine"


@writes
def retry_failed(ledger: Ledger, ids: Sequence[str] | None, *, now: datetime) -> list[str]:
    """Send parked leads again, with all their attempts before them; every one where `ids` is None. Return which."""
    chosen = true() if ids is None else ledger.among(ids)
    parked = and_(in_state(State.FAILED), chosen)
    with ledger.transaction() as connection:
        again = {"state": State.READY, "due_at": now, "written_at": now, "refusals": 0, "note": None}
        statement = entries.update().where(ledger.locked(connection, parked)).values(**again)
        return sorted(connection.scalars(statement.returning(ENTRY.lead_id)))
