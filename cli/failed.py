"""`leadgate failed` and `leadgate discard`: leads that LeadByte refused for good, by its words; and giving one up."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.choosing import IdsArgument, choose, warn_refused
from cli.options import DEFAULT_LIMIT, ByOption, LimitOption, at_keyboard, whoever
from cli.output import WRONG, ConfigOption, JsonOption, ago, reports_errors, say, say_each, say_json, stop
from leadgate.ledger.failed import count_by_words, read_failed
from leadgate.model import Resolution
from leadgate.readable import counted
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.reviews import decide_leads

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
    *, limit: LimitOption = None, config: ConfigOption = Path("leadgate.yaml"), as_json: JsonOption = False
) -> None:
    """List the parked leads: first counts by LeadByte's words, then the leads, the longest parked first."""
    with ledger_of(config) as (settings, ledger):
        parked, now = read_failed(ledger), ledger.now()
    counts = count_by_words(parked)
    shown = parked[: DEFAULT_LIMIT if limit is None and not as_json else limit]
    links = [settings.review.link_to(lead.lead_id) for lead in shown]
    if as_json:
        leads = [asdict(lead) | {"link": link} for lead, link in zip(shown, links, strict=True)]
        by_words = [{"words": words, "leads": count} for words, count in counts.items()]
        say_json({"total": len(parked), "counts": by_words, "failed": leads})
        return
    if not parked:
        say("No lead is parked.")
        return
    say(f"{counted(len(parked), 'lead is', 'leads are')} parked:")
    say_each(f"  {count:>7,}  {words}" for words, count in counts.items())
    for lead, link in zip(shown, links, strict=True):
        say(f"{lead.lead_id}: since {ago(lead.since, now)}: {lead.note}{f' {link}' if link else ''}")
    if len(parked) > len(shown) > 0:
        say(f"Shown are {len(shown)}, the longest parked first: --limit shows more.")
    say()
    lead_id = parked[0].lead_id
    at_once = f"`leadgate retry {lead_id}`, or `leadgate retry --failed`"
    say(f"A lead is decided anew when its data changes. At once: {at_once}.")
    say(f"To give one up: `leadgate discard {lead_id} --reason TEXT`.")


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
        parts = settings, ledger, choose(ids), Resolution.DISCARD
        resolved = decide_leads(*parts, reason=reason, by=whoever(by), where=at_keyboard())
    if as_json:
        say_json({"discarded": resolved.ids, "refused": resolved.refused})
    else:
        say(f"Leads that are given up: {len(resolved.ids)}.")
        warn_refused(resolved.refused)
    if resolved.refused:
        stop(WRONG)
