"""What people say, recorded here and sent by the next run like anything else: reviews ended, parked leads retried."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, false, null, or_, select, true

from leadgate.errors import ConfigError
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ENTRY, OVERRIDE, entries, in_state, overrides, same_lead
from leadgate.model import Resolution, Resolved, State
from leadgate.printable import on_one_line

LONGEST_NAME = 100
"""Characters of a person's name that the ledger keeps."""
_LONGEST_TEXT = 1000
_LONGEST_WHERE = 147
"""With the name, a space and brackets this is what the column holds."""


def checked_name(name: str, where: str | None = None) -> str:
    """Give a person's name as it is kept; raise ConfigError for one that names nobody or is too long.

    Anybody can give any name: `where` is what is known besides, a login or a flow run, and is kept with it.
    """
    name = _one_line(name, "the name of who decides", "--by NAME")
    if not 0 < len(name) <= LONGEST_NAME:
        msg = f"the name of who decides must have 1 to {LONGEST_NAME} characters: give one with --by NAME"
        raise ConfigError(msg)
    return f"{name} ({on_one_line(where)[:_LONGEST_WHERE]})" if where else name


def checked_reason(reason: str) -> str:
    """Give a person's reason as it is kept, which may be empty; raise ConfigError for one that is not one line."""
    return _one_line(reason, "the reason", "--reason TEXT")


def _one_line(text: str, what: str, option: str) -> str:
    """A line break would add a line to what is read later, and a control character would change it."""
    text = text.strip()
    if len(text) > _LONGEST_TEXT:
        msg = f"{what} has more than {_LONGEST_TEXT} characters: write a shorter one with {option}"
        raise ConfigError(msg)
    if on_one_line(text) != text:
        msg = f"{what} holds a line break or another control character: write it on one line with {option}"
        raise ConfigError(msg)
    return text


@writes
def resolve(  # noqa: PLR0913
    ledger: Ledger,
    ids: Sequence[str],
    verdict: Resolution,
    *,
    reason: str,
    by: str,
    where: str | None = None,
    hold_for: timedelta,
    now: datetime,
    still_in_quarantine: bool = False,
    proven_after: timedelta = timedelta(),
) -> Resolved:
    """End reviews by a person's decision, all in one transaction; of two people who meet the first is heard.

    `process` and `reject` make a lead ready, with the override that stands in place of the rules from then on;
    `wait` holds it for `hold_for`, then the rules decide again. A lead whose act may have been taken already is
    refused unless the person says that it is `still_in_quarantine`, which is heard once the act is older than
    `proven_after`: until then it may be under way, or in LeadByte's queue. Raises ConfigError without a reason or name.
    """
    by, reason = checked_name(by, where), checked_reason(reason)
    if not reason:
        msg = "a person's decision needs a reason, which is read later: give one with --reason TEXT"
        raise ConfigError(msg)
    wanted = list(dict.fromkeys(ids))
    held = verdict is Resolution.WAIT
    ended = (
        entries.update()
        .where(ledger.mine, in_state(State.REVIEW), ENTRY.lead_id.in_(wanted))
        .where(or_(ENTRY.doubt_since.is_(None), _may_be_told(still_in_quarantine, now - proven_after)))
        .values(
            state=State.WAITING if held else State.READY,
            due_at=now + hold_for if held else now,
            written_at=now,
            # A token of its own: whoever held the lead before can write nothing any more.
            token=ENTRY.token + 1,
            override_token=null() if held else ENTRY.token + 1,
            refusals=0,
            doubt_since=null(),
            doubt_action=null(),
            doubt_theirs=null(),
            note=f"{by} decided {verdict}: {reason}",
        )
        .returning(ENTRY.lead_id, ENTRY.token)
    )
    said = {"pipeline": ledger.pipeline, "verdict": verdict, "reason": reason, "decided_by": by, "decided_at": now}
    with ledger.transaction() as connection:
        # Once they are locked: whoever comes second finds them decided.
        ledger.lock(connection, wanted)
        tokens: dict[str, int] = {row.lead_id: row.token for row in connection.execute(ended)}
        if tokens:
            rows = [said | {"lead_id": lead_id, "token": token} for lead_id, token in tokens.items()]
            connection.execute(overrides.insert(), rows)
        others = [lead_id for lead_id in wanted if lead_id not in tokens]
        refused = _why_not(ledger, connection, others, still_in_quarantine, proven_after) if others else {}
    return Resolved([lead_id for lead_id in wanted if lead_id in tokens], refused)


@writes
def retry_failed(ledger: Ledger, ids: Sequence[str] | None, *, now: datetime) -> list[str]:
    """Send parked leads again, with all their attempts before them; every one where `ids` is None. Return which."""
    chosen = true() if ids is None else ENTRY.lead_id.in_(ids)
    parked = and_(in_state(State.FAILED), chosen)
    with ledger.transaction() as connection:
        again = {"state": State.READY, "due_at": now, "written_at": now, "refusals": 0, "note": None}
        statement = entries.update().where(ledger.locked(connection, parked)).values(**again)
        return sorted(connection.scalars(statement.returning(ENTRY.lead_id)))


def _may_be_told(still_in_quarantine: bool, before: datetime) -> ColumnElement[bool]:  # noqa: FBT001
    return and_(true() if still_in_quarantine else false(), ENTRY.doubt_since <= before)


def _why_not(
    ledger: Ledger,
    connection: Connection,
    ids: Sequence[str],
    still_in_quarantine: bool,  # noqa: FBT001
    proven_after: timedelta,
) -> dict[str, str]:
    """Where each of the ids is, in words for who wanted to decide it."""
    query = (
        select(ENTRY.lead_id, ENTRY.state, ENTRY.doubt_since, ENTRY.doubt_action, OVERRIDE.decided_by, OVERRIDE.verdict)
        .outerjoin(overrides, and_(same_lead(OVERRIDE, ENTRY), OVERRIDE.token == ENTRY.override_token))
        .where(ledger.mine, ENTRY.lead_id.in_(ids))
    )
    found = {row.lead_id: row for row in connection.execute(query)}
    return {lead_id: _whereabouts(found.get(lead_id), still_in_quarantine, proven_after) for lead_id in ids}


def _whereabouts(row: Row[Any] | None, still_in_quarantine: bool, proven_after: timedelta) -> str:  # noqa: FBT001
    if row is None:
        return "is not known to this pipeline"
    if row.state == State.REVIEW and row.doubt_since:
        heard_at = f"{row.doubt_since + proven_after:%Y-%m-%d %H:%M:%S}Z"
        act = f"its {row.doubt_action}" if row.doubt_action else "an act"
        since = f"{row.doubt_since:%Y-%m-%d %H:%M:%S}Z"
        if still_in_quarantine:
            return (
                f"{act} was sent at {since} and may still be in LeadByte's queue: look the lead up in LeadByte again "
                f"after {heard_at}, and say then that it is still in quarantine"
            )
        return (
            f"{act} may have been taken, sent at {since}: look it up in LeadByte, and if it is still in quarantine "
            f"after {heard_at} say so with --still-in-quarantine"
        )
    said = f", since {row.decided_by} decided {row.verdict}" if row.decided_by else ""
    return f"is not in review: it is {row.state}{said}"
