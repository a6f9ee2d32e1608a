"""`leadgate waits`: what the deadline and the required columns cost, from the ledger alone."""

from pathlib import Path
from typing import Any

from cli.options import SinceOption
from cli.output import ConfigOption, JsonOption, reports_errors, say, say_each, say_json
from leadgate.readable import counted
from leadgate.waits import Waits, count_waits
from leadgate.waits.count import AFTER, Group
from leadgate.waits.tally import Point
from leadgate.waits.words import about_ages, about_ranges, headline, left_out, regrets, rows, without
from leadgate.wiring.ledger import ledger_of


@reports_errors
def waits(
    *,
    since: SinceOption = "30d",  # type: ignore[assignment] # typer parses it
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Show when the data of leads arrives, and what another deadline or fewer required columns would have meant.

    It counts the leads that were quarantined since then. Neither the source nor LeadByte is asked; `leadgate backtest`
    tries any other wait.
    """
    with ledger_of(config) as (settings, ledger):
        now = ledger.now()
        found = count_waits(ledger, settings, since=now - since, now=now)
    if as_json:
        say_json(_document(found))
    else:
        _print(found, settings.pipeline)


def _print(found: Waits, pipeline: str) -> None:
    say(f"{pipeline}: {counted(found.leads, 'lead')} quarantined since {found.since:%Y-%m-%d %H:%M}Z.")
    for note in filter(None, (left_out(found), about_ranges(found), about_ages(found))):
        say(f"{note}.")
    for group in found.groups:
        say()
        say(f"{headline(group)}.")
        if group.is_own:
            say(f"  by a rule of wait.deadlines: {counted(group.leads, 'lead')}")
        table = rows(group)
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for first, *others in table:
            cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
            say("  ".join(["", first.ljust(widths[0]), *cells]).rstrip())
        say_each(f"  {line}" for line in without(group))
    if late := list(regrets(found)):
        say()
        say("Too late:")
        say_each(f"  {line}" for line in late)


def _document(found: Waits) -> dict[str, Any]:
    return {
        "since": found.since,
        "leads": found.leads,
        "not_counted": found.unwatched,
        "sees_later": found.sees_later,
        "deadlines": [_group(group) for group in found.groups],
        "too_late": [
            {
                "rule": rule,
                "rejected": regret.rejected,
                "unknown": regret.unwatched,
                "came": [
                    {"within_seconds": within and within.total_seconds(), "leads": count}
                    for within, count in zip([*AFTER, None], regret.came, strict=True)
                ],
            }
            for rule, regret in found.regret.items()
        ],
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "deadline_seconds": group.deadline.total_seconds(),
        "by_rule": group.is_own,
        "leads": group.leads,
        "complete": [_point(point) for point in group.whole],
        "columns": {name: [_point(point) for point in points] for name, points in group.columns.items()},
        "without": [{"need": each.need, "alone": each.alone, **_point(each.point)} for each in group.without],
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "within_seconds": point.span.total_seconds(),
        "leads": point.leads,
        "had": point.had,
        "had_not": point.had_not,
        "unknown": point.unclear,
    }
