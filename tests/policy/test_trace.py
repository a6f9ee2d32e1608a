"""The trace of a decision: which condition of each rule before failed, in numbers, and its words."""

from collections.abc import Callable

from leadgate.model import Decision
from leadgate.policy.deciding import Policy
from leadgate.policy.trace import tell_tried, unfit_values

Compile = Callable[..., Policy]
Decide = Callable[..., Decision]


def tried(policy: Policy, decision: Decision) -> list[tuple[str, str]]:
    """What is told of a decision."""
    assert decision.trace is not None
    return tell_tried(policy.text, decision.trace, decision.unanswered, decision.facts)


def test_each_rule_before_the_one_that_decides_has_a_number(compile_rules: Compile, decide: Decide) -> None:
    """Conditions count on from `all` over `any` to `none`; -1 is for any, None for no answer."""
    policy = compile_rules(
        {"when": {"all": ["true", "late"], "any": ["late"], "none": ["late"]}},
        {"when": {"all": ["true", "true"], "any": ["true", "late"], "none": ["late", "enrichment.age > 3"]}},
        {"when": {"any": ["late", "enrichment.age < 3"]}},
        "enrichment.score > 1",
        "true",
        "late",
    )
    decision = decide(policy, {"age": 5, "postcode": "N1"})
    assert decision.trace == (1, 5, -1, None)
    assert tried(policy, decision) == [
        ("r1", "`late` is false"),
        ("r2", "`enrichment.age > 3` is true"),
        ("r3", "`late` and `enrichment.age < 3` are all false"),
        ("r4", "no answer: enrichment.score is missing"),
    ]


def test_a_rule_that_decides_first_has_an_empty_trace(compile_rules: Compile, decide: Decide) -> None:
    """Nothing was tried before, which is not the same as not known."""
    assert decide(compile_rules("true")).trace == ()


def test_otherwise_comes_after_every_rule(compile_rules: Compile, decide: Decide) -> None:
    """Each of them has its number."""
    assert decide(compile_rules("late", {"when": {"none": ["true"]}})).trace == (0, 0)


def test_only_kept_values_are_told(compile_rules: Compile, decide: Decide) -> None:
    """A column that is only quoted in a text, or whose name only begins alike, is not said to be read."""
    policy = compile_rules(
        "enrichment.postcode == 'enrichment.age' && enrichment.score > 1 && enrichment.seen_at > now",
        "missing.score && lead.campaign == 'a'",
        keep_facts=["score", "age", "campaign"],
    )
    decision = decide(policy, {"postcode": "N1 5QQ", "score": 2.5, "age": 3})
    assert [why.rpartition("`")[2] for _, why in tried(policy, decision)] == [
        " is false (score=2.5)",
        " is false (score=2.5, campaign=missing)",
    ]


def test_values_that_do_not_fit_are_told_apart(compile_rules: Compile, decide: Decide) -> None:
    """They stand before the rules without an answer, and belong to no rule."""
    policy = compile_rules("enrichment.age > 3", {"name": "r2: r1", "when": "enrichment.score > 1"})
    decision = decide(policy, {"age": "many"})
    assert decision.trace is not None
    assert [why for _, why in tried(policy, decision)] == [
        "no answer: enrichment.age is missing",
        "no answer: enrichment.score is missing",
    ]
    assert unfit_values(decision.trace, decision.unanswered) == (
        "enrichment.age does not hold a whole number, so it counts as missing",
    )
