"""The trace of a decision: which condition of each rule before failed, in numbers, and its words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from leadgate.model import Decision
from leadgate.policy.deciding import Policy
from leadgate.policy.trace import explain_tried_rules, unfit_values

Compile = Callable[..., Policy]
Decide = Callable[..., Decision]


def tried(policy: Policy, decision: Decision) -> list[tuple[str, str]]:
    """What is told of a decision."""
    assert decision.trace is not None
    return explain_tried_rules(policy.text, decision.trace, decision.unanswered, decision.facts)


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
        "enrichment.postcode == 'enrichment.age' || enrichment.score > 3",
        "missing.score || !missing.campaign",
        keep_facts=["score", "age", "campaign"],
    )
    decision = decide(policy, {"postcode": "N1 5QQ", "score": 2.5, "age": 3})
    assert [why.rpartition("`")[2] for _, why in tried(policy, decision)] == [
        " are all false (score=2.5)",
        " are all false (score=2.5, campaign=missing)",
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


@pytest.mark.parametrize(
    ("condition", "given", "why"),
    [
        ("enrichment.phone_verified && enrichment.score >= 0.6", {}, "`enrichment.score >= 0.6` is false (score=0.4)"),
        ("!late && (enrichment.phone_verified && late)", {}, "`late` is false"),
        ("late || enrichment.age > 50", {}, "`late` and `enrichment.age > 50` are all false (age=20)"),
        ("!(late || enrichment.age < 50)", {}, "`enrichment.age < 50` is true (age=20)"),
        ("!(!late && enrichment.age < 50)", {}, "`!late` and `enrichment.age < 50` are all true (age=20)"),
        ("!(!late && !(late))", {}, "`late` is false and `!late` is true"),
        ("late || (enrichment.age > 1 && late)", {}, "`late` and `enrichment.age > 1 && late` are all false (age=20)"),
        ("enrichment.score > 1 && late", {"score": None}, "`late` is false"),
        ("enrichment.age / 0 > 1 && late", {}, "`late` is false"),
        ("late ? late && late : late", {}, "`late ? late && late : late` is false"),
        ("enrichment.postcode == 'a && b' && true", {}, "`enrichment.postcode == 'a && b'` is false"),
        ("true && // late && true\n late", {}, "`true && // late && true\n late` is false"),
        (" && ".join(["true"] * 100 + ["late"]), {}, "`late` is false"),
    ],
)
def test_the_part_that_failed_is_named(
    compile_rules: Compile, decide: Decide, condition: str, given: dict[str, Any], why: str
) -> None:
    """Taken apart at the signs between conditions; what is written otherwise stays whole."""
    policy = compile_rules(condition, keep_facts=["score", "age"])
    decision = decide(policy, {"phone_verified": True, "score": 0.4, "age": 20, "postcode": "N1"} | given)
    assert tried(policy, decision) == [("r1", why)]


def test_under_none_the_part_that_held_is_named(compile_rules: Compile, decide: Decide) -> None:
    """The list wants its conditions false, so one part of an `or` is enough to fail."""
    policy = compile_rules({"when": {"none": ["late", "late || enrichment.age > 3"]}})
    decision = decide(policy, {"age": 5})
    assert decision.trace == ((1, 1),)
    assert tried(policy, decision) == [("r1", "`enrichment.age > 3` is true")]


def test_a_trace_without_parts_is_told_by_whole_conditions(compile_rules: Compile) -> None:
    """Ledgers hold decisions of earlier releases, which kept the condition's number alone."""
    policy = compile_rules("late && true", {"when": {"none": ["late || true"]}})
    assert explain_tried_rules(policy.text, json.loads("[0, 0]"), (), {}) == [
        ("r1", "`late && true` is false"),
        ("r2", "`late || true` is true"),
    ]
    assert explain_tried_rules(policy.text, json.loads("[[0, 0], [0, 1]]"), (), {}) == [
        ("r1", "`late` is false"),
        ("r2", "`true` is true"),
    ]
