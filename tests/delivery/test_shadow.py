"""Shadow rules decide beside the live ones: counted, kept with the decision, and never acted on."""

from collections import Counter
from pathlib import Path

from sqlalchemy import text

from leadgate.delivery.prepare import Decider, Preparation
from leadgate.ledger import sending
from leadgate.ledger.history import read_history
from leadgate.model import Claim, Conclusion, State, Verdict, fingerprint
from leadgate.policy.compiling import compile_policy
from leadgate.story import tell
from leadgate.summary import Account
from tests.intake.pipeline import NOON, RULES, Pipeline, open_pipeline

STRICTER = [RULES[0] | {"name": "better", "when": "enrichment.score >= 0.7 && enrichment.postcode.startsWith('TN')"}]
LEADS = 10_000


def score(number: int) -> float:
    """A lead's score, from 0 to 0.99."""
    return number % 100 / 100


def postcode(number: int) -> str:
    """A lead's postcode: every third is elsewhere."""
    return "AB1 2CD" if number % 3 == 0 else "TN25 6QD"


def fill(pipeline: Pipeline) -> None:
    """Let the enrichment of all leads be there."""
    with pipeline.owner.begin() as connection:
        connection.execute(
            text("INSERT INTO enrichment VALUES (:id, '2026-03-01 12:00:00', :postcode, NULL, :score)"),
            [{"id": n, "postcode": postcode(n), "score": score(n)} for n in range(LEADS)],
        )
    pipeline.quarantine(*range(LEADS))


def test_ten_thousand_leads_agree_and_differ_as_counted_by_hand(sqlite_url: str, tmp_path: Path) -> None:
    """The live decisions are the same as without a shadow, and the counts those of an independent count."""
    with open_pipeline(sqlite_url, tmp_path) as pipeline:
        fill(pipeline)
        config = pipeline.config()
        live = compile_policy(config.policy, pipeline.source.columns)
        shadow = compile_policy(pipeline.config(policy={"rules": STRICTER}).policy, pipeline.source.columns)
        claims = [Claim(str(n), 1, NOON, late=False, refusals=0, updated_hash=None) for n in range(LEADS)]
        parts = config, pipeline.source, live
        alone = Decider(*parts, fingerprint=fingerprint).decide(claims, NOON).decided
        beside = Decider(*parts, fingerprint=fingerprint, shadow=shadow).decide(claims, NOON).decided
        assert [lead.decision.verdict for lead in alone] == [lead.decision.verdict for lead in beside]
        account = Account(NOON)
        account.noted(beside)
        expected: Counter[tuple[str, str]] = Counter()
        for n in range(LEADS):
            said = "process" if score(n) >= 0.5 else "review"
            other = "process" if score(n) >= 0.7 and n % 3 else "review"
            expected[said, other] += 1
        found: Counter[tuple[str, str]] = Counter()
        for row, count in account.shadowed.items():
            found[row.verdict, row.shadow_verdict] += count
            assert row.agree == (row.verdict == row.shadow_verdict)
        assert found == expected
        summary = account.summarize(remaining={})
        assert summary.disagreed == sum(count for (said, other), count in expected.items() if said != other) > 2000


def test_what_the_shadow_said_is_kept_and_told(database_url: str, tmp_path: Path) -> None:
    """With the decision, by `explain`."""
    with open_pipeline(database_url, tmp_path) as pipeline:
        pipeline.complete(1)
        pipeline.run_sql("UPDATE enrichment SET score = 0.6")
        preparation = Preparation(
            config=pipeline.config(),
            source=pipeline.source,
            ledger=pipeline.ledger,
            policy=pipeline.policy(),
            shadow=compile_policy(pipeline.config(policy={"rules": STRICTER}).policy, pipeline.source.columns),
        )
        (lead,) = preparation.claim_wave(10)
        assert (lead.decision.verdict, lead.decision.shadow and lead.decision.shadow.verdict) == (
            Verdict.PROCESS,
            Verdict.REVIEW,
        )
        sending.conclude(
            pipeline.ledger, [Conclusion(lead.claim, lead.decision, State.REVIEW, note="why")], now=pipeline.clock()
        )
        history = read_history(pipeline.ledger, "1")
        assert history is not None
        told = [event.what for event in tell(history, pipeline.config()).events]
        assert any("The shadow rules would: review by otherwise" in line for line in told)
