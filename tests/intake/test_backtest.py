"""A backtest over ten thousand decided leads comes to what an independent count comes to."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from leadgate.backtest import run_backtest
from leadgate.delivery.prepare import Preparation
from leadgate.ledger import sending
from leadgate.model import Conclusion, State
from leadgate.policy.compiling import compile_policy
from tests.intake.pipeline import NOON, RULES, open_pipeline

LEADS = 10_000
STRICTER = [RULES[0] | {"name": "better", "when": "enrichment.score >= 0.7 && enrichment.postcode.startsWith('TN')"}]


def score(number: int) -> float:
    """A lead's score, from 0 to 0.99."""
    return number % 100 / 100


def postcode(number: int) -> str:
    """A lead's postcode: every third is elsewhere."""
    return "AB1" if number % 3 == 0 else "TN25"


def test_flips_are_those_that_are_counted_by_hand(sqlite_url: str, tmp_path: Path) -> None:
    """By verdict and by rule, and each lead named."""
    with open_pipeline(sqlite_url, tmp_path) as pipeline:
        pipeline.quarantine(*range(LEADS))
        rows = [{"id": n, "postcode": postcode(n), "score": score(n)} for n in range(LEADS)]
        with pipeline.owner.begin() as connection:
            connection.execute(
                text("INSERT INTO enrichment VALUES (:id, '2026-03-01 12:00:00', :postcode, NULL, :score)"), rows
            )
        pipeline.look()
        config, columns = pipeline.config(), pipeline.source.columns
        source, ledger, policy = pipeline.source, pipeline.ledger, pipeline.policy()
        preparation = Preparation(config=config, source=source, ledger=ledger, policy=policy)
        while wave := preparation.claim_wave(2000):
            done = [Conclusion(lead.claim, lead.decision, State.REVIEW, note="done") for lead in wave]
            sending.conclude(ledger, done, now=pipeline.clock())
        found = run_backtest(
            source,
            ledger,
            policy=compile_policy(pipeline.config(policy={"rules": STRICTER}).policy, columns),
            old_wait=config.wait,
            new_wait=config.wait.model_copy(update={"deadline": timedelta(hours=1)}),
            since=NOON - timedelta(days=1),
            now=NOON + timedelta(days=1),
        )
    old = ["process" if score(n) >= 0.5 else "review" for n in range(LEADS)]
    new = ["process" if score(n) >= 0.7 and postcode(n) == "TN25" else "review" for n in range(LEADS)]
    flips = {str(n) for n in range(LEADS) if old[n] != new[n]}
    assert (found.leads, found.changed, found.gone) == (LEADS, 0, 0)
    assert (found.verdicts.old, found.verdicts.new) == (Counter(old), Counter(new))
    assert {flip.lead_id for flip in found.verdicts.flips} == flips
    assert Counter((flip.old_rule, flip.new_rule) for flip in found.verdicts.flips) == {("good", None): len(flips)}
    assert found.wait is not None
