"""`leadgate failed` and `leadgate discard`: leads that LeadByte refused for good, by its words; and giving one up."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.choosing import IdsArgument, choose, warn_refused
from cli.options import ByOption, at_keyboard, whoever
from cli.output import WRONG, ConfigOption, JsonOption, ago, reports_errors, say, say_json, stop
from leadgate.ledger.failed import Failed, count_by_words, read_failed
from leadgate.model import Resolution
from leadgate.readable import counted
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.reviews import decide_leads

_SHOWN = 20

failed = typer.Typer(
    name="failed",
    help="The leads that are parked: LeadByte refused them as often as delivery.attempts allows.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@failed.callback()
def _failed() -> None:
    """Keep `list` a command of its own: a single one would be called without its name."""


@failed.command("list", short_help="the parked leads, by LeadByte's words")
@reports_errors
def list_failed(
    *,
    limit: Annotated[
        int | None, typer.Option(help="How many leads to list.", min=0, show_default="20, with --json all")
    ] = None,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """List the parked leads: first counts by LeadByte's words, then the leads, the longest parked first."""
    with ledger_of(config) as (settings, ledger):
        found, now = read_failed(ledger), ledger.now()
    counts = count_by_words(found)
    shown = found if limit is None and as_json else found[: _SHOWN if limit is None else limit]
    if as_json:
        leads = [asdict(each) | {"link": settings.review.link_to(each.lead_id)} for each in shown]
        say_json(
            {"total": len(found), "counts": [{"words": w, "leads": n} for w, n in counts.items()], "failed": leads}
        )
        return
    if not found:
        say("No lead is parked.")
        return
    say(f"{counted(len(found), 'lead is', 'leads are')} parked:")
    for words, count in counts.items():
        say(f"  {count:>7,}  {words}")
    for each in shown:
        link = settings.review.link_to(each.lead_id)
        say(f"{each.lead_id}: since {ago(each.since, now)}: {each.note}{f' {link}' if link else ''}")
    _say_what_to_type(found, shown)


def _say_what_to_type(found: Sequence[Failed], shown: Sequence[Failed]) -> None:
    if len(found) > len(shown) > 0:
        say(f"Shown are {len(shown)}, the longest parked first: --limit shows more.")
    say()
    one = found[0].lead_id
    say(f"A lead is decided anew when its data changes. At once: `leadgate retry {one}`, or `leadgate retry --failed`.")
    say(f"To give one up: `leadgate discard {one} --reason TEXT`.")


@reports_errors
def discard(
    ids: IdsArgument = None,
    *,
    reason: Annotated[str, typer.Option(help="Why; `leadgate explain` reports it.")],
    by: ByOption = None,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Give up parked leads: nothing is done with them any more. LeadByte is not told; they stay in its quarantine."""
    with ledger_of(config) as (settings, ledger):
        chosen = choose(ids, None, every=False, yes=None, count=int, doing="be given up")
        parts = settings, ledger, chosen, Resolution.DISCARD
        resolved = decide_leads(*parts, reason=reason, by=whoever(by), where=at_keyboard())
    if as_json:
        say_json({"discarded": resolved.ids, "refused": resolved.refused})
    else:
        say(f"Leads that are given up: {len(resolved.ids)}.")
        warn_refused(resolved.refused)
    if resolved.refused:
        stop(WRONG)
