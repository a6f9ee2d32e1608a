"""The values that travel along a lead's way. Frozen, without I/O, the same words as the ledger and the docs.

Instants are aware UTC datetimes and end in `_at`; spans are timedeltas. A lead id is text everywhere inside,
whatever type the source and LeadByte give it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


def fingerprint(values: Mapping[str, Any]) -> str:
    """Give 16 hex digits that change when a value does; values themselves cannot be read back from it."""
    text = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    # JSON columns may hold half a character, which strict UTF-8 refuses.
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


class Verdict(StrEnum):
    """What a rule says should become of a lead."""

    PROCESS = "process"
    REJECT = "reject"
    HOLD = "hold"
    REVIEW = "review"

    @property
    def action(self) -> "Action | None":
        """The act at LeadByte that carries this verdict out; None for hold and review, which send no act."""
        return Action(self.value) if self in {Verdict.PROCESS, Verdict.REJECT} else None


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
    FAILED = "failed"


FINAL_STATES = frozenset({State.PROCESSED, State.REJECTED, State.GONE})


class RequestKind(StrEnum):
    """What one request asks of LeadByte for one lead."""

    UPDATE = "update"
    UPDATE_AND_ACT = "update_and_act"
    ACT = "act"
    PROBE = "probe"

    @property
    def carries_act(self) -> bool:
        """Whether losing the answer leaves it open if the lead was processed or rejected."""
        return self in {RequestKind.UPDATE_AND_ACT, RequestKind.ACT}


class ColumnType(StrEnum):
    """The types a rule can reason about; the source maps its own onto these."""

    STRING = "string"
    INT = "int"
    DOUBLE = "double"
    BOOL = "bool"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns rules may read, as the real source types them, by relation."""

    lead: Mapping[str, ColumnType]
    enrichment: Mapping[str, ColumnType]


@dataclass(frozen=True, slots=True)
class Lead:
    """A row of the source's leads: one lead in LeadByte's quarantine."""

    lead_id: str
    quarantined_at: datetime
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enrichment:
    """The outside data that has arrived for a lead: the latest row, by column."""

    lead_id: str
    updated_at: datetime | None
    columns: Mapping[str, Any] = field(default_factory=dict)

    def missing(self, required: Sequence[str]) -> list[str]:
        """The required columns that are still null, in the order they were required."""
        return [name for name in required if self.columns.get(name) is None]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says of one lead, and why. `rule` is None when `otherwise` decided."""

    verdict: Verdict
    rule: str | None
    reason: str
    policy_version: str
    late: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    unanswered: Sequence[str] = ()
    """Rules before the matching one whose condition read a missing value, as `rule: column, column`."""


class Certainty(StrEnum):
    """How much an answer of LeadByte proves (see docs/leadbyte.md)."""

    ANSWERED = "answered"
    """LeadByte said of this lead what it did."""
    REFUSED = "refused"
    """Provably nothing was applied to this lead by this request."""
    IN_DOUBT = "in_doubt"
    """It may or may not have been applied."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request proved about one lead.

    `updated` and `acted` are True (taken), False (not taken) or None (not asked, or not known).
    `whole_request` marks a refusal that was said of the request, not of this lead: another lead in the same
    batch may be its cause. `transient` marks a failure that says nothing about the lead (no connection, busy, too many
    requests, no answer at all): it uses no attempt. `retry_at` is when LeadByte asked us to come back.
    """

    lead_id: str
    certainty: Certainty
    updated: bool | None = None
    acted: bool | None = None
    gone: bool = False
    whole_request: bool = False
    transient: bool = False
    retry_at: datetime | None = None
    http_status: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class LeadRequest:
    """One lead's part of a request to LeadByte: the fields to write, the act to take, or both."""

    lead_id: str
    update: Mapping[str, Any] = field(default_factory=dict)
    action: Action | None = None

    @property
    def kind(self) -> RequestKind:
        """Which of the documented calls this needs."""
        if not self.action:
            return RequestKind.UPDATE
        return RequestKind.UPDATE_AND_ACT if self.update else RequestKind.ACT


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the source: when, and how new its newest enrichment row was. `healthy` lets deadlines fall due."""

    read_at: datetime
    newest_at: datetime | None
    healthy: bool
    lag: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that waits for its enrichment, or is held: then `held_until` says when it is decided again anyway."""

    lead_id: str
    quarantined_at: datetime
    missing: Sequence[str] | None
    data_hash: str | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the source found for a waiting entry: complete, late, or still `missing` something."""

    lead_id: str
    missing: Sequence[str]
    data_hash: str | None
    due: bool
    """Whether the lead is to be decided now."""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A lead this run holds, under a fencing token, until its lease ends."""

    lead_id: str
    token: int
    quarantined_at: datetime
    late: bool
    attempts: int
    updated_hash: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A claimed lead with its decision and the LeadByte fields to write; nothing has been sent for it."""

    claim: Claim
    decision: Decision
    update: Mapping[str, Any]
    """Empty where there is nothing to write, or LeadByte took the same values before."""
    payload_hash: str | None


class Wave:
    """Decided leads that one stage hands to the next.

    Not a list, and not a dataclass: Prefect looks through those for futures, lead by lead, at every task call.
    """

    __slots__ = ("leads",)

    def __init__(self, leads: Sequence[Decided] = ()) -> None:
        self.leads = leads

    def __len__(self) -> int:
        return len(self.leads)


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A claimed lead whose act got no answer: what was to be done, and how often it was probed and acted on in vain."""

    claim: Claim
    action: Action
    probes: int
    acts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """The intent to ask LeadByte something for one claimed lead, committed before the request is sent."""

    claim: Claim
    request_id: str
    kind: RequestKind
    action: Action | None
    fields: Sequence[str]
    payload_hash: str | None


class Result(StrEnum):
    """How an attempt ended."""

    TAKEN = "taken"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended and what that makes of the entry."""

    attempt: Attempt
    result: Result
    http_status: int | None
    message: str
    state: State
    due_at: datetime | None = None
    note: str | None = None
    uses_attempt: bool = False
    updated_hash: str | None = None
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A decision that needs no request: there is nothing to write and nothing to act on."""

    claim: Claim
    decision: Decision
    state: State
    due_at: datetime | None = None
    note: str | None = None
