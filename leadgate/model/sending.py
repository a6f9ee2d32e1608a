"""A lead on its way to LeadByte: claimed, decided, asked for, answered."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadgate.model.leads import Decision, Seen
from leadgate.model.people import Override
from leadgate.model.words import FINAL_STATES, Action, Certainty, RequestKind, Result, State


def _nothing() -> None:
    """What was seen where nobody has noted it."""


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
    is_late: bool = False
    """Whether it was not sent since the run's hold on the lead had ended: that says nothing of LeadByte."""
    opposite: bool = False
    """Whether LeadByte queued the other act than the one that was asked."""
    shape: str = ""
    """The known words of a sentence of an act that nobody understands."""
    their_time: datetime | None = None
    """When it was answered, by LeadByte's clock."""


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
class Claim:
    """A lead this run holds, under a fencing token, until its lease ends."""

    lead_id: str
    token: int
    quarantined_at: datetime
    late: bool
    refusals: int
    updated_hash: str | None
    doubt_since: datetime | None = None
    """Since when an act may have been taken that nobody can vouch for: no act may be sent for it."""
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A claimed lead with its decision and the LeadByte fields to write; nothing has been sent for it."""

    claim: Claim
    decision: Decision
    update: Mapping[str, Any]
    """Empty where there is nothing to write."""
    payload_hash: str | None
    is_written: bool = False
    """Whether LeadByte has taken the same values before: only an act is sent with them once more."""
    hash_read: Callable[[], str] = field(default=str, repr=False)
    """Gives a hash of every value that was read for it or would be written; few runs keep to a plan and ask for it."""
    see: Callable[[], Seen | None] = field(default=_nothing, repr=False)
    """Gives what the decision went by; asked for where the lead comes to a person, or is parked."""
    again_at: datetime | None = None
    """When it is decided again, since budgets have no room for its act: nothing is sent for it before."""

    @property
    def data_hash(self) -> str:
        """Of what was read: a plan holds only while it is the same."""
        return self.hash_read()


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
    """A claimed lead whose act may have been taken, or not."""

    claim: Claim
    action: Action
    """The act in doubt; where nobody knows which, the one that is to be sent."""
    is_ours: bool
    """Whether this ledger knows of the act; otherwise it was sent, if at all, before the ledger was."""
    since: datetime
    theirs: datetime | None
    """`since` by LeadByte's clock, where it was known."""
    acted_again: bool
    """Whether evidence has freed it once already."""
    probes: int


@dataclass(frozen=True, slots=True)
class Control:
    """A lead that LeadByte said it queued, and when that was recorded."""

    lead_id: str
    token: int
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One claimed lead's part of a request: the intent to send it is committed before it is sent."""

    claim: Claim
    request: LeadRequest
    decision: Decision | None
    """None for a probe, which follows from an older decision."""
    payload_hash: str | None = None
    """Of the fields to write; None where there are none, or where they are to be sent again with the next act."""
    request_id: str = ""
    """The leads of one request share it; given when it is about to be sent."""
    see: Callable[[], Seen | None] = field(default=_nothing, repr=False)
    """As that of the decided lead."""
    goes_alone: bool = False
    """Whether it is the one act that may be sent while the account's brake is on."""

    @property
    def kind(self) -> RequestKind:
        """Which of the documented calls this is, or a probe."""
        return self.request.kind if self.decision else RequestKind.PROBE


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended and what that makes of the entry."""

    attempt: Attempt
    result: Result
    state: State
    http_status: int | None = None
    message: str = ""
    due_at: datetime | None = None
    note: str | None = None
    is_refusal: bool = False
    """Whether LeadByte refused this lead, which it may do `delivery.attempts` times."""
    updated_hash: str | None = None
    inferred: bool = False
    acts_again: bool = False
    """Whether evidence shows that the act was not taken, and frees the lead for another one."""
    shape: str = ""
    theirs: datetime | None = None
    """The present instant by LeadByte's clock, where it was not known before."""

    is_undecided: bool = False
    """Whether it was refused together with others, and is sent again at once, by itself or with fewer."""

    @property
    def seen(self) -> Seen | None:
        """What its decision went by, where the lead comes to a person or is parked."""
        return self.attempt.see() if self.state in {State.REVIEW, State.FAILED} else None

    @property
    def goes_on(self) -> bool:
        """Whether the run keeps the lead, to send the next request about it."""
        return self.is_undecided or self.state is State.SENDING

    @property
    def dates_doubt(self) -> bool:
        """Whether the age of what is in doubt counts from now: an act that has just left, or both clocks are known."""
        is_act = self.attempt.request.action is not None and self.result is Result.IN_DOUBT
        return is_act or self.theirs is not None

    @property
    def ends_doubt(self) -> bool:
        """Whether nothing is in doubt of the lead any more."""
        is_proof = self.attempt.request.action is not None and self.result is not Result.IN_DOUBT
        return is_proof or self.acts_again or self.state in FINAL_STATES


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A decision that needs no request: there is nothing to write and nothing to act on."""

    claim: Claim
    decision: Decision
    state: State
    due_at: datetime | None = None
    note: str | None = None
    seen: Seen | None = None
    """What the decision went by, of a lead that a person must decide."""


@dataclass(slots=True)
class Tally:
    """Where the leads of one run went, counted as they go."""

    went: Counter[State] = field(default_factory=Counter)
    refused: int = 0
    """Leads that LeadByte refused for a reason of their own, and that are sent again later."""
    unanswered: set[str] = field(default_factory=set)
    """Leads whose update had no answer that can be trusted, and that are sent again later."""
    capped: int = 0
    """Leads that went to a person in place of a reject: too many for the budgets, or no lead is complete any more."""
    put_off: int = 0
    """Leads that wait because rules had processed as many as budgets let them."""
    braked: int = 0
    """Leads whose act was put off, since too much is in doubt."""
    notes: list[str] = field(default_factory=list)
    """What people should know of this run, each in a sentence."""

    def count(self, outcomes: Sequence[Outcome]) -> None:
        """Count where the leads of one request went."""
        self.went.update(outcome.state for outcome in outcomes if not outcome.goes_on)
        come_again = [outcome for outcome in outcomes if outcome.state is State.READY]
        self.refused += sum(outcome.result is Result.REFUSED and outcome.is_refusal for outcome in come_again)
        self.unanswered.difference_update(outcome.attempt.claim.lead_id for outcome in outcomes)
        unanswered = (outcome for outcome in come_again if outcome.result is Result.IN_DOUBT)
        self.unanswered.update(outcome.attempt.claim.lead_id for outcome in unanswered)

    def note(self, sentence: str) -> None:
        """Tell people of something, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)
