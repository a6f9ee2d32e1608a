"""One lead for the person who must decide: its row as the source has it now, judged by the rules of the file.

Nothing is kept and nothing is sent: the ledger is only read, and no error quotes a value.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from leadgate.config import PipelineConfig, ReadBlock
from leadgate.intake import mind_odd_ids
from leadgate.leadbyte.wire import field_value
from leadgate.ledger import Ledger
from leadgate.ledger.claims import read_claims
from leadgate.ledger.history import History
from leadgate.model import Claim, Columns, Decision, Enrichment, Lead, Override, State
from leadgate.policy.data_read import DataRead
from leadgate.policy.deciding import Policy
from leadgate.policy.names import a
from leadgate.policy.reason import in_words
from leadgate.policy.requirements import Requirements
from leadgate.policy.trace import explain_tried_rules
from leadgate.policy.writing import Update, Written, hold_for_values
from leadgate.printable import in_short
from leadgate.source import Source
from leadgate.unexpected import guarded
from leadgate.wiring.ledger import history_of, open_ledger
from leadgate.wiring.pipeline import build_policy, open_source, read_pipeline_file


@dataclass(frozen=True, slots=True)
class Where:
    """Where a lead is, since when and why."""

    state: State
    since: datetime
    reason: str
    act_in_doubt: str | None
    """The act that may have been taken; `act` where nobody knows which."""
    doubt_since: datetime | None
    override: Override | None
    """The person's word that the next run follows in place of the rules."""
    link: str | None


@dataclass(frozen=True, slots=True)
class RowShown:
    """A row of the source: every column by its name, and of those that cannot be read, why."""

    columns: Mapping[str, Any] = attribute(repr=False)
    """The values as rules see them."""
    own: Mapping[str, Any] = attribute(repr=False)
    """Those that the source has in another form, in its own."""
    unreadable: Mapping[str, str]
    several: Mapping[str, Sequence[Any]] = attribute(repr=False, default_factory=dict)
    """Of a lead on several rows, the values of all of them, by the columns in which they differ."""


class Outcome(StrEnum):
    """What came of asking a rule."""

    MATCHED = "matched"
    FAILED = "did not match"
    UNANSWERED = "no answer"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class RuleShown:
    """A rule of the file as it stands today, and what came of asking it."""

    rule: str
    then: str
    outcome: Outcome
    why: str = attribute(repr=False)
    """The part that failed with the values it read, or what is missing; empty where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class FieldShown:
    """A field of LeadByte's: its value as it would be sent, None where it is left out, and how it is made."""

    field: str
    made: str
    value: Any = attribute(repr=False)
    problem: str | None
    """Why it is left out, or cannot be written."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of a lead now, and what would be written onto it."""

    missing: Sequence[str]
    waits: bool
    """Whether a run would decide nothing yet: something is missing, and the lead is not late."""
    rules: Sequence[RuleShown]
    decision: Decision = attribute(repr=False)
    written: Sequence[FieldShown]
    is_written: bool
    """Whether LeadByte has taken all of it already."""


@dataclass(frozen=True, slots=True)
class LeadShown:
    """All that a person may go by to decide one lead."""

    lead_id: str
    where: Where
    lead: RowShown | None
    enrichment: RowShown | None
    absent: str | None
    """What is wrong where the source has no row of the lead that can be read."""
    judged: Judged | None
    """None where no run would decide the lead, since it has no such row."""


@guarded
def show_lead(path: Path, read_block: ReadBlock, lead_id: str, *, longest: int | None = None) -> LeadShown:
    """Read one lead's rows from the source, and judge them as a run would; nothing is written anywhere.

    What rules say of values has `longest` characters of each at most. LeadByte's key is not needed.

    Raises ConfigError for a faulty file and a lead that the ledger does not know, SourceError or LedgerError where a
    database is not as the file says, and SourceUnavailable or LedgerUnavailable where it cannot be reached.
    """
    config = read_pipeline_file(path, read_block, needs_key=False)
    with closing(open_ledger(path, config)) as ledger:
        history = history_of(path, config, ledger, lead_id)
        with closing(open_source(path, config, clock=ledger.clock)) as source:
            mind_odd_ids(source, ledger)
            policy = build_policy(path, config, source)
            (entry,) = read_claims(ledger, [lead_id])
            lead, enrichment = source.leads([lead_id]).get(lead_id), source.enrichments([lead_id]).get(lead_id)
            absent = None if lead else _why_absent(config, source, lead_id)
            judged = None
            if lead or config.source.leads.left == "keep":
                rows = lead or Lead(lead_id, entry.quarantined_at), enrichment
                judged = _judge(config, source.columns, ledger, policy, entry, rows, longest)
            return LeadShown(
                lead_id=lead_id,
                where=_where(config, history, entry),
                lead=_row(lead, source.columns, "lead"),
                enrichment=_row(enrichment, source.columns, "enrichment"),
                absent=absent,
                judged=judged,
            )


