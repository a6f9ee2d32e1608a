"""`leadgate review list`: how many leads wait for a person and why, then which, and what to type."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.choosing import RuleOption
from cli.options import DEFAULT_LIMIT, LimitOption, duration
from cli.output import ConfigOption, JsonOption, ago, clock_time, reports_errors, say, say_each, say_json
from leadgate.config import PipelineConfig
from leadgate.ledger.again import count_older
from leadgate.ledger.reviews import LookedFor, count_looked_for, count_reviews, read_looked_for, read_reviews
from leadgate.model import OTHERWISE, Group, Review, SentBy
from leadgate.policy.version import version_of
from leadgate.readable import counted, span
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.reviews import check_rule

_REASONS = 3
"""How many reasons of one rule are counted each: they may quote kept facts."""


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
    limit: LimitOption = None,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """List the leads in review: first counts by rule and reason, then the leads, the longest open first.

    With each: since when, why, the facts that may be kept, and the address in review.link. Then, without --rule and
    --since, the unknown leads: their act may have been taken, and runs look for evidence.
    """
    limit = DEFAULT_LIMIT if limit is None and not as_json else limit
    with ledger_of(config) as (settings, ledger):
        check_rule(settings, ledger, rule)
        now = ledger.now()
        from_when = now - since if since is not None else None
        groups = count_reviews(ledger, rule=rule, since=from_when)
        reviews = read_reviews(ledger, rule=rule, since=from_when, limit=limit)
        older = count_older(ledger, version_of(settings.policy))
        is_whole = rule is None and since is None
        looked_for = read_looked_for(ledger, limit) if is_whole else []
        unknown = count_looked_for(ledger) if is_whole else 0
    total = _leads(groups)
    if as_json:
        leads = [asdict(review) | _added(review, settings, now) for review in reviews]
        counts = [asdict(group) for group in groups]
        more = {"unknown": [asdict(lead) for lead in looked_for]} if is_whole else {}
        say_json({"total": total, "counts": counts, "older_rules": older, "reviews": leads} | more)
        return
    if total:
        _say_reviews(groups, reviews, settings, older=older, now=now)
    else:
        say("No lead needs a person." if is_whole else "No such lead is in review.")
    if unknown:
        _say_looked_for(unknown, looked_for, now)


def _say_reviews(
    groups: Sequence[Group], reviews: Sequence[Review], settings: PipelineConfig, *, older: int, now: datetime
) -> None:
    total = _leads(groups)
    say(f"{counted(total, 'lead needs', 'leads need')} a person:")
    say_each(_counted(groups))
    say_each(_line(review, settings, now) for review in reviews)
    if total > len(reviews) > 0:
        say(f"Shown are {len(reviews)}, the longest open first: --limit shows more, --rule NAME and --since fewer.")
    _say_what_to_type(groups, reviews, settings, older)


def _say_looked_for(unknown: int, shown: Sequence[LookedFor], now: datetime) -> None:
    say()
    say(f"{counted(unknown, 'lead is', 'leads are')} unknown: the act may have been taken. Runs look for evidence:")
    say_each(f"  {each.lead_id}: its {each.act} was sent {ago(each.since, now)}" for each in shown)
    if unknown > len(shown):
        say(f"  ... and {unknown - len(shown):,} more: --limit shows them.")
    say("Wait; or say what you know: `leadgate review settle ID --was processed|rejected|not-taken`.")


def _added(review: Review, settings: PipelineConfig, now: datetime) -> dict[str, object]:
    return {"overdue": settings.review.is_overdue(now - review.since), "link": settings.review.link_to(review.lead_id)}


def _counted(groups: Sequence[Group]) -> list[str]:
    """Count by what sent leads to review; of a rule with many reasons the most frequent ones are shown."""
    kinds: dict[tuple[SentBy, str | None], list[Group]] = {}
    for group in groups:
        kinds.setdefault((group.sent_by, group.rule if group.sent_by is not SentBy.DOUBT else None), []).append(group)
    lines = []
    for (sent_by, rule), reasons in sorted(kinds.items(), key=lambda kind: -_leads(kind[1])):
        name = _named(sent_by, rule)
        if sent_by is SentBy.CAP:  # counted as one, whatever the leads would have been rejected for
            lines.append(f"  {_leads(reasons):>7,}  {name}")
            continue
        shown, more = reasons[:_REASONS], reasons[_REASONS:]
        lines += [f"  {each.leads:>7,}  {name}{each.reason and f': {each.reason}'}" for each in shown]
        if more:
            lines.append(f"  {_leads(more):>7,}  {name}: for {len(more):,} other reasons")
    return lines


def _leads(groups: Sequence[Group]) -> int:
    return sum(group.leads for group in groups)


def _named(sent_by: SentBy, rule: str | None) -> str:
    match sent_by:
        case SentBy.RULE:
            return rule or OTHERWISE
        case SentBy.CAP:
            return f"{rule}, over the budget of rejects"
        case SentBy.DOUBT:
            return "an act that may have been taken"
        case SentBy.OTHER:
            return "what happened to the lead"


def _line(review: Review, settings: PipelineConfig, now: datetime) -> str:
    facts = ", ".join(f"{name}={value}" for name, value in review.facts.items() if value is not None)
    mark = " OVERDUE" if settings.review.is_overdue(now - review.since) else ""
    why = review.reason or "no reason is known."
    if review.act_in_doubt:
        since = f" since {clock_time(review.doubt_since)}" if review.doubt_since else ""
        why = f"{why.rstrip('.')}. Its {review.act_in_doubt} may have been taken{since}."
    line = f"{review.lead_id}: since {ago(review.since, now)}{mark}: {why}"
    unmatched = f"({'; '.join(review.unmatched)})" if review.unmatched else ""
    return " ".join(filter(None, (line, unmatched, facts and f"[{facts}]", settings.review.link_to(review.lead_id))))


def _say_what_to_type(groups: Sequence[Group], reviews: Sequence[Review], settings: PipelineConfig, older: int) -> None:
    """Say how each kind of review is ended."""
    kinds = {group.sent_by: group for group in reversed(groups)}
    say()
    if by_rule := kinds.get(SentBy.RULE):
        rule = by_rule.rule or OTHERWISE
        example = next((review.lead_id for review in reviews if review.sent_by is SentBy.RULE), "ID")
        say(f"To see one: `leadgate review show {example}`.")
        word, other = ("reject", "process") if rule in settings.policy.rejecting else ("process", "reject")
        say(f"To decide: `leadgate review {word} {example} --reason TEXT`, or {other}, or wait.")
        say(f"All of a rule at once: `leadgate review {word} --rule {rule} --reason TEXT`; it asks for their count.")
    elif kinds.keys() & {SentBy.CAP, SentBy.OTHER}:
        say("To decide: `leadgate review process ID --reason TEXT`, or reject, or wait.")
    if capped := kinds.get(SentBy.CAP):
        say("What a budget stopped, the rules would reject: to reject all of a rule,")
        say(f"`leadgate review reject --rule {capped.rule or OTHERWISE} --reason TEXT`; it asks for their count.")
    if SentBy.DOUBT in kinds:
        proven = span(settings.delivery.proven_after)
        say("If its act may have been taken: look in LeadByte whether the lead was processed or rejected, or is still")
        say(f"in quarantine {proven} after the act was sent. Then say what you found:")
        say("  `leadgate review settle ID --was processed`, or `--was rejected`, or `--was not-taken`.")
    if older:
        say(f"{older:,} were decided by older rules: `leadgate review again --all` has today's decide them.")
