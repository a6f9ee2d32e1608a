"""One pass over the leads that were decided, by pages, with the source's present rows beside them."""

from dataclasses import dataclass
from datetime import datetime

from leadgate.backtest.past import Evidence
from leadgate.backtest.verdicts import Rejudge, Verdicts
from leadgate.backtest.waits import Rewait, WaitChange
from leadgate.config import WaitConfig
from leadgate.ledger import Ledger
from leadgate.ledger.past_decisions import read_decided
from leadgate.ledger.policies import read_policy_texts
from leadgate.ledger.source_health import read_standstills
from leadgate.policy.deciding import Policy
from leadgate.source import Source


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came out. `changed` counts leads whose enrichment is no longer the one seen then, of which `gone` has none.

    `wait` is None where the wait stays as it was.
    """

    since: datetime
    leads: int
    changed: int
    gone: int
    verdicts: Verdicts
    wait: WaitChange | None


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
    """Decide by `policy`, on paper, every lead that the rules have decided since an instant."""
    rejudge = Rejudge(policy, source.columns, read_policy_texts(ledger))
    rewait = None
    if (old_wait.deadline, set(old_wait.require)) != (new_wait.deadline, set(new_wait.require)):
        rewait = Rewait(old_wait, new_wait, read_standstills(ledger), now)
    count = changed = gone = 0
    for page in read_decided(ledger, since):
        ids = [past.lead_id for past in page]
        leads = source.leads(ids) if policy.reads.lead else {}
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
    return Backtest(since, count, changed, gone, rejudge.verdicts, rewait.change if rewait else None)
