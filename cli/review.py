"""`leadgate review`: the leads that a person must decide, and what the person says."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.options import ByOption, at_keyboard, parse_id, whoever
from cli.output import WRONG, ConfigOption, JsonOption, ago, reports_errors, say, say_json, say_lines, stop, warn
from cli.people_examples import gather_examples, missing_facts, write_examples
from leadgate.ledger.people import resolve
from leadgate.ledger.reviews import read_overridden, read_reviews
from leadgate.model import Resolution, Resolved, Review
from leadgate.wiring.ledger import ledger_of

review = typer.Typer(
    name="review",
    help="The leads that a person must decide: list them, then process, reject or wait.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Ids = Annotated[list[str], typer.Argument(metavar="ID...", parser=parse_id, help="Quarantine ids of leads in review.")]
Reason = Annotated[str, typer.Option(help="Why; `leadgate explain` tells it.")]
StillThere = Annotated[
    bool,
    typer.Option(
        "--still-in-quarantine",
        help="You have looked: leads whose last act was never answered are still in LeadByte's quarantine.",
    ),
]


@review.command("list", short_help="the leads in review, the longest open first")
@reports_errors
def list_reviews(*, config: ConfigOption = Path("leadgate.yaml"), as_json: JsonOption = False) -> None:
    """List the leads in review, the longest open first: since when, why, and the facts that may be kept."""
    with ledger_of(config) as (settings, ledger):
        found, now = read_reviews(ledger), ledger.now()
    within = settings.safety.review_within
    late = {each.lead_id for each in found if within is not None and now - each.since > within}
    if as_json:
        say_json({"reviews": [asdict(each) | {"overdue": each.lead_id in late} for each in found]})
        return
    if not found:
        say("No lead needs a person.")
    for each in found:
        facts = ", ".join(f"{name}={value}" for name, value in each.facts.items() if value is not None)
        mark = " OVERDUE" if each.lead_id in late else ""
        say(f"{each.lead_id}: since {ago(each.since, now)}{mark}: {_why(each)}" + (f" [{facts}]" if facts else ""))


def _why(found: Review) -> str:
    doubt = f" Its {found.act_in_doubt} may have been taken: look it up in LeadByte." if found.act_in_doubt else ""
    return f"{found.reason or 'no reason is known.'}{doubt}"


def _command(verdict: Resolution) -> Callable[..., None]:
    @reports_errors
    def decide(  # noqa: PLR0913
        ids: Ids,
        *,
        reason: Reason,
        by: ByOption = None,
        still_in_quarantine: StillThere = False,
        config: ConfigOption = Path("leadgate.yaml"),
        as_json: JsonOption = False,
    ) -> None:
        with ledger_of(config) as (settings, ledger):
            resolved = resolve(
                ledger,
                ids,
                verdict,
                reason=reason,
                by=whoever(by),
                where=at_keyboard(),
                hold_for=settings.policy.hold_for,
                now=ledger.now(),
                still_in_quarantine=still_in_quarantine,
                proven_after=settings.delivery.proven_after,
            )
        _tell(resolved, verdict, as_json=as_json)

    return decide


for _verdict, _short, _help in (
    (
        Resolution.PROCESS,
        "have the next run process them",
        "Have leads in review processed by the next run, once, in place of what the rules say.",
    ),
    (
        Resolution.REJECT,
        "have the next run reject them",
        "Have leads in review rejected by the next run, once, in place of what the rules say.",
    ),
    (
        Resolution.WAIT,
        "let the rules decide again, later",
        "Let leads in review wait: the rules decide again when their data changes, or after policy.hold_for.",
    ),
):
    review.command(_verdict.value, help=_help, short_help=_short)(_command(_verdict))


def _tell(resolved: Resolved, verdict: Resolution, *, as_json: bool) -> None:
    if as_json:
        say_json({"verdict": verdict, "resolved": resolved.ids, "refused": resolved.refused})
    else:
        then = "wait again" if verdict is Resolution.WAIT else f"go to {verdict} at the next run"
        say(f"Leads that {then}: {len(resolved.ids)}.")
    for lead_id, why in resolved.refused.items():
        warn(f"leadgate: {lead_id}: {why}.")
    if resolved.refused:
        stop(WRONG)


@review.command("examples", short_help="what people have decided, as `examples:` to paste")
@reports_errors
def list_examples(
    *,
    limit: Annotated[int, typer.Option(help="How many at most, the newest first.", min=1)] = 100,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Print what people have decided as `examples:` to paste into the pipeline file: kept facts only.

    Those with the same facts stand together, and a comment says where people decided differently.
    A rule that should have decided is then written until `leadgate test` passes.
    """
    with ledger_of(config) as (settings, ledger):
        found = read_overridden(ledger, limit=limit)
    warnings, groups = missing_facts(settings.policy.keep_facts, found), gather_examples(found)
    if as_json:
        examples = [example for group in groups for example in group.examples]
        contradictions = [group.names for group in groups if group.contradicts]
        say_json({"examples": examples, "contradictions": contradictions, "warnings": warnings})
        return
    for warning in warnings:
        warn(f"leadgate: {warning}")
    if groups:
        say_lines(write_examples(groups))
    else:
        say("Nobody has decided a review yet.")
