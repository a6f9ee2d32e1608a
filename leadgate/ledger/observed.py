"""Leads that were decided while `delivery.observe` was on: nothing was sent for them, and they wait like held ones."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Join, and_, func, select, true

from leadgate.ledger.again import as_new
from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import DECISION, ENTRY, decisions, entries, in_state, stands_for
from leadgate.model import State, Verdict

HELD = and_(in_state(State.WAITING), ENTRY.due_at.is_not(None))
"""Of an entry: held, or observed. Looked up by the index of held leads: settled ones cost nothing."""


def decide_anew(ledger: Ledger, *, rules: str | None, now: datetime) -> int:
    """Let observed leads wait as if they were new, so that the next look takes them up; return how many.

    Those that other rules than those of the version `rules` decided; all of them where it is None: nothing is observed
    any more.
    """
    return as_new(ledger, sorted(read_outdated(ledger, rules)), HELD, now=now)


def read_outdated(ledger: Ledger, rules: str | None) -> set[str]:
    """The ids of the leads that `decide_anew` is about."""
    is_old = true() if rules is None else DECISION.policy_version != rules
    query = select(ENTRY.lead_id).select_from(_joined())
    return set(ledger.fetch_column(query.where(ledger.mine, HELD, DECISION.observed, is_old)))


def count_observed(ledger: Ledger) -> dict[Verdict, int]:
    """Count the leads whose standing decision was observed by what would have been done; the others are left out."""
    query = select(DECISION.verdict, func.count().label("leads")).select_from(_joined())
    query = query.where(ledger.mine, HELD, DECISION.observed).group_by(DECISION.verdict)
    found: dict[str, int] = {row.verdict: row.leads for row in ledger.fetch_rows(query)}
    return {verdict: found[verdict] for verdict in Verdict if verdict in found}


def would_have(counts: Mapping[Verdict, int]) -> str:
    """Say what would have been done, such as `would have processed 120, rejected 30`."""
    actions = ", ".join(f"{_DONE[verdict]} {count:,}" for verdict, count in counts.items() if count)
    return f"would have {actions or 'done nothing'}"


_DONE = {
    Verdict.PROCESS: "processed",
    Verdict.REJECT: "rejected",
    Verdict.HOLD: "held",
    Verdict.REVIEW: "asked a person about",
}


def _joined() -> Join:
    return entries.join(decisions, stands_for(ENTRY))
