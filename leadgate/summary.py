"""What one run did, in the numbers every report of it uses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from leadgate.delivery import Reconciled
from leadgate.errors import KeyRefused, LeadByteError
from leadgate.intake import Compared, Looked, Registered
from leadgate.ledger import Ledger
from leadgate.ledger.source_progress import Relation, read_mark
from leadgate.model import Decided, Faults, Pause, State, Tally, Verdict
from leadgate.source import Source


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of one run; `unknown`, `waiting` and `ready` are how many are so when it ends.

    `faults` counts the kinds of faults in rows of the source, which `named_faults` holds.
    `inferred` counts those of `processed` and `rejected` that were settled by a probe.
    `changed` counts settled leads whose enrichment changed afterwards, about which nothing is done.
    `refused` counts leads that LeadByte refused and that are sent again later; without attempts left: `failed`.
    `unanswered` counts leads whose update had no answer that can be trusted, and that are sent again later.
    `again` counts leads in review or failed that are decided anew, since their data or the rules have changed.
    `older_rules` counts reviews that older rules than today's have asked for, when the run ends.
    `disagreed` counts the leads of which the shadow rules said otherwise.
    `overdue` counts reviews that have been open for longer than review.within, when the run ends.
    """

    registered: int
    arrived: int
    processed: int
    rejected: int
    held: int
    review: int
    unknown: int
    refused: int
    unanswered: int
    failed: int
    gone: int
    inferred: int
    changed: int
    again: int
    disagreed: int
    waiting: int
    ready: int
    overdue: int
    older_rules: int
    faults: int
    observed: Mapping[Verdict, int] = field(default_factory=dict)
    """What would have been done with leads by delivery.observe, and with how many; nothing was sent."""
    pause: Pause | None = None
    """What keeps leads from being processed or rejected when the run ends."""
    named_faults: Faults = field(default_factory=Faults)
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Leads of the plan that were not sent, and why."""
    notes: Sequence[str] = ()
    """What people should know, each in a sentence: acts that wait, clocks that disagree, a control that stays."""

    def as_dict(self) -> dict[str, int]:
        """The counts by name, in the order of a lead's way."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: a lead was refused, unanswered, skipped or held back, in doubt or overdue."""
        leads = self.refused or self.unanswered or self.failed or self.unknown or self.overdue or self.skipped
        return bool(leads or self.notes or self.named_faults.hold_back)


@dataclass(frozen=True, slots=True)
class ShadowRow:
    """What the live rules and the shadow rules said of some leads."""

    verdict: str
    rule: str | None
    shadow_verdict: str
    shadow_rule: str | None
    agree: bool


@dataclass(slots=True, repr=False)
class Account:
    """What is known of a run while it goes on. Without a repr: Prefect writes that of an argument into its traces."""

    started_at: datetime
    leads: int = 0
    arrived: int = 0
    decided: int = 0
    changed: int = 0
    again: int = 0
    shadowed: Counter[ShadowRow] = field(default_factory=Counter)
    """What the live rules and the shadow rules said, and of how many leads."""
    tally: Tally = field(default_factory=Tally)
    observed: Counter[Verdict] = field(default_factory=Counter)
    lead_faults: Faults = field(default_factory=Faults)
    data_faults: Faults = field(default_factory=Faults)
    inferred: list[str] = field(default_factory=list)
    skipped: Mapping[str, str] = field(default_factory=dict)
    trouble: str | None = None
    """Why the run is to stop early, or does not get through; None while all is well."""
    key_refused: bool = False
    """Whether that is LeadByte's refusal of the key."""

    def stopped_by(self, error: LeadByteError) -> None:
        """Note what stops the run early."""
        self.trouble, self.key_refused = str(error), isinstance(error, KeyRefused)

    def registered(self, registered: Registered) -> None:
        """Count the leads that are new; faults of their rows stay until everything was gone through again."""
        self.leads += registered.count
        self.lead_faults = Registered(0, self.lead_faults).then(registered).faults

    def noted(self, leads: Sequence[Decided]) -> None:
        """Count a wave's decisions, and what shadow rules would have made of them."""
        self.decided += len(leads)
        for said in (lead.decision for lead in leads):
            self.observed.update([said.verdict] if said.observed else [])
            if other := said.shadow:
                self.shadowed[ShadowRow(said.verdict, said.rule, other.verdict, other.rule, other.agrees)] += 1

    def looked(self, looked: Looked) -> None:
        """Count the leads whose enrichment has arrived, or changed too late."""
        if looked.reading.problem:
            self.tally.note(looked.reading.problem)
        self.data_faults = looked.reading.faults
        self.arrived += looked.arrived
        self.changed += looked.changed
        self.again += looked.again

    def found_in(self, source: Source, ledger: Ledger) -> None:
        """Add what this run has found in rows of enrichment, and what the last comparison before it had."""
        self.data_faults = self.data_faults | source.faults()
        mark = read_mark(ledger, Relation.ENRICHMENT)
        if mark and (mark.compared_at is None or mark.compared_at < self.started_at):
            self.data_faults |= mark.faults

    @property
    def faults(self) -> Faults:
        """What is to be put right in the source."""
        return Faults(self.lead_faults, self.data_faults)

    def compared(self, compared: Compared) -> bool:
        """Count what a comparison has found; tell whether that was anything to go on with."""
        if compared.registered:
            self.registered(compared.registered)
        if compared.looked:
            self.looked(compared.looked)
        return bool(compared.looked and (compared.looked.arrived or compared.looked.late))

    def reconciled(self, reconciled: Reconciled) -> None:
        """Note the leads that were settled by inference."""
        self.inferred += reconciled.inferred

    def summarize(
        self, *, remaining: Mapping[State, int], overdue: int = 0, older_rules: int = 0, pause: Pause | None = None
    ) -> Summary:
        """Build the summary, with where this run's leads went and what the ledger holds now."""
        went = self.tally.went
        return Summary(
            registered=self.leads,
            arrived=self.arrived,
            processed=went[State.PROCESSED],
            rejected=went[State.REJECTED],
            held=went[State.WAITING],
            review=went[State.REVIEW],
            unknown=remaining.get(State.UNKNOWN, 0),
            refused=self.tally.refused,
            unanswered=len(self.tally.unanswered),
            failed=went[State.FAILED],
            gone=went[State.GONE],
            inferred=len(self.inferred),
            changed=self.changed,
            again=self.again,
            disagreed=sum(count for row, count in self.shadowed.items() if not row.agree),
            waiting=remaining.get(State.WAITING, 0),
            ready=remaining.get(State.READY, 0),
            overdue=overdue,
            older_rules=older_rules,
            faults=len(self.faults),
            observed={verdict: self.observed[verdict] for verdict in Verdict if self.observed[verdict]},
            named_faults=self.faults,
            pause=pause,
            skipped=self.skipped,
            notes=list(self.tally.notes),
        )
