"""The words of a lead's way that are stored, sent or written by users: verdicts, acts, states, kinds, results."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a rule says should become of a lead."""

    PROCESS = "process"
    REJECT = "reject"
    HOLD = "hold"
    REVIEW = "review"

    @property
    def action(self) -> "Action | None":
        """The act at LeadByte that carries this verdict out; None for hold and review, which send no act."""
        if self is Verdict.PROCESS:
            return Action.PROCESS
        return Action.REJECT if self is Verdict.REJECT else None


OTHERWISE = "otherwise"
"""What stands in the place of a rule's name where no rule matched."""


class Resolution(StrEnum):
    """What a person says of a lead: what should become of it, or what they found in LeadByte."""

    PROCESS = "process"
    REJECT = "reject"
    WAIT = "wait"
    AGAIN = "again"
    """To be decided anew, by today's rules."""
    UNDO = "undo"
    """What a person said before is taken back, and nothing has followed it yet."""
    WAS_PROCESSED = "was-processed"
    """The act in doubt was looked up in LeadByte: the lead was processed."""
    WAS_REJECTED = "was-rejected"
    NOT_TAKEN = "not-taken"
    """The lead is still in quarantine."""
    DISCARD = "discard"
    """Given up."""


class Action(StrEnum):
    """The two acts LeadByte knows, in its own words (documented: POST /quarantine/process)."""

    PROCESS = "process"
    REJECT = "reject"


class State(StrEnum):
    """Where an entry is; docs/ledger.md says who sets each and what leaves it."""

    WAITING = "waiting"
    READY = "ready"
    SENDING = "sending"
    UNKNOWN = "unknown"
    REVIEW = "review"
    PROCESSED = "processed"
    REJECTED = "rejected"
    GONE = "gone"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    DISCARDED = "discarded"


FINAL_STATES = frozenset({State.PROCESSED, State.REJECTED, State.GONE, State.DISCARDED})
ACTED = {Action.PROCESS: State.PROCESSED, Action.REJECT: State.REJECTED}
"""Where a lead is when its act was taken."""


class RequestKind(StrEnum):
    """What one request asks of LeadByte for one lead."""

    UPDATE = "update"
    UPDATE_AND_ACT = "update_and_act"
    ACT = "act"
    PROBE = "probe"
    """The update alone of a lead in doubt, to see whether it is in quarantine still."""
    CONTROL = "control"
    """The update alone of a lead that LeadByte said it queued, to see what it says of one that has left."""


class ColumnType(StrEnum):
    """The types a rule can reason about; the source maps its own onto these."""

    STRING = "string"
    INT = "int"
    DOUBLE = "double"
    BOOL = "bool"
    TIMESTAMP = "timestamp"


class Certainty(StrEnum):
    """How much an answer of LeadByte proves (see docs/leadbyte.md)."""

    ANSWERED = "answered"
    """LeadByte said of this lead what it did."""
    REFUSED = "refused"
    """Provably nothing was applied to this lead by this request."""
    IN_DOUBT = "in_doubt"
    """It may or may not have been applied."""


class Result(StrEnum):
    """How an attempt ended."""

    TAKEN = "taken"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    GONE = "gone"
