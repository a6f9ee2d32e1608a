"""What a missing value does to a condition, to lists of conditions, and to the decision."""

from collections.abc import Callable
from typing import Any

import pytest

from leadgate.model import Decision
from leadgate.policy.deciding import Policy

Compile = Callable[..., Policy]
Decide = Callable[..., Decision]
Row = dict[str, Any]

LEFT, RIGHT = "enrichment.phone_verified", "enrichment.opted_out"
T, F, U = True, False, None

AND = [(T, T, T), (T, F, F), (T, U, U), (F, T, F), (F, F, F), (F, U, F), (U, T, U), (U, F, F), (U, U, U)]
OR = [(T, T, T), (T, F, T), (T, U, T), (F, T, T), (F, F, F), (F, U, U), (U, T, T), (U, F, U), (U, U, U)]


def answer_of(decision: Decision) -> bool | None:
    """What the only rule answered: held, did not hold, or could not be answered."""
    if decision.rule:
        return True
    return None if decision.unanswered else False


@pytest.mark.parametrize(("left", "right", "expected"), AND)
@pytest.mark.parametrize("when", [f"{LEFT} && {RIGHT}", {"all": [LEFT, RIGHT]}])
def test_and_is_false_as_soon_as_one_side_is_false(
    compile_rules: Compile,
    decide: Decide,
    when: str | Row,
    left: bool | None,
    right: bool | None,
    expected: bool | None,
) -> None:
    """`&&` and `all:` agree, and a missing side matters only if the other is true."""
    decision = decide(compile_rules({"when": when}), {"phone_verified": left, "opted_out": right})
    assert answer_of(decision) is expected


@pytest.mark.parametrize(("left", "right", "expected"), OR)
@pytest.mark.parametrize("when", [f"{LEFT} || {RIGHT}", {"any": [LEFT, RIGHT]}])
def test_or_is_true_as_soon_as_one_side_is_true(
    compile_rules: Compile,
    decide: Decide,
    when: str | Row,
    left: bool | None,
    right: bool | None,
    expected: bool | None,
) -> None:
    """`||` and `any:` agree, and a missing side matters only if the other is false."""
    decision = decide(compile_rules({"when": when}), {"phone_verified": left, "opted_out": right})
    assert answer_of(decision) is expected


@pytest.mark.parametrize(("value", "expected"), [(T, F), (F, T), (U, U)])
@pytest.mark.parametrize("when", ["!enrichment.opted_out", {"none": ["enrichment.opted_out"]}])
def test_not_of_a_missing_value_is_not_true(
    compile_rules: Compile, decide: Decide, when: str | Row, value: bool | None, expected: bool | None
) -> None:
    """`!` and `none:` agree, so that nobody counts as not opted out because we do not know."""
    assert answer_of(decide(compile_rules({"when": when}), {"opted_out": value})) is expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"age": 30, "score": 0.9, "opted_out": F}, T),
        ({"age": 30, "phone_verified": T, "opted_out": F}, T),
        ({"age": 30, "score": 0.1, "phone_verified": F, "opted_out": F}, F),
        ({"age": 30, "score": 0.1, "opted_out": F}, U),
        ({"age": 30, "score": 0.9}, U),
        ({"age": 30, "score": 0.9, "opted_out": T}, F),
        ({"score": 0.9, "opted_out": F}, U),
        ({"opted_out": T}, F),
        ({"age": 3}, F),
    ],
)
def test_all_any_and_none_hold_together(
    compile_rules: Compile, decide: Decide, row: Row, expected: bool | None
) -> None:
    """A rule with all three lists holds if each list holds, and fails if any of them surely fails."""
    when = {
        "all": ["enrichment.age >= 18"],
        "any": ["enrichment.score > 0.5", "enrichment.phone_verified"],
        "none": ["enrichment.opted_out"],
    }
    assert answer_of(decide(compile_rules({"when": when}), row)) is expected


