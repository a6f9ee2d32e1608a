"""`leadgate backtest`: the rules and the wait of another pipeline file, on leads that were decided."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from cli.blocks import read_block
from cli.options import ShowOption, SinceOption
from cli.output import ConfigOption, JsonOption, reports_errors, say, say_json
from leadgate.backtest import Backtest, Reviews, WaitChange
from leadgate.backtest.verdicts import Flip
from leadgate.model import OTHERWISE
from leadgate.readable import counted, span
from leadgate.wiring.checks import backtest_policy

_NOTES = {"changed": " (its row has changed since)", "facts": " (by its kept facts)"}


@reports_errors
def backtest(
    *,
    policy: Annotated[Path, typer.Option(help="The pipeline file whose rules and wait are tried.")],
    since: SinceOption = "30d",  # type: ignore[assignment] # typer parses it
    show: ShowOption = 20,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Decide past leads by the rules of another pipeline file: whose verdict flips, and who would have been late.

    It also counts which leads in review they would have decided as people did.
    The leads are those this pipeline's rules decided, with the rows that its source holds now. Nothing is written,
    and nothing is sent.
    """
    found = backtest_policy(config, policy, read_block, since=since)
    if as_json:
        say_json(_document(found))
    else:
        _print(found, config, show)


def _document(found: Backtest) -> dict[str, Any]:
    verdicts, reviews, wait = found.verdicts, found.reviews, found.wait
    return {
        "since": found.since,
        "leads": found.leads,
        "changed": found.changed,
        "gone": found.gone,
        "undecided": verdicts.known["gone"],
        "capped": verdicts.capped,
        "older_rules": found.older_rules,
        "verdicts": {"old": dict(verdicts.old), "new": dict(verdicts.new)},
        "flips": [
            {"lead_id": flip.lead_id, "old": {"verdict": flip.old, "rule": flip.old_rule}} | _new(flip)
            for flip in verdicts.flips
        ],
        "reviews": {
            "leads": reviews.leads,
            "as_people": reviews.as_people,
            "otherwise": len(reviews.otherwise),
            "review": reviews.review,
            "undecided": reviews.undecided,
            "changed": reviews.changed,
            "decided_otherwise": [
                {"lead_id": flip.lead_id, "person": flip.old} | _new(flip) for flip in reviews.otherwise
            ],
        },
        "wait": wait and asdict(wait) | {"sooner": _moved(wait.sooner), "later": _moved(wait.later)},
    }


def _moved(seconds: Sequence[int]) -> dict[str, float]:
    return {"leads": len(seconds), "median_seconds": median(seconds) if seconds else 0}


def _new(flip: Flip) -> dict[str, Any]:
    return {"new": {"verdict": flip.new, "rule": flip.new_rule, "reason": flip.reason}, "known": flip.known}


def _print(found: Backtest, config: Path, show: int) -> None:
    verdicts = found.verdicts
    leads = counted(found.leads, "lead was", "leads were")
    say(f"{leads} decided by rules since {found.since:%Y-%m-%d %H:%M}Z; {len(verdicts.flips)} flip.")
    for verdict in ("process", "reject", "hold", "review"):
        if verdicts.old[verdict] or verdicts.new[verdict]:
            say(f"  {verdict:<8} {verdicts.old[verdict]:>7} -> {verdicts.new[verdict]}")
    _print_flips(verdicts.flips, show)
    if found.reviews.leads:
        _print_reviews(found.reviews, show)
    if found.wait:
        _print_wait(found.wait)
    if found.changed:
        say(
            f"The source row of {counted(found.changed, 'lead')} has changed, or is gone ({found.gone}): "
            f"{verdicts.known['facts']} were decided by their kept facts, {verdicts.known['changed']} by the present "
            f"row, {verdicts.known['gone']} could not be."
        )
    if verdicts.capped:
        say(f"{verdicts.capped} rejects had gone to a person, by safety.budgets: they count as rejects.")
    if found.older_rules:
        say(f"{counted(found.older_rules, 'lead is', 'leads are')} in review by older rules than those of {config}:")
        say("  `leadgate review again --all` has the next run decide them by these.")
    say("Each lead was decided as at its time, and late if it was late then. Nothing was sent.")


def _print_flips(flips: Sequence[Flip], show: int, *, by_person: bool = False) -> None:
    for flip in flips[:show]:
        old = "a person" if by_person else flip.old_rule or OTHERWISE
        new, note = flip.new_rule or OTHERWISE, _NOTES.get(flip.known, "")
        say(f"{flip.lead_id}: {flip.old} by {old} -> {flip.new} by {new}: {flip.reason}{note}")
    if len(flips) > show > 0:
        say(f"... and {len(flips) - show} more; --show lists more, --json lists all.")


def _print_reviews(reviews: Reviews, show: int) -> None:
    leads = counted(reviews.leads, "lead")
    say(f"Reviews: people decided {leads} that the rules had sent to them. The new rules decide")
    say(f"  {reviews.as_people:>7}  as people did")
    say(f"  {len(reviews.otherwise):>7}  differently")
    say(f"  {reviews.review:>7}  not: a person would still decide")
    say(f"  {reviews.undecided:>7}  cannot be determined: their data is gone")
    if reviews.changed:
        say(f"{reviews.changed} of these reviews were decided by a row that has changed since.")
    _print_flips(reviews.otherwise, show, by_person=True)


def _print_wait(wait: WaitChange) -> None:
    late = counted(wait.late_before, "lead was", "leads were")
    say(f"Wait: {late} late; {wait.newly_late} more would be, {wait.no_longer_late} would not.")
    for word, spans, unmeasured in (
        ("sooner", wait.sooner, wait.sooner_unmeasured),
        ("later", wait.later, wait.later_unmeasured),
    ):
        if spans:
            say(f"  {len(spans):>7}  would have gone {word}, by {span(timedelta(seconds=median(spans)))} (median)")
        if unmeasured:
            say(f"  {unmeasured:>7}  perhaps {word}: when each column came was not kept")
    if wait.open:
        say(f"  {wait.open:>7}  cannot be determined: when their data came was not recorded")
