"""What people say of leads, from the keyboard or a form: checked against the pipeline file, then recorded."""

from leadgate.config import PipelineConfig
from leadgate.errors import ConfigError
from leadgate.ledger import Ledger
from leadgate.ledger.people import resolve
from leadgate.ledger.reviews import OTHERWISE, count_reviews
from leadgate.model import Chosen, Resolution, Resolved
from leadgate.printable import on_one_line
from leadgate.suggest import suggest


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
        msg = f"no rule is called {on_one_line(rule)[:100]!r}; {suggest(rule, sorted(known))}"
        raise ConfigError(msg)