def test_the_decision_names_what_was_missing_in_the_rules_before(compile_rules: Compile, decide: Decide) -> None:
    """Only rules without an answer before the one that matched are named, with the columns they lacked."""
    policy = compile_rules(
        "enrichment.score > 0.5 && enrichment.age > 17",
        "enrichment.opted_out",
        "missing.score",
        "enrichment.postcode == 'N1'",
    )
    decision = decide(policy, {"opted_out": False})
    assert decision.rule == "r3"
    assert decision.unanswered == ("r1: enrichment.age and enrichment.score are missing",)


def test_each_open_condition_of_a_list_is_named_once(compile_rules: Compile, decide: Decide) -> None:
    """Lists without an answer say what each of their conditions lacked, and nothing twice."""
    when = {"all": ["enrichment.score > 0.5", "enrichment.score < 0.9"], "any": ["late", "enrichment.opted_out"]}
    decision = decide(compile_rules({"when": when}), {})
    assert decision.unanswered == ("r1: enrichment.score is missing; enrichment.opted_out is missing",)


def test_without_any_enrichment_every_rule_that_reads_it_is_unanswered(compile_rules: Compile, decide: Decide) -> None:
    """A lead that nothing has arrived for goes to `otherwise`, and the decision says why no rule decided."""
    decision = decide(compile_rules("enrichment.score > 0.5", {"when": {"any": ["!enrichment.opted_out"]}}))
    assert (decision.verdict, decision.rule, decision.reason) == ("hold", None, "No rule matched.")
    assert decision.unanswered == ("r1: enrichment.score is missing", "r2: enrichment.opted_out is missing")


def test_on_missing_review_sends_the_lead_to_a_person(compile_rules: Compile, decide: Decide) -> None:
    """The rule that lacks a value decides at its place, before later rules, and names the column."""
    policy = compile_rules({"when": "enrichment.score > 0.5", "on_missing": "review"}, "true")
    decision = decide(policy, {})
    assert (decision.verdict, decision.rule) == ("review", "r1")
    assert decision.reason == "Rule r1 could not be answered: enrichment.score is missing."


def test_on_missing_review_leaves_answered_rules_alone(compile_rules: Compile, decide: Decide) -> None:
    """A rule that is surely false is passed over even if it reads a missing value."""
    rule = {"when": "enrichment.opted_out && enrichment.score > 0.5", "on_missing": "review"}
    decision = decide(compile_rules(rule, "true"), {"opted_out": False})
    assert (decision.verdict, decision.rule, decision.unanswered) == ("process", "r2", ())


@pytest.mark.parametrize(
    ("when", "row", "said"),
    [
        ("100 / enrichment.age > 3", {"age": 0}, "r1: divide by zero"),
        ("int(enrichment.postcode) > 3", {"postcode": "N1 5QQ"}, "r1: cannot convert string to int"),
        ("timestamp(enrichment.postcode) < now", {"postcode": "N1"}, "r1: String to Timestamp conversion failed"),
        ("enrichment.age * 3 > 1", {"age": 2**62}, "r1: integer overflow"),
    ],
)
def test_a_failed_calculation_is_no_match_and_is_said_without_the_value(
    compile_rules: Compile, decide: Decide, when: str, row: Row, said: str
) -> None:
    """A rule that cannot be worked out never matches, not even negated, and the lead's values are not quoted."""
    assert decide(compile_rules(when), row).unanswered == (said,)
    assert decide(compile_rules(f"!({when})"), row).unanswered == (said,)


def test_missing_asks_the_enrichment_before_the_lead(compile_rules: Compile, decide: Decide) -> None:
    """`missing.id` is about the enrichment's id although the lead has one; `missing.campaign` about the lead's."""
    assert decide(compile_rules("missing.id && lead.id == 7"), {}, {"id": 7}).rule == "r1"
    assert decide(compile_rules("!missing.id && enrichment.id == 7"), {"id": 7}, {}).rule == "r1"
    assert decide(compile_rules("missing.campaign"), {}, {}).rule == "r1"
    assert decide(compile_rules("missing.campaign"), {}, {"campaign": "a"}).rule is None
