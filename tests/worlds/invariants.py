"""What must hold in every world after every step, measured by LeadByte's own log, never by the code's word."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.worlds.leadbyte import Known
from tests.worlds.memory import Row

LOOKED_AT_WITHIN = timedelta(hours=8)
"""How far ahead a next look may lie: `patience`, and a little."""
EVIDENCE_FOR = 600.0
"""Seconds for which an update that was taken shows that a lead was there before its act."""
_NOT_ACTED = {"waiting", "ready", "failed", "withdrawn", "discarded"}
_ENDS = {"processed", "rejected", "gone", "review", "failed", "withdrawn", "discarded"}
_ACTED = {"processed": "process", "rejected": "reject"}


@dataclass(frozen=True, slots=True)
class Violation:
    """What does not hold, for which lead."""

    kind: str
    lead_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """One lead at one moment: its row, the truth, and what excuses it."""

    lead_id: str
    row: Row
    truth: Known
    sent_allowed: int
    """Acts that may have left and not provably come to nothing: two, and one more for each word of a person."""
    forgotten: bool
    """It was acted on before its ledger was replaced by an older copy, or lost."""
    found: bool
    """A person looked in LeadByte, and said that it acted on the lead."""
    intended: AbstractSet[str]
    """The acts that a run was about to send, and may have, by the ledger."""
    combined: bool
    """Acts go without an update before them: nothing shows that a lead was there."""


def violations_of(facts: Facts, now: float) -> Iterator[Violation]:
    """Say what does not hold for one lead."""
    row, truth = facts.row, facts.truth
    executed = [action for _, action in truth.executed]

    def violated(kind: str, text: str) -> Violation:
        return Violation(kind, facts.lead_id, text)

    if len(executed) > 1:
        both = len(set(executed)) > 1
        yield violated("both acts" if both else "double", f"executed {' and then '.join(executed)}")
    open_acts = [act for act in truth.sent if not act.proved]
    if len(open_acts) > facts.sent_allowed:
        yield violated("sent too often", f"{len(open_acts)} acts sent that may have been taken")
    if action := _ACTED.get(row.state):
        if not row.inferred and action not in executed:
            yield violated(f"false {row.state}", f"the ledger says {row.state}, LeadByte executed {executed or 'none'}")
        if row.inferred and (why := _false_inference(facts, action, executed, now)):
            yield violated("false inference", why)
    if row.state == "gone" and executed and not facts.forgotten:
        yield violated("gone but ours", f"the ledger says gone, LeadByte executed {executed}")
    if row.state in _NOT_ACTED and executed and not row.in_doubt and not facts.forgotten:
        yield violated("act forgotten", f"the ledger says {row.state} and no doubt, LeadByte executed {executed}")


def _false_inference(facts: Facts, action: str, executed: list[str], now: float) -> str | None:
    """Why an inferred state claims too much; it claims that the lead left after an act that may have arrived.

    What LeadByte did and a person has found is not too much, also of a lead that had left before.
    """
    truth = facts.truth
    if executed and action not in executed:
        return f"inferred {action}, LeadByte executed {executed}"
    if executed and facts.found:
        return None
    sent_at = [act.at for act in truth.sent if act.action == action]
    if action not in facts.intended and not facts.forgotten:
        return f"inferred {action}, and none was to be sent"
    if truth.left_at is None or truth.left_at > now:
        return f"inferred {action}, and the lead is still in quarantine"
    was_there = truth.updated_at is not None and truth.updated_at > min(sent_at, default=now) - EVIDENCE_FOR
    if sent_at and truth.left_at < min(sent_at) and not (facts.combined or was_there):
        return f"inferred {action}, and the lead had left before it was sent"
    return None


def unseen(lead_id: str, row: Row, ledger_now: datetime, moved_back: timedelta) -> Violation | None:
    """Say where an open lead has no next look within bounds, by the ledger's clock, which was moved back so far."""
    if row.state not in {"ready", "unknown", "sending"}:
        return None
    at = row.lease_until if row.state == "sending" else row.due_at
    if at is not None and at <= ledger_now + LOOKED_AT_WITHIN + moved_back:
        return None
    return Violation("no next look", lead_id, f"{row.state}, next look {at}, now {ledger_now}")


def stuck(lead_id: str, row: Row, *, waits: bool) -> Violation | None:
    """Say where a lead is open at the end, though nothing stands in its way; `waits`: something does."""
    if row.state in _ENDS or waits:
        return None
    return Violation("stuck", lead_id, f"{row.state} at the end: {row.note}")
