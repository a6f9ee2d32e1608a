"""One pass over the leads that were decided, by pages, with the source's present rows beside them."""

from dataclasses import dataclass
from datetime import datetime

from leadgate.backtest.verdicts import Evidence, Rejudge, Reviews, Verdicts
from leadgate.backtest.waits import Rewait, WaitChange
from leadgate.config import WaitConfig
from leadgate.ledger import Ledger
from leadgate.ledger.past_decisions import read_decided
from leadgate.policy.deciding import Policy
from leadgate.sign_of_life import now_doing
from leadgate.source import Source
from leadgate.waits import read_watch


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result. `changed` counts leads whose enrichment is no longer the one seen then; `gone` of them have none."""

    since: datetime
    leads: int
    changed: int
    gone: int
    verdicts: Verdicts
    reviews: Reviews
    wait: WaitChange | None
    """None if the wait stays as it was."""
    older_rules: int = 0
    """Leads in review now by older rules than the pipeline's."""


def run_backtest(  # noqa: PLR0913
    source: Source,
    ledger: Ledger,
    *,
    policy: Policy,
    old_wait: WaitConfig,
    new_wait: WaitConfig,
    since: datetime,
    now: datetime,
) -> Backtest:
    """Decide by `policy` every lead that the rules have decided since an instant; nothing is written."""
    rejudge = Rejudge(policy, source.columns)
    rewait = None
    if _deciding(old_wait) != _deciding(new_wait):
        rewait = Rewait(old_wait, new_wait, source.columns, read_watch(ledger, now), now)
    reads_lead = policy.reads.lead or (rewait and rewait.reads_lead)
    count = changed = gone = 0
    now_doing("Reading past decisions from the ledger")
    for page in read_decided(ledger, since):
        ids = [past.lead_id for past in page]
        leads = source.leads(ids) if reads_lead else {}
        enrichments = source.enrichments(ids)
        for past in page:
            enrichment = enrichments.get(past.lead_id)
            data_hash = ledger.fingerprint(enrichment.columns) if enrichment else None
            evidence = Evidence(past, leads.get(past.lead_id), enrichment, data_hash)
            count += 1
            changed += evidence.changed
            gone += evidence.gone
            rejudge.add(evidence)
            if rewait:
                rewait.add(evidence)
        now_doing(f"Deciding past leads again: {count:,} done")
    wait = rewait.change if rewait else None
    return Backtest(since, count, changed, gone, rejudge.verdicts, rejudge.reviews, wait)


def _deciding(wait: WaitConfig) -> tuple[object, ...]:
    return wait.deadline, wait.deadlines, {each.model_dump_json() for each in wait.require}
