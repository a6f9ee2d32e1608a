"""What the figures of waits say, in sentences and rows: for the command, the report and the artifact. Pure."""

from collections.abc import Iterator, Sequence

from leadgate.config.section import in_largest_unit
from leadgate.model import OTHERWISE
from leadgate.printable import in_markdown, in_table
from leadgate.readable import counted, share
from leadgate.waits.count import AFTER, Group, Regret, Waits
from leadgate.waits.tally import Point

FEW = 100
"""Fewer leads are too few: each of them is more than one percent."""


def headline(group: Group) -> str:
    """Say what the deadline and others keep, and what holds back most."""
    now = group.now
    if now.leads < FEW:
        deadline = in_largest_unit(group.deadline)
        return f"Too few leads are old enough to judge the deadline of {deadline}: {now.leads:,}, and {FEW} are needed"
    shown = [point for point in group.others(group.whole) if point.span <= group.deadline][::2]
    kept = [f"{in_largest_unit(point.span)} keeps {kept_share(point)}" for point in shown if point is not now]
    title = ", ".join([*kept, f"{in_largest_unit(group.deadline)} (now) {kept_share(now)}"])
    worst = max(group.without, key=lambda each: each.alone)
    if worst.alone and len(group.without) > 1:
        title += f"; {worst.need} alone holds back {share(worst.alone, now.leads)}"
    return title


def kept_share(point: Point) -> str:
    """Write which part of the leads had it by then: a range if nobody can tell of more than one in twenty."""
    if not point.leads:
        return "-"
    least = share(point.had, point.leads)
    if not _is_range(point):
        return least
    return f"{least.removesuffix(' %')} to {share(point.most, point.leads)}"


def curves_of(group: Group) -> dict[str, Sequence[Point]]:
    """The curve of all that is required, and of each column."""
    return {"all that is required": group.whole} | dict(group.columns)


def rows(group: Group) -> list[tuple[str, ...]]:
    """The table of other deadlines: a row for everything that is required, for each column, and for how many count."""
    tried = group.others(group.whole)
    spans = [f"{in_largest_unit(each.span)}{' (now)' if each.span == group.deadline else ''}" for each in tried]
    table = [(what, *map(kept_share, group.others(points))) for what, points in curves_of(group).items()]
    return [("within", *spans), *table, ("leads that old", *(f"{point.leads:,}" for point in tried))]


def without(group: Group) -> Iterator[str]:
    """Say what leaving out each thing that is required would mean."""
    if len(group.without) < 2 or group.now.leads < FEW:  # noqa: PLR2004 - the only one
        return
    deadline = in_largest_unit(group.deadline)
    for each in sorted(group.without, key=lambda found: -found.alone):
        were = "was" if each.alone == 1 else "were"
        alone = f"{counted(each.alone, 'lead')}, {share(each.alone, group.now.leads)}, {were} late for it alone"
        yield f"without {each.need} {deadline} keeps {kept_share(each.point)}: {alone}"


def regrets(waits: Waits) -> Iterator[str]:
    """Say which rules rejected leads as late whose data came afterwards."""
    for rule, regret in sorted(waits.regret.items(), key=lambda each: -each[1].rejected):
        came = sum(regret.came)
        line = f"{rule or OTHERWISE} rejected {counted(regret.rejected, 'lead')} as late; the data of {came:,}"
        line += f" ({share(came, regret.rejected)}) came afterwards"
        line += f": {', '.join(_after(regret))}" if came else ""
        line += f"; for {regret.unwatched:,} this is not known" if regret.unwatched else ""
        yield line
    if not waits.sees_later and waits.leads:
        yield (
            "what comes for leads that are decided is not seen: source.enrichment has no updated_at that can be read "
            "forward, or no row yet"
        )


def _after(regret: Regret) -> Iterator[str]:
    for count, within in zip(regret.came, [*AFTER, None], strict=True):
        if count:
            yield f"{count:,} {f'within {in_largest_unit(within)}' if within else 'later'}"


def about_ranges(waits: Waits) -> str:
    """Say what a range means; empty if there is none."""
    curves = ((group, points) for group in waits.groups for points in curves_of(group).values())
    if not any(_is_range(point) for group, points in curves for point in group.others(points)):
        return ""
    return "Ranges: it is not known when data came that was there at leadgate's first look, or came between two looks"


def about_ages(waits: Waits) -> str:
    """Say why a longer deadline may keep a smaller share; empty where none does."""
    for group in waits.groups:
        shares = [point.had / point.leads for point in group.others(group.whole) if point.leads >= FEW]
        if shares != sorted(shares):
            return "A longer deadline is judged by older leads alone (the last row), so its share can be smaller"
    return ""


def _is_range(point: Point) -> bool:
    return 20 * point.unclear > point.leads


def left_out(waits: Waits) -> str:
    """Say which leads are not counted; empty if all are."""
    if not waits.unwatched:
        return ""
    return f"{waits.unwatched:,} of them are not counted: when their data came was not kept, or no run has looked yet"


def as_markdown(waits: Waits) -> str:
    """The artifact: for each deadline a table with a row of bars for each column, and what came too late."""
    lines = [f"{counted(waits.leads, 'lead')} quarantined since {waits.since:%Y-%m-%d %H:%M} UTC."]
    lines += [f"{said}." for said in (left_out(waits), about_ranges(waits), about_ages(waits)) if said]
    for group in waits.groups:
        head, *body = rows(group)
        bars = [bars_of(points) for points in curves_of(group).values()]
        lines += ["", f"### {in_markdown(headline(group))}", ""]
        lines += [_cells(*head, _ends(group)), _LINE * (len(head) + 1) + "|"]
        lines += [_cells(*row, bar) for row, bar in zip(body, [*bars, ""], strict=True)]
        lines += ["", *(f"- {in_markdown(each)}" for each in without(group))]
    found = list(regrets(waits))
    lines += ["", "### Data that came too late", "", *(f"- {in_markdown(each)}" for each in found)] if found else []
    return "\n".join(lines)


_BLOCKS = "▁▂▃▄▅▆▇█"
_LINE = "|---"


def bars_of(points: Sequence[Point]) -> str:
    """Draw a curve as a row of blocks, one a point; a space where no lead is old enough."""
    return "".join(_BLOCKS[min(7, 8 * each.had // each.leads)] if each.leads else " " for each in points)


def _ends(group: Group) -> str:
    first, *_, last = group.whole
    return f"{in_largest_unit(first.span)} to {in_largest_unit(last.span)}"


def _cells(*cells: str) -> str:
    return f"| {' | '.join(map(in_table, cells))} |"
