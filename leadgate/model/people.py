"""What a person says: of a lead that a rule left to people, and of the pipeline as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadgate.model.words import Resolution


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision, which stands in place of the rules until the lead is settled."""

    verdict: Resolution
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when nothing of a pipeline may be processed or rejected, by whose word, and why."""

    paused_at: datetime
    paused_by: str
    reason: str

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"paused since {self.paused_at:%Y-%m-%d %H:%M:%S}Z by {self.paused_by}{why}"


WHILE_PAUSED = "Updates go on; nothing is processed or rejected until `leadgate resume`."
"""What a pause means, as every report of one says."""


class SentBy(StrEnum):
    """What sent a lead to a person."""

    RULE = "rule"
    """A rule, or `otherwise`."""
    CAP = "cap"
    """Its run had made as many rejects as it may."""
    DOUBT = "doubt"
    """Its act may have been taken, and nothing proves it."""
    OTHER = "other"
    """Its row has left the source, or LeadByte's answer to what a person decided."""


@dataclass(frozen=True, slots=True)
class Review:
    """A lead that a person must decide: since when, what sent it there and why, and its last decision's kept facts."""

    lead_id: str
    since: datetime
    sent_by: SentBy
    rule: str | None
    """By which its last decision was made; None: no rule matched."""
    reason: str
    facts: dict[str, object]
    act_in_doubt: str | None
    """The act that was sent for it and may have been taken; `act` where nobody knows which."""
    doubt_since: datetime | None = None
    unmatched: Sequence[str] = ()
    """Where no rule matched: of each rule that processes its name, and why it did not."""


@dataclass(frozen=True, slots=True)
class Group:
    """Leads that are with people for the same reason, and how many they are."""

    sent_by: SentBy
    rule: str | None
    reason: str
    leads: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """The leads that a person means: by ids, or else those in review by a `rule`, or all of them.

    If no ids are given, `count` says how many the person takes them to be.
    """

    ids: Sequence[str] = ()
    rule: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan says of one lead; `data_hash` changes with any value that was read or would be written."""

    lead_id: str
    verdict: str
    rule: str | None
    data_hash: str


@dataclass(frozen=True, slots=True)
class Overridden:
    """What a person said of a lead, with the kept facts of the decision that had sent it to people."""

    lead_id: str
    override: Override
    facts: dict[str, object]
    late: bool


@dataclass(frozen=True, slots=True)
class Resolved:
    """The reviews that a person's decision has ended, and for every other lead named why it has not."""

    ids: list[str]
    refused: dict[str, str]
