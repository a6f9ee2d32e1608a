"""What check advises about rules that are right as they stand."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.config import PolicyConfig
from leadgate.model import Columns, Enrichment, Lead
from leadgate.policy.advice import advise
from leadgate.policy.compiling import compile_policy
from leadgate.policy.demands import may_process_late
from tests.policy.conftest import Compile

Advise = Callable[..., list[str]]
EVERYTHING = ["score", "age", "phone_verified", "opted_out", "postcode", "seen_at"]


@pytest.fixture(scope="session")
def advised(columns: Columns) -> Advise:
    """The advice about rules named a, b, c, ..., each a condition or the keys that differ from `then: process`."""

    def advised_(
        *rules: str | Mapping[str, Any],
        require: Sequence[str] = EVERYTHING,
        keep_facts: Sequence[str] = (),
        otherwise: str = "review",
        without_value: Sequence[str] = (),
    ) -> list[str]:
        written = [rule if isinstance(rule, Mapping) else {"when": rule} for rule in rules]
        whole = [
            {"name": name, "then": "process", "because": "Score {score}." if "score" in keep_facts else "Because."}
            | dict(rule)
            for name, rule in zip("abcdef", written, strict=False)
        ]
        config = PolicyConfig.model_validate({"rules": whole, "keep_facts": keep_facts, "otherwise": otherwise})
        return advise(compile_policy(config, columns), config, require, without_value)

    return advised_


@pytest.mark.parametrize("when", ["true", "true || late", "1 < 2", "!(2 in [1])", {"none": ["false"]}])
def test_rules_behind_one_that_always_holds_are_named(advised: Advise, when: Any) -> None:  # noqa: ANN401
    """Whatever the lead's data, the first of them decides."""
    why = "can never match: 'a' before it always holds; put it before that rule, or delete it."
    assert advised({"when": when}, "late", "enrichment.score > 1") == [
        f"policy.rules[2] 'b': {why}",
        f"policy.rules[3] 'c': {why}",
    ]


@pytest.mark.parametrize("when", ["false", "late && false", "1 > 2", {"all": ["late"], "none": ["true"]}])
def test_a_rule_that_is_false_whatever_the_data_is_named(advised: Advise, when: Any) -> None:  # noqa: ANN401
    """It is no obstacle to the rules behind it."""
    assert advised({"when": when}, "true") == [
        "policy.rules[1] 'a': can never match: its condition is false whatever the data."
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("enrichment.score > 1", "enrichment.score>1"),
        ("enrichment.score > 1.0", "( enrichment.score > 1.00 )"),
        ("enrichment.score > 1", "late && enrichment.score > 1"),
        ({"all": ["late", "enrichment.score > 1"]}, "enrichment.score > 1 && late && enrichment.age > 3"),
        ({"none": ["enrichment.opted_out"]}, {"none": ["enrichment.opted_out"], "all": ["late"]}),
        (
            {"any": ["late", "enrichment.opted_out"]},
            {"any": ["enrichment.opted_out", "late"], "all": ["enrichment.age > 3"]},
        ),
        ("enrichment.score > 0.5", "enrichment.score > 0.7"),
        ("enrichment.score >= 0.5", "0.5 < enrichment.score && late"),
        ("enrichment.age <= 30", "enrichment.age < 29.5"),
        ("enrichment.age > 3 && enrichment.age < 9", "enrichment.age == 5"),
        ("enrichment.age in [1, 2, 3]", "enrichment.age in [3, 1]"),
        ("enrichment.age < 3", "enrichment.age in [1, 2]"),
        ("waited > days(1)", "waited > duration('36h')"),
        ("now > timestamp('2024-01-31T00:00:00Z')", "now >= timestamp('2024-02-01T00:00:00+01:00')"),
    ],
)
def test_a_rule_that_an_earlier_one_takes_all_from_is_named(advised: Advise, earlier: Any, later: Any) -> None:  # noqa: ANN401
    """The same condition, however it is written, or one of which the earlier is a part."""
    assert advised({"when": earlier}, {"when": later}) == [
        (
            "policy.rules[2] 'b': can never match: 'a' before it holds wherever it does; put it before that rule,"
            " or delete it."
        )
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("enrichment.score > 1", "enrichment.score > 0"),
        ("late && enrichment.score > 1", "enrichment.score > 1"),
        ("enrichment.opted_out", "late || enrichment.opted_out"),
        ("!late", "late"),
        ({"any": ["late && enrichment.age > 3", "enrichment.opted_out"]}, "late"),
        ({"none": ["late && enrichment.opted_out"]}, {"none": ["enrichment.score > 1"]}),
        ("enrichment.postcode == '1'", "enrichment.age == 1"),
        ("waited > days(4)", "waited > days(3)"),
        ("enrichment.score > 0.5", "enrichment.score >= 0.5"),
        ("enrichment.age in [1, 2]", "enrichment.age > 0 && enrichment.age < 3"),
        ("enrichment.score > 0.5", {"when": "enrichment.score > 0.7", "on_missing": "review"}),
    ],
)
def test_rules_that_can_match_are_left_alone(advised: Advise, earlier: Any, later: Any) -> None:  # noqa: ANN401
    """No advice is better than a wrong one."""
    assert advised({"when": earlier}, later if isinstance(later, dict) and "when" in later else {"when": later}) == []


