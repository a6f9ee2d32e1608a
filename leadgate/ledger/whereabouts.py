"""Why a person's word is not heard of a lead: where it is, and what to say instead."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.reviews import SETTLE
from leadgate.ledger.schema import DECISION, ENTRY, OVERRIDE, decisions, entries, overrides, same_lead, stands_for
from leadgate.model import Resolution, State
from leadgate.printable import on_one_line

_AT_ONCE = 1000
_DISCARD = Resolution.DISCARD


def why_not(  # noqa: PLR0913
    ledger: Ledger,
    connection: Connection,
    ids: Sequence[str],
    verdict: Resolution,
    *,
    looked: bool,
    proven_after: timedelta,
) -> dict[str, str]:
    """Say of each of the ids, in words for who wanted to decide it, why that was not heard.

    `looked`: they say that the lead is still in quarantine, which is heard `proven_after` its act.
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
            found[row.lead_id] = _why_not(row, verdict, looked=looked, proven_after=proven_after)
    return {lead_id: found[lead_id] for lead_id in ids}


def _why_not(row: Row[Any], verdict: Resolution, *, looked: bool, proven_after: timedelta) -> str:
    is_review = row.state == State.REVIEW
    settles = verdict in SETTLE
    if row.doubt_since and (is_review or (settles and row.state == State.UNKNOWN)) and verdict is not _DISCARD:
        heard_at = f"{row.doubt_since + proven_after:%Y-%m-%d %H:%M:%S}Z"
        return _in_doubt(row, verdict, heard_at, looked=looked or settles)
    if is_review and verdict is Resolution.AGAIN:
        sent_by = "since rules had rejected too many leads" if row.capped else "by the answer to what a person decided"
        return f"is in review {sent_by}: say process or reject, or wait, which lets the rules decide again"
    wanted = "failed" if verdict is _DISCARD else "in doubt" if settles else "in review"
    decided = f", since {row.decided_by} decided {row.verdict}" if row.decided_by else ""
    return f"is not {wanted}: it is {'in review' if is_review else row.state}{decided}"


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
