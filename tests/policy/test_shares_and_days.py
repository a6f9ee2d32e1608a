"""share(n) and days_since(COLUMN), which are read before CEL sees them."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from leadgate.config import ExampleConfig
from leadgate.model import Decision, Lead
from leadgate.policy.deciding import Policy
from leadgate.policy.examples import run_examples
from tests.policy.conftest import NOW

Compile = Callable[..., Policy]
Decide = Callable[..., Decision]


@pytest.mark.parametrize(("hours", "days"), [(0, 0), (47, 1), (48, 2), (-1, -1), (-24, -1), (24 * 150_000, 150_000)])
def test_days_are_whole_and_rounded_down(compile_rules: Compile, decide: Decide, hours: int, days: int) -> None:
    """Also for a time that is still to come, and for one long ago."""
    policy = compile_rules(f"days_since( enrichment.seen_at ) == {days} && 'days_since(now)' == lead.campaign")
    seen_at = NOW - timedelta(hours=hours)
    assert decide(policy, {"seen_at": seen_at}, {"campaign": "days_since(now)"}).rule == "r1"


def test_days_since_a_missing_time_have_no_answer(compile_rules: Compile, decide: Decide) -> None:
    """The column is named as the user wrote it."""
    assert decide(compile_rules("days_since(enrichment.seen_at) > 3 && !late"), {}).unanswered == (
        "r1: enrichment.seen_at is missing",
    )


def test_a_share_is_stable_and_within_a_larger_one(compile_rules: Compile) -> None:
    """The same tenth in every run, and all of it in the fifth; the number of leads is about the share."""
    leads = [Lead(str(number), NOW) for number in range(2000)]

    def among(share: str) -> set[str]:
        policy = compile_rules(f"share({share})")
        return {lead.lead_id for lead in leads if policy.decide(lead, None, late=False, now=NOW).rule}

    tenth, fifth = among("0.1"), among("0.2")
    assert tenth < fifth
    assert 150 < len(tenth) < 250
    assert 350 < len(fifth) < 450
    assert sorted(tenth, key=int)[:3] == ["2", "12", "13"]


def test_an_example_is_in_a_share_by_its_id(compile_rules: Compile) -> None:
    """Without an id it is in none."""
    policy = compile_rules("share(0.1)")
    examples = [
        ExampleConfig.model_validate({"given": {"lead": lead}, "expect": {"verdict": verdict}})
        for lead, verdict in [({"id": 2}, "process"), ({"id": 3}, "hold"), ({}, "hold")]
    ]
    assert run_examples(examples, policy, now=NOW, id_column="id").failures == []