@pytest.mark.parametrize(
    "when",
    [
        "enrichment.score > 0.7 && enrichment.score < 0.5",
        "enrichment.age >= 3 && enrichment.age < 3",
        "enrichment.age in [1, 2] && enrichment.age > 2",
        "waited < days(1) && waited > duration('25h')",
    ],
)
def test_comparisons_that_exclude_each_other_are_named(advised: Advise, when: str) -> None:
    """No value passes both."""
    assert advised(when, "late") == ["policy.rules[1] 'a': can never match: its comparisons exclude each other."]


COMPARISONS = st.tuples(
    st.sampled_from(["age", "score"]), st.sampled_from(["<", "<=", ">", ">=", "==", "in"]), st.integers(-3, 3)
).map(lambda c: f"enrichment.{c[0]} {c[1]} " + (f"[{c[2]}, 1.5]" if c[1] == "in" else f"{c[2] / 2}"))
WHENS = st.lists(COMPARISONS, min_size=1, max_size=3).map(" && ".join)
HALVES = st.none() | st.integers(-4, 4)


@given(whens=st.lists(st.tuples(WHENS, st.sampled_from(["skip", "review"])), min_size=2, max_size=4), data=st.data())
def test_what_is_said_to_be_unreachable_never_decides(columns: Columns, whens: Any, data: st.DataObject) -> None:  # noqa: ANN401
    """Of random rules and random leads, also with missing values."""
    rules = [
        {"name": name, "when": when, "then": "process", "because": "Because.", "on_missing": missing}
        for name, (when, missing) in zip("abcd", whens, strict=False)
    ]
    config = PolicyConfig.model_validate({"rules": rules})
    policy = compile_policy(config, columns)
    named = {name for line in advise(policy, config, EVERYTHING) for name in "abcd" if f"'{name}': can never" in line}
    age, score = data.draw(HALVES), data.draw(HALVES)
    row = {"age": age, "score": None if score is None else score / 2}
    now = datetime(2024, 6, 1, tzinfo=UTC)
    assert policy.decide(Lead("7", now), Enrichment("7", now, row), late=False, now=now).rule not in named


def test_a_policy_without_a_way_to_process_is_told(advised: Advise) -> None:
    """A rule that can never match is no way, and `otherwise` is one."""
    told = "policy: no lead is ever processed: no rule that can match says `then: process`, nor does `otherwise`."
    assert advised({"when": "late", "then": "reject"}) == [told]
    assert advised({"when": "late", "then": "reject"}, otherwise="process") == []
    assert advised({"when": "true", "then": "reject"}, "late")[-1] == told


def test_columns_nobody_waits_for_are_named_with_what_happens_then(advised: Advise) -> None:
    """The lead's own columns, and those the rule itself asks about, are left out."""
    assert advised(
        "enrichment.opted_out && enrichment.score > 1 && lead.attempts > 1",
        {"when": "enrichment.age > 1 && enrichment.score > 1", "on_missing": "review"},
        "!missing.age && enrichment.age > 17",
        require=["score"],
    ) == [
        (
            "policy.rules[1] 'a': reads enrichment.opted_out, which wait.require does not wait for: if it is missing,"
            " the rule is skipped."
        ),
        (
            "policy.rules[2] 'b': reads enrichment.age, which wait.require does not wait for: if it is missing,"
            " the rule sends the lead to a person."
        ),
    ]


def test_facts_that_nobody_reads_are_named(advised: Advise) -> None:
    """Read by a condition, asked for as missing, or told in a reason: each is a use."""
    assert advised("enrichment.age > 1 && missing.campaign", keep_facts=["age", "score", "postcode", "campaign"]) == [
        "policy.keep_facts[3]: postcode is stored with every decision, though no rule and no `because` reads it."
    ]


