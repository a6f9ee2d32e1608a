"""`leadgate review list`: how many leads wait for a person and why, then which, and what to type."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.choosing import RuleOption
from cli.options import duration
from cli.output import ConfigOption, JsonOption, ago, clock_time, reports_errors, say, say_json
from leadgate.config import PipelineConfig
from leadgate.ledger.again import count_older
from leadgate.ledger.reviews import OTHERWISE, count_reviews, read_reviews
from leadgate.model import Group, Review, SentBy
from leadgate.policy.version import version_of
from leadgate.readable import counted, span
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.reviews import check_rule

_SHOWN = 20
_REASONS = 3
"""How many reasons of one rule are told apart: they may quote kept facts."""


@reports_errors
def list_reviews(
    *,
    rule: RuleOption = None,
    since: Annotated[
        timedelta | None,
        typer.Option(
            help="Only those that came to people within this time (12h, 30d).", parser=duration, metavar="DURATION"
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="How many leads to list.", min=0, show_default="20, with --json all")
    ] = None,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """List the leads in review: first counts by rule and reason, then the leads, the longest open first.

    With each: since when, why, the facts that may be kept, and the address in review.link.
    """
    limit = _SHOWN if limit is None and not as_json else limit
    with ledger_of(config) as (settings, ledger):
        check_rule(settings, ledger, rule)
        now = ledger.now()
        from_when = now - since if since is not None else None
        groups = count_reviews(ledger, rule=rule, since=from_when)
        found = read_reviews(ledger, rule=rule, since=from_when, limit=limit)
        older = count_older(ledger, version_of(settings.policy))
    total = sum(group.leads for group in groups)
    if as_json:
        leads = [asdict(each) | _more(each, settings, now) for each in found]
        counts = [asdict(group) for group in groups]
        say_json({"total": total, "counts": counts, "older_rules": older, "reviews": leads})
        return
    if not total:
        is_whole = rule is None and since is None
        say("No lead needs a person." if is_whole else "No such lead is in review.")
        return
    say(f"{counted(total, 'lead needs', 'leads need')} a person:")
    for line in _counted(groups):
        say(line)
    for each in found:
        say(_line(each, settings, now))
    if total > len(found) > 0:
        say(f"Shown are {len(found)}, the longest open first: --limit shows more, --rule NAME and --since fewer.")
    _say_what_to_type(groups, found, settings, older)


def _more(found: Review, settings: PipelineConfig, now: datetime) -> dict[str, object]:
    return {"overdue": settings.review.is_overdue(now - found.since), "link": settings.review.link_to(found.lead_id)}


def _counted(groups: Sequence[Group]) -> list[str]:
    """Count by what sent leads there; of a rule with many reasons the most frequent ones are told."""
    kinds: dict[tuple[SentBy, str | None], list[Group]] = {}
    for group in groups:
        kinds.setdefault((group.sent_by, group.rule if group.sent_by is not SentBy.DOUBT else None), []).append(group)
    lines = []
    for (sent_by, rule), found in sorted(kinds.items(), key=lambda kind: -sum(each.leads for each in kind[1])):
        # Whatever they would have been rejected for.
        is_one = sent_by is SentBy.CAP
        alike = [replace(found[0], reason="", leads=sum(each.leads for each in found))] if is_one else found
        shown, more = alike[:_REASONS], alike[_REASONS:]
        lines += [f"  {each.leads:>7,}  {_named(sent_by, rule)}{each.reason and f': {each.reason}'}" for each in shown]
        if more:
            count = sum(each.leads for each in more)
            lines.append(f"  {count:>7,}  {_named(sent_by, rule)}: for {len(more):,} other reasons")
    return lines


def _named(sent_by: SentBy, rule: str | None) -> str:
    match sent_by:
        case SentBy.RULE:
            return rule or OTHERWISE
        case SentBy.CAP:
            return f"{rule}, one reject too many"
        case SentBy.DOUBT:
            return "an act that may have been taken"
        case SentBy.OTHER:
            return "what happened to the lead"


def _line(found: Review, settings: PipelineConfig, now: datetime) -> str:
    facts = ", ".join(f"{name}={value}" for name, value in found.facts.items() if value is not None)
    mark = " OVERDUE" if settings.review.is_overdue(now - found.since) else ""
    link = settings.review.link_to(found.lead_id) or ""
    why = found.reason or "no reason is known."
    if found.act_in_doubt:
        since = f" since {clock_time(found.doubt_since)}" if found.doubt_since else ""
        why = f"{why.rstrip('.')}. Its {found.act_in_doubt} may have been taken{since}."
    more = [f"[{facts}]"] * bool(facts) + [link] * bool(link)
    return " ".join([f"{found.lead_id}: since {ago(found.since, now)}{mark}: {why}", *more])


def _say_what_to_type(groups: Sequence[Group], found: Sequence[Review], settings: PipelineConfig, older: int) -> None:
    """Say how each kind of review is ended."""
    kinds = {group.sent_by: group for group in reversed(groups)}
    say()
    if by_rule := kinds.get(SentBy.RULE):
        rule = by_rule.rule or OTHERWISE
        example = next((each.lead_id for each in found if each.sent_by is SentBy.RULE), "ID")
        say(f"To see one: `leadgate review show {example}`.")
        say(f"To decide: `leadgate review process {example} --reason TEXT`, or reject, or wait.")
        say(f"All of a rule at once: `leadgate review process --rule {rule} --reason TEXT`.")
    if SentBy.DOUBT in kinds:
        proven = span(settings.delivery.proven_after)
        say("If its act may have been taken: look in LeadByte whether the lead was processed or rejected, or is still")
        say(f"in quarantine {proven} after the act was sent. Then say what you found:")
        say("  `leadgate review settle ID --was processed`, or `--was rejected`, or `--was not-taken`.")
    if older:
        say(f"{older:,} were decided by older rules: `leadgate review again --all` has today's decide them.")