def _where(config: PipelineConfig, history: History, claim: Claim) -> Where:
    entry = history.entry
    in_doubt = (entry["doubt_action"] or "act") if entry["doubt_since"] else None
    return Where(
        state=State(entry["state"]),
        since=_since(history),
        reason=entry["note"] or "",
        act_in_doubt=in_doubt,
        doubt_since=entry["doubt_since"],
        override=claim.override,
        link=config.review.link_to(claim.lead_id),
    )


def _since(history: History) -> datetime:
    """Since when a lead is where it is; of a review, as `read_reviews` has it."""
    entry = history.entry
    told_at = [each["decided_at"] for each in history.decisions if each["token"] == entry["decided_token"]]
    told_at += [each["answered_at"] for each in history.attempts if each["answered_at"]]
    if entry["state"] != State.REVIEW:
        told_at += [each["decided_at"] for each in history.overrides]
        told_at += [entry["settled_at"]] if entry["settled_at"] else []
    since: datetime = max(told_at, default=entry["registered_at"])
    return since


def _why_absent(config: PipelineConfig, source: Source, lead_id: str) -> str:
    if source.present([lead_id]):
        return f"its row has no `{config.source.leads.quarantined_at}` that can be read"
    return "there is no row of it"


def _row(row: Lead | Enrichment | None, columns: Columns, relation: str) -> RowShown | None:
    if row is None:
        return None
    types = columns.lead if relation == "lead" else columns.enrichment
    unreadable = {name: f"it is not {a(types[name])}" for name in row.unfit}
    for variable, type_ in columns.unreadable.items():
        of, _, name = variable.partition(".")
        if of == relation:
            unreadable[name] = f"no rule can read a column of the type {type_}"
    return RowShown(row.columns, row.own, unreadable, row.differing if isinstance(row, Lead) else {})


def _judge(  # noqa: PLR0913, PLR0917 - all that a judgement goes by
    config: PipelineConfig,
    columns: Columns,
    ledger: Ledger,
    policy: Policy,
    entry: Claim,
    rows: tuple[Lead, Enrichment | None],
    longest: int | None,
) -> Judged:
    requirements = Requirements(config.wait, columns, config.without_values)
    missing = requirements.missing(*rows)
    # As a run: what is complete is not late.
    decision = policy.decide(*rows, late=bool(missing) and entry.late, now=ledger.now())
    update = Update(config.update, columns)
    written = update.write(*rows)
    read = DataRead(config.source, policy, requirements, update, fingerprint=ledger.fingerprint)
    has_hash = entry.updated_hash is not None and bool(written.fields)
    return Judged(
        missing=missing,
        waits=bool(missing) and not entry.late,
        rules=_rules(config, policy, decision, _facts(columns, *rows, longest)),
        decision=read.ask_about_rows(hold_for_values(decision, written), rows[0]),
        written=_fields(config, written),
        is_written=has_hash and ledger.fingerprint(written.fields) == entry.updated_hash,
    )


def _facts(columns: Columns, lead: Lead, enrichment: Enrichment | None, longest: int | None) -> dict[str, str]:
    """Every value that a rule may read, by its column's name; where both rows have the column, both values."""
    arrived = enrichment.columns if enrichment else {}

    def tell(values: Mapping[str, Any], name: str) -> str:
        return in_short(in_words(values.get(name)), longest)

    facts = {name: tell(lead.columns, name) for name in columns.lead}
    for name in columns.enrichment:
        fact = tell(arrived, name)
        alike = facts.get(name, fact) == fact
        facts[name] = fact if alike else f"{fact} in enrichment, {facts[name]} in lead"
    return facts


def _rules(config: PipelineConfig, policy: Policy, decision: Decision, facts: Mapping[str, str]) -> list[RuleShown]:
    trace = decision.trace or ()
    tried = explain_tried_rules(policy.text, trace, decision.unanswered, facts)
    shown = []
    for number, rule in enumerate(config.policy.rules):
        why = ""
        if number < len(trace):
            outcome = Outcome.UNANSWERED if trace[number] is None else Outcome.FAILED
            why = tried[number][1].removeprefix("no answer: ")
        elif rule.name != decision.rule:
            outcome = Outcome.NOT_ASKED
        elif rule.on_missing == "review" and decision.reason.startswith(unanswered := _UNANSWERED.format(rule.name)):
            outcome, why = Outcome.UNANSWERED, decision.reason.removeprefix(unanswered).rstrip(".")
        else:
            outcome = Outcome.MATCHED
        # A part of such a rule is a variable's value, which is never shown.
        why = config.without_values(why) if rule.variable else why
        shown.append(RuleShown(rule.name, rule.then, outcome, why))
    return shown


_UNANSWERED = "Rule {} could not be answered: "
"""How a reason begins where a rule decides that cannot be answered: see `Policy.decide`."""


def _fields(config: PipelineConfig, written: Written) -> list[FieldShown]:
    shown = []
    for name, field in config.update.items():
        value, problem = written.fields.get(name), None
        if value is None:
            problem = "no value, which holds the lead" if name in written.held_by else "no value"
        else:
            try:
                value = field_value(value)
            except ValueError as error:
                value, problem = None, f"it {error}"
        shown.append(FieldShown(name, field.made(config.without_values), value, problem))
    return shown
