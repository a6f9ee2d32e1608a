"""What the facts say, in sentences and rows: the titles of the pictures, and the tables behind them. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from leadgate.ledger.report_counts import Waited
from leadgate.model import FINAL_STATES, State
from leadgate.readable import counted, share, span
from leadgate.report.facts import Facts

MOST_ROWS = 15
"""Rows of a picture; the smallest beyond are one."""
UNDER_WAY, FOR_A_PERSON, DONE = "under way", "for a person to look at", "done"
IN_DOUBT = "in doubt"
_KINDS = {State.REVIEW: FOR_A_PERSON, State.UNKNOWN: IN_DOUBT, State.FAILED: FOR_A_PERSON}


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a picture: its label, its length, and the kind that colours it."""

    label: str
    value: int
    kind: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A title that says what is to be seen, what is drawn below it, and in which unit; no bars, no picture."""

    title: str
    unit: str
    what: str
    bars: Sequence[Bar]


def where_leads_are(facts: Facts) -> Finding:
    """Count the leads by state."""
    counts = facts.health.status.counts
    total, done = sum(counts.values()), sum(counts[state] for state in FINAL_STATES)
    title = (
        f"{share(done, total)} of {counted(total, 'lead')} are settled{_inferred(facts.health.status.inferred)}"
        if total
        else "No lead is known yet: `leadgate run` finds them"
    )
    bars = [
        Bar(state.value, count, _KINDS.get(state, DONE if state in FINAL_STATES else UNDER_WAY))
        for state, count in counts.items()
    ]
    unit = f"leads; grey: {UNDER_WAY}, orange: {FOR_A_PERSON}, purple: {IN_DOUBT}, blue: {DONE}"
    return Finding(title, unit, "state", bars if total else ())


def _inferred(leads: int) -> str:
    return f", {leads:,} of them inferred: no answer says that their act was taken" if leads else ""


def what_moved(facts: Facts) -> tuple[str, str]:
    """The title over what happened in time, and its unit."""
    counts: Counter[str] = Counter()
    for moved in facts.movement.moved:
        counts[moved.what] += moved.leads
    if not counts:
        return f"Nothing happened in the last {span(facts.since)}", ""
    title = (
        f"{counted(counts['registered'], 'lead')} came and the data of {counts['arrived']:,} arrived; "
        f"{counts['processed']:,} were processed, {counts['rejected']:,} rejected"
    )
    return title, f"leads in each {span(facts.movement.step)}, by the clock in UTC"


def how_long_leads_waited(facts: Facts) -> Finding:
    """Count the leads that were acted on by how long they had been in quarantine."""
    acted = sum(bar.leads for bar in facts.waits)
    if not acted:
        return Finding(f"No lead was acted on in the last {span(facts.since)}", "", "", ())
    half, most = _within(facts.waits, 0.5), _within(facts.waits, 0.9)
    title = f"Half of the leads were acted on {half}, nine in ten {most}"
    title = f"Nine in ten leads were acted on {most}" if most == half else title
    bars = [Bar(_range(bar), bar.leads, "acted on") for bar in _trimmed(facts.waits)]
    return Finding(title, "leads that were processed or rejected", "from quarantine to the act", bars)


def what_decided(facts: Facts) -> Finding:
    """Count the decisions by rule and verdict."""
    total = sum(each.decisions for each in facts.decisions)
    if not total:
        return Finding(f"Nothing was decided in the last {span(facts.since)}", "", "", ())
    first = facts.decisions[0]
    people = sum(each.decisions for each in facts.decisions if each.by_person)
    title = f"{share(first.decisions, total)} of {counted(total, 'decision')}: {first.verdict} by {first.decider}"
    title += f"; {people:,} by people" if people and not first.by_person else ""
    bars = [Bar(f"{each.decider}: {each.verdict}", each.decisions, each.verdict) for each in facts.decisions]
    return Finding(title, "decisions; a lead that was decided again counts again", "rule and verdict", _first(bars))


def what_leadbyte_said(facts: Facts) -> Finding:
    """Count what was sent by LeadByte's status and what it came to."""
    total = sum(each.requests for each in facts.answers)
    if not total:
        return Finding(f"Nothing was sent in the last {span(facts.since)}", "", "", ())
    outcomes: Counter[str] = Counter()
    bars = []
    for each in facts.answers:
        outcome = _OUTCOMES[each.outcome]
        outcomes[outcome] += each.requests
        status = f"HTTP {each.http_status}" if each.http_status else "no answer"
        bars.append(Bar(f"{status}: {outcome}", each.requests, outcome))
    taken = outcomes.pop("taken", 0)
    others = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
    title = f"LeadByte took {share(taken, total)} of {counted(total, 'request')}, counted a lead at a time"
    title += f"; {others}" if others else ""
    return Finding(title, "requests", "answer and what it came to", _first(bars))


_OUTCOMES = {"taken": "taken", "refused": "refused", "gone": "gone", "in_doubt": "no clear answer", None: "awaited"}


def findings(facts: Facts) -> Iterator[Finding]:
    """The findings that are drawn as bars, in the order of the page, but for what happened in time."""
    yield where_leads_are(facts)
    yield how_long_leads_waited(facts)
    yield what_decided(facts)
    yield what_leadbyte_said(facts)


def _first(bars: Sequence[Bar]) -> Sequence[Bar]:
    """The longest bars, and the others as one."""
    if len(bars) <= MOST_ROWS:
        return bars
    rest = bars[MOST_ROWS - 1 :]
    return [*bars[: MOST_ROWS - 1], Bar(f"{len(rest)} others", sum(bar.value for bar in rest), "others")]


def _within(waits: Sequence[Waited], part: float) -> str:
    """Say within which bound that part of the leads was acted on."""
    wanted, so_far = part * sum(bar.leads for bar in waits), 0
    for bar in waits:
        so_far += bar.leads
        if so_far >= wanted:
            return f"within {span(bar.most)}" if bar.most else f"after more than {span(bar.least)}"
    return "at once"


def _trimmed(waits: Sequence[Waited]) -> Sequence[Waited]:
    """Leave out the empty bars before the first and after the last that is not."""
    filled = [number for number, bar in enumerate(waits) if bar.leads]
    return waits[filled[0] : filled[-1] + 1]


def _range(bar: Waited) -> str:
    if bar.most is None:
        return f"{span(bar.least)} or more"
    return f"{span(bar.least)} to {span(bar.most)}" if bar.least > timedelta() else f"under {span(bar.most)}"
