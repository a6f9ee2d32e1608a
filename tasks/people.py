"""The page of leads that need a person: how many and why, then which, and for each a link to the form that decides it.

Ids, names, counts, reasons and the facts that may be kept; nothing else of a person.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadgate.config.review import ReviewConfig
from leadgate.ledger.reviews import ForPerson
from leadgate.model import OTHERWISE, Group, SentBy, State
from leadgate.printable import as_link, in_code, in_table
from leadgate.readable import counted
from tasks.links import Forms

LISTED = 100
"""Leads that the page names."""
_RULES = 20
_REASONS = 3
"""How many reasons of one rule are told apart: they may quote kept facts."""
_LONGEST = 300
"""Letters of a reason, and of the facts of one lead."""

_IN_DOUBT = "an act that may have been taken"
_HAPPENED = "what happened to the lead"


@dataclass(frozen=True, slots=True)
class People:
    """What the page is made of."""

    counts: Mapping[State, int]
    groups: Sequence[Group]
    """Of the leads in review."""
    found: Sequence[ForPerson]
    review: ReviewConfig
    forms: Forms
    now: datetime
    rejecting: Collection[str] = ()
    """The rules that reject: what they leave to a person was all but rejected."""

    def as_markdown(self) -> str:
        """Write the page; empty but for a sentence where no lead needs a person."""
        total = sum(self.counts.values())
        if not total:
            return "Nothing is to be done."
        lines = [*self._by_rule(), *self._in_review(), *self._in_doubt(), *self._parked(), *self._unknown()]
        if total > len(self.found):
            lines += [
                "",
                f"Named are {counted(len(self.found), 'lead')} of {total:,}. `leadgate review list --limit 1000` names",
            ]
            lines += ["more of those in review, `leadgate failed list --limit 1000` of those that are parked."]
        return "\n".join(lines)

    def _by_rule(self) -> Iterator[str]:
        """Count by rule and reason, the most first, with a link to decide all of a rule at once."""
        kinds: dict[tuple[str, bool], list[Group]] = {}
        for group in self.groups:
            is_by_rule = group.sent_by in {SentBy.RULE, SentBy.CAP}
            name = (
                (group.rule or OTHERWISE) if is_by_rule else _IN_DOUBT if group.sent_by is SentBy.DOUBT else _HAPPENED
            )
            kinds.setdefault((name, is_by_rule), []).append(group)
        if not kinds:
            return
        yield from ("## In review, by rule", "", "| leads | decide | rule | reason |", "|---:|---|---|---|")
        ordered = sorted(kinds.items(), key=lambda kind: -sum(each.leads for each in kind[1]))
        for (name, is_by_rule), alike in ordered[:_RULES]:
            count = sum(each.leads for each in alike)
            is_capped = any(each.sent_by is SentBy.CAP for each in alike)
            word = "reject" if is_capped or name in self.rejecting else "process"
            decide = self._decide_rule(name, count, word) if is_by_rule else "see below"
            shown, more = alike[:_REASONS], alike[_REASONS:]
            for place, each in enumerate(shown):
                capped = "one reject too many: " if each.sent_by is SentBy.CAP else ""
                reason = in_table(f"{capped}{each.reason}"[:_LONGEST])
                yield f"| {each.leads:,} | {decide if place == 0 else ''} | {in_table(name)} | {reason} |"
            if more:
                yield f"| {sum(each.leads for each in more):,} | | {in_table(name)} | {len(more):,} other reasons |"
        if more_rules := ordered[_RULES:]:
            count = sum(each.leads for _, alike in more_rules for each in alike)
            yield f"| {count:,} | | {len(more_rules):,} others | |"
        yield ""

    def _decide_rule(self, rule: str, count: int, word: str) -> str:
        """Link to the form, or give what to type; of rejects that were stopped the rule's own verdict."""
        if form := self.forms.link({"rule": rule, "count": count}):
            return as_link(f"decide all {count:,}", form)
        return in_code(f"leadgate review {word} --rule {rule} --reason TEXT")

    def _in_review(self) -> Iterator[str]:
        found = [lead for lead in self.found if lead.state is State.REVIEW and not lead.in_doubt]
        if found:
            yield from ("## In review", "", "To see one with its rules: `leadgate review show ID`.")
            if self.forms.address is None:
                yield "To decide: `leadgate review process ID --reason TEXT`, or `reject`, or `wait`."
            yield from self._table(found, can_be_decided=True)

    def _in_doubt(self) -> Iterator[str]:
        found = [lead for lead in self.found if lead.state is State.REVIEW and lead.in_doubt]
        if found:
            yield from (
                "## Sent, and perhaps taken",
                "",
                "Look each one up in LeadByte first, then say what you found:",
            )
            yield "`was-processed`, `was-rejected`, or `not-taken` if it is still in quarantine. At the keyboard:"
            yield "`leadgate review settle ID --was processed`, `--was rejected` or `--was not-taken`."
            yield from self._table(found, can_be_decided=True)

    def _parked(self) -> Iterator[str]:
        if found := [lead for lead in self.found if lead.state is State.FAILED]:
            yield from (f"## Parked: {self.counts.get(State.FAILED, 0):,}", "")
            yield "LeadByte refused them. `leadgate failed list` counts them by its words; correct what they name, then"
            yield "`leadgate retry ID` sends one again, and `leadgate discard ID --reason TEXT` gives it up."
            yield from self._table(found)

    def _unknown(self) -> Iterator[str]:
        if found := [lead for lead in self.found if lead.state is State.UNKNOWN]:
            yield from (f"## Unknown: {self.counts.get(State.UNKNOWN, 0):,}", "")
            yield "Their act may have been taken, and runs look for evidence. There is nothing to do but wait."
            yield from self._table(found)

    def _table(self, found: Sequence[ForPerson], *, can_be_decided: bool = False) -> Iterator[str]:
        """Name leads, the link first: in a narrow window the last columns are out of sight."""
        with_links = can_be_decided and self.forms.address is not None
        with_facts = any(_facts(lead) for lead in found)
        columns = ["lead", *["decide"] * with_links, "since", "rule", "reason", *["facts"] * with_facts]
        yield from ("", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|")
        for lead in found:
            cells = [self._name(lead)]
            if with_links:
                cells.append(as_link("decide", self.forms.link({"ids": lead.lead_id}) or ""))
            cells += [self._since(lead), _rule(lead), in_table(lead.note[:_LONGEST])]
            cells += [_facts(lead)] * with_facts
            yield f"| {' | '.join(cells)} |"
        yield ""

    def _name(self, lead: ForPerson) -> str:
        address = self.review.link_to(lead.lead_id)
        return as_link(lead.lead_id, address) if address else in_table(lead.lead_id)

    def _since(self, lead: ForPerson) -> str:
        is_overdue = lead.state is State.REVIEW and self.review.is_overdue(self.now - lead.since)
        return f"{lead.since:%Y-%m-%d %H:%M}Z{', **overdue**' if is_overdue else ''}"


def _rule(lead: ForPerson) -> str:
    return "a person" if lead.by_person else in_table(lead.rule or OTHERWISE)


def _facts(lead: ForPerson) -> str:
    told = ", ".join(f"{name}={value}" for name, value in lead.facts.items() if value is not None)
    return in_code(told[:_LONGEST]) if told else ""
