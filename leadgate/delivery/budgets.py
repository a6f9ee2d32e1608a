"""What budgets make of decided leads: beyond them a lead to be processed waits, one to be rejected goes to a person.

The ledger counts the acts of all runs, and has the last word when intents are written (leadgate.ledger.budgets).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from leadgate.config import BudgetsConfig
from leadgate.ledger import Ledger
from leadgate.ledger.budgets import Room, call_up, next_up, read_last_put_off, read_put_off, read_rooms
from leadgate.model import Action, Decided, Tally, Verdict


class BudgetKeeper:
    """Lets the acts of one run through as far as there is room. What people decide is let through in any case.

    On `paper` nothing is sent, so that what was let through before counts too.
    """

    def __init__(self, budgets: BudgetsConfig, ledger: Ledger, tally: Tally, *, paper: bool = False) -> None:
        self._budgets = budgets
        self._ledger = ledger
        self._tally = tally
        self._paper = paper
        self._rooms: dict[Action, Room] = {}
        self._last: datetime | None = None
        """When the last lead is to be decided that waits for its turn to be processed; None where none waits."""
        self._last_again: datetime | None = None
        """Likewise of those whose turn it was, and that found no room."""

    def begin(self, now: datetime) -> None:
        """See how much room there is now, and call up as many of the leads that wait for it."""
        is_first = not self._rooms
        if self._paper and not is_first:
            return
        self._rooms = read_rooms(self._ledger, self._budgets, now=now)
        # Without a budget some may wait for one that the file had.
        self._last = (
            read_last_put_off(self._ledger, now=now) if is_first or self._last or self._budgets.process else None
        )
        self._last_again = None
        room = self._rooms[Action.PROCESS].left
        if self._last and room > 0 and not self._paper:
            call_up(self._ledger, room, now=now)
            self._last = read_last_put_off(self._ledger, now=now)

    def next_up(self, now: datetime) -> list[str]:
        """The leads that a run would call up now."""
        self.begin(now)
        return next_up(self._ledger, self._rooms[Action.PROCESS].left, now=now) if self._last else []

    def apply(self, leads: Sequence[Decided], *, now: datetime) -> list[Decided]:
        """Give leads as they were decided, those with no room put off or for review; in the order they came in."""
        ids = [lead.claim.lead_id for lead in leads if lead.decision.verdict is Verdict.PROCESS]
        waited = read_put_off(self._ledger, ids) if self._last and ids else set()
        return [self._apply(lead, now, has_waited=lead.claim.lead_id in waited) for lead in leads]

    def _apply(self, lead: Decided, now: datetime, *, has_waited: bool) -> Decided:
        action = lead.decision.verdict.action
        if action is None or lead.decision.decided_by or lead.claim.doubt_since:
            return lead
        room = self._rooms[action]
        if room.left > 0 and (action is Action.REJECT or has_waited or self._last is None):
            self._rooms[action] = replace(room, left=room.left - 1)
            return lead
        if action is Action.REJECT:
            self._tally.capped += 1
            reason = f"{lead.decision.reason} (For a person: safety.budgets.reject, {room.budget}, is used up.)"
            return _capped(lead, Verdict.REVIEW, reason)
        again_at = room.next_after(self._last_again if has_waited else self._last, now)
        if has_waited:
            self._last_again = again_at
        else:
            self._last = again_at
        self._tally.put_off += 1
        reason = f"It waits, since safety.budgets.process, {room.budget}, is used up. Otherwise it would be process: "
        return replace(_capped(lead, Verdict.HOLD, f"{reason}{lead.decision.reason}"), again_at=again_at)


def _capped(lead: Decided, verdict: Verdict, reason: str) -> Decided:
    return replace(lead, decision=replace(lead.decision, verdict=verdict, reason=reason, capped=True))
