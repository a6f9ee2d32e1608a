"""What people say of leads, from the keyboard or a form: checked against the pipeline file, then recorded."""

from collections.abc import Mapping, Sequence

from leadgate.config import PipelineConfig
from leadgate.errors import ConfigError
from leadgate.ledger import Ledger
from leadgate.ledger.people import resolve
from leadgate.ledger.reviews import count_reviews
from leadgate.model import OTHERWISE, Chosen, Resolution, Resolved
from leadgate.printable import on_one_line
from leadgate.suggest import suggest

DONE = {
    Resolution.PROCESS: "Leads that the next run processes",
    Resolution.REJECT: "Leads that the next run rejects",
    Resolution.WAIT: "Leads that wait again",
    Resolution.AGAIN: "Leads that the next run decides anew, by its rules",
    Resolution.UNDO: "Leads that are in review again",
    Resolution.WAS_PROCESSED: "Leads that are settled as processed",
    Resolution.WAS_REJECTED: "Leads that are settled as rejected",
    Resolution.NOT_TAKEN: "Leads that the next run decides anew, since their act was not taken",
}
"""What becomes of the leads of which a word was heard."""
_REASONS = 20
_OF_ONE_REASON = 5


def decide_leads(  # noqa: PLR0913
    settings: PipelineConfig,
    ledger: Ledger,
    chosen: Chosen,
    verdict: Resolution,
    *,
    reason: str,
    by: str,
    where: str,
    still_in_quarantine: bool = False,
) -> Resolved:
    """Record a person's word; raise ConfigError as `resolve`, and for a rule that there is not."""
    check_rule(settings, ledger, chosen.rule)
    return resolve(
        ledger,
        chosen,
        verdict,
        reason=reason,
        by=by,
        where=where,
        hold_for=settings.policy.hold_for,
        now=ledger.now(),
        still_in_quarantine=still_in_quarantine,
        proven_after=settings.delivery.proven_after,
    )


def check_rule(settings: PipelineConfig, ledger: Ledger, rule: str | None) -> None:
    """Raise ConfigError for a rule that neither the file has, nor has sent a lead to a person that is there still."""
    known = {OTHERWISE, *(each.name for each in settings.policy.rules)}
    if rule is None or rule in known:
        return
    known |= {group.rule for group in count_reviews(ledger) if group.rule}
    if rule not in known:
        raise ConfigError(f"no rule is called {on_one_line(rule)[:100]!r}; {suggest(rule, sorted(known))}")


def told_refused(refused: Mapping[str, str]) -> tuple[list[str], int]:
    """Say of which leads a word was not heard and why: leads with the same reason in one sentence, and not too many.

    Also give how many leads no sentence is about.
    """
    by_reason: dict[str, list[str]] = {}
    for lead_id, why in refused.items():
        by_reason.setdefault(why, []).append(lead_id)
    lines = [f"{named(ids)}: {why}." for why, ids in list(by_reason.items())[:_REASONS]]
    return lines, sum(map(len, list(by_reason.values())[_REASONS:]))


def named(ids: Sequence[str]) -> str:
    """Name some leads, and say how many more there are."""
    more = len(ids) - _OF_ONE_REASON
    return ", ".join(ids[:_OF_ONE_REASON]) + (f" and {more} more" if more > 0 else "")