@pytest.mark.parametrize(
    ("rules", "otherwise", "may"),
    [
        (["enrichment.phone_verified"], "review", True),
        (["late"], "review", True),
        (["enrichment.phone_verified && !late"], "review", False),
        ([{"when": {"all": ["enrichment.phone_verified"], "none": ["late"]}}], "review", False),
        ([{"when": "late", "then": "reject"}, "enrichment.phone_verified"], "review", False),
        ([{"when": "late", "then": "review"}], "process", False),
        ([{"when": "late && enrichment.opted_out", "then": "reject"}, "enrichment.phone_verified"], "review", True),
        ([{"when": "enrichment.opted_out", "then": "reject"}], "process", True),
        ([{"when": "enrichment.opted_out", "then": "reject"}], "hold", False),
    ],
)
def test_whether_a_late_lead_may_be_processed(
    compile_rules: Compile, rules: list[Any], otherwise: str, may: bool
) -> None:
    """Not where a rule before takes every late lead, or where each rule that processes says that it is not late."""
    assert bool(may_process_late(compile_rules(*rules, otherwise=otherwise))) is may


LATE = {"when": "late", "then": "reject"}
OPTED_OUT = {"when": "enrichment.opted_out", "then": "reject"}
PASSED = (
    "policy.rules[1] 'a': does not match a late lead without enrichment.opted_out, which {} may then process: put a "
    "rule with `when: late` before that, or give this one `on_missing: review`."
)


@pytest.mark.parametrize(
    ("rules", "otherwise", "by"),
    [
        ([OPTED_OUT, "enrichment.phone_verified", LATE], "review", "'b'"),
        (
            [OPTED_OUT, {"when": "enrichment.score > 1", "then": "review", "on_missing": "review"}, "true"],
            "review",
            "'c'",
        ),
        ([OPTED_OUT], "process", "policy.otherwise"),
        ([OPTED_OUT, "enrichment.phone_verified && !enrichment.opted_out", "true"], "review", "'c'"),
        ([OPTED_OUT, LATE, "enrichment.phone_verified"], "review", None),
        ([LATE, OPTED_OUT, "enrichment.phone_verified"], "review", None),
        ([OPTED_OUT | {"on_missing": "review"}, "enrichment.phone_verified"], "review", None),
        ([{"when": "missing.opted_out || enrichment.opted_out", "then": "reject"}, "true"], "review", None),
        ([OPTED_OUT, "enrichment.phone_verified && !enrichment.opted_out"], "review", None),
        ([OPTED_OUT, "enrichment.phone_verified && !late"], "review", None),
    ],
)
def test_a_rule_that_late_leads_get_past_is_named(
    advised: Advise, rules: list[Any], otherwise: str, by: str | None
) -> None:
    """A late lead lacks something: what a rule before asks for must not be what it lacks and is released without."""
    assert advised(*rules, otherwise=otherwise) == ([PASSED.format(by)] if by else [])


@pytest.mark.parametrize(
    ("first", "second", "is_named"),
    [
        ({"when": "lead.attempts > 3"}, "enrichment.phone_verified", True),
        ({"when": "lead.attempts > 3"}, "lead.attempts < 2", False),
        ({"when": "lead.attempts > 3", "on_missing": "review"}, "enrichment.phone_verified", False),
        ({"when": "lead.attempts > 3 || missing.attempts"}, "enrichment.phone_verified", False),
        ({"when": "lead.campaign == 'solar'"}, "enrichment.phone_verified", False),
    ],
)
def test_a_rule_that_leads_get_past_without_a_value_of_their_own_is_named(
    advised: Advise, first: Mapping[str, Any], second: str, is_named: bool
) -> None:
    """Rows of the source have none, late or not."""
    told = advised({**first, "then": "reject"}, second, without_value=["lead.attempts"])
    found = [line for line in told if "own row alone" not in line]
    passed = (
        "policy.rules[1] 'a': does not match a lead without lead.attempts, which 'b' may then process: give this one "
        "`on_missing: review`."
    )
    assert found == ([passed] if is_named else [])


@pytest.mark.parametrize(
    ("rule", "is_named"),
    [
        ({"when": "lead.attempts > 3", "then": "reject"}, True),
        ({"when": "lead.attempts > 3"}, False),
        ({"when": "lead.attempts > 3 && late", "then": "reject"}, False),
        ({"when": "enrichment.opted_out", "then": "reject"}, False),
    ],
)
def test_a_reject_that_needs_no_enrichment_waits_for_it_all_the_same(
    advised: Advise, rule: Mapping[str, Any], is_named: bool
) -> None:
    """Whoever expects it at once is told."""
    told = "policy.rules[1] 'a': reads the lead's own row alone, and is asked no sooner than the others: "
    assert any(line.startswith(told) for line in advised(rule)) == is_named
    assert not any("own row alone" in line for line in advised(rule, require=[]))
