"""The page itself: a template filled, and put in place as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadgate.config.section import in_largest_unit
from leadgate.files import write_whole
from leadgate.model import State
from leadgate.readable import instant, span
from leadgate.report.facts import Facts
from leadgate.report.findings import Finding, findings, what_moved
from leadgate.sign_of_life import now_doing
from leadgate.waits.count import Group
from leadgate.waits.words import FEW, curves_of, headline, kept_share

if TYPE_CHECKING:
    from leadgate.report.charts import Drawn


_MOST_DEADLINES = 3
"""Pictures of arrivals on a page, one for each deadline."""


@dataclass(frozen=True, slots=True)
class Number:
    """One of the few numbers at the top; one that `calls` wants somebody to do something."""

    name: str
    value: str
    note: str = ""
    calls: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A finding, its picture, and the table of what is drawn."""

    title: str
    unit: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    drawn: "Drawn | None" = None


def write_report(facts: Facts, path: Path) -> None:
    """Write the page; a web server that was let read an older one goes on reading. ConfigError if it cannot be."""
    write_whole(path, render(facts), keep_mode=True)


def render(facts: Facts) -> str:
    """Make the page: one HTML document that needs nothing else."""
    now_doing("Drawing the page")
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - as charts

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html").render(
        facts=facts,
        numbers=list(_numbers(facts)),
        pictures=list(_pictures(facts)),
        generated=instant(facts.now),
        began=instant(facts.now - facts.since),
        since=span(facts.since),
        kept_since=instant(facts.kept_since) if facts.kept_since else None,
    )


def _numbers(facts: Facts) -> Iterator[Number]:
    status, now = facts.health.status, facts.now
    counts = status.counts
    oldest, healthy = status.oldest_waiting_since, status.healthy_at
    yield Number("waiting", f"{counts[State.WAITING]:,}", f"{status.held:,} of them decided before, and held")
    yield Number("oldest wait", span(now - oldest) if oldest else "none", "since it went into quarantine")
    review = counts[State.REVIEW]
    overdue = f"{facts.health.overdue:,} overdue: " if facts.health.overdue else ""
    yield Number("needs a person", f"{review:,}", f"{overdue}leadgate review list", calls=review > 0)
    unknown, failed = counts[State.UNKNOWN], counts[State.FAILED]
    yield Number("unknown", f"{unknown:,}", "sent, no answer; runs settle them", calls=unknown > 0)
    yield Number("failed", f"{failed:,}", "leadgate failed list", calls=failed > 0)
    stale = status.read_at is not None and healthy != status.read_at
    note = "deadlines stand still: see to the source" if stale else "of the source"
    yield Number("last healthy reading", f"{span(now - healthy)} ago" if healthy else "never", note, calls=stale)


def _pictures(facts: Facts) -> Iterator[Picture]:
    where, *others = findings(facts)
    yield _bars(where)
    if where.bars:
        yield _movement(facts)
        yield from map(_arrivals, facts.arrivals.groups[:_MOST_DEADLINES])
        yield from map(_bars, others)


def _bars(finding: Finding) -> Picture:
    if not finding.bars:
        return Picture(finding.title, "", (), [])
    from leadgate.report.charts import draw_bars  # noqa: PLC0415 - imports altair, which takes a second

    rows = [(bar.label, f"{bar.value:,}") for bar in finding.bars]
    return Picture(finding.title, finding.unit, (finding.what, finding.unit), rows, draw_bars(finding.bars))


def _arrivals(group: Group) -> Picture:
    if group.now.leads < FEW:
        return Picture(headline(group), "", (), [])
    from leadgate.report.charts import draw_arrivals  # noqa: PLC0415 - as above

    curves = curves_of(group)
    rows = [
        (what, f"{in_largest_unit(point.span)}", f"{point.leads:,}", kept_share(point))
        for what, points in curves.items()
        for point in points
    ]
    unit = "share of the leads of that age that had it, by the time since they went into quarantine"
    head = ("what", "within", "leads that old", "had it")
    return Picture(
        headline(group), f"{unit}; grey: after the deadline", head, rows, draw_arrivals(curves, group.deadline)
    )


def _movement(facts: Facts) -> Picture:
    title, unit = what_moved(facts)
    if not facts.movement.moved:
        return Picture(title, "", (), [])
    from leadgate.report.charts import draw_movement  # noqa: PLC0415 - as above

    rows = [(f"{moved.at:%Y-%m-%d %H:%M:%S}", moved.what, f"{moved.leads:,}") for moved in facts.movement.moved]
    head = ("from (UTC)", "what happened", "leads")
    return Picture(title, unit, head, rows, draw_movement(facts.movement, facts.now))
