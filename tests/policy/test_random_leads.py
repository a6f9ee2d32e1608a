"""Random rules and random rows: the decision equals a small reference, and nothing a row holds makes it raise."""

import json
import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadgate.model import Decision
from leadgate.policy.deciding import Policy
from leadgate.policy.parts import ways_to_fail

Compile = Callable[..., Policy]
Decide = Callable[..., Decision]
Comparison = tuple[str, str, Any]

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
# Beyond 2**53 whole and decimal numbers are no longer told apart exactly.
INTS = st.integers(-5, 5) | st.integers(-(2**53), 2**53)
FLOATS = st.sampled_from([-1.5, -1.0, 0.0, 0.5, 1.0, 2.0]) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.sampled_from(["", "a", "b", "ab", "ä", "😀"])
VALUES = {"age": INTS, "score": FLOATS, "postcode": TEXTS}
NUMBERS = st.tuples(st.sampled_from(["age", "score"]), st.sampled_from(list(OPERATORS)), INTS | FLOATS)
WORDS = st.tuples(st.just("postcode"), st.sampled_from(list(OPERATORS)), TEXTS)
COMPARISONS = st.lists(NUMBERS | WORDS, max_size=3)
WHENS = st.fixed_dictionaries({"all": COMPARISONS, "any": COMPARISONS, "none": COMPARISONS}).filter(
    lambda groups: any(groups.values())
)
ROWS = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()})
ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.characters(categories=["Cs"])
    | st.binary(max_size=3)
    | st.decimals()
    | st.datetimes(timezones=st.none() | st.just(UTC))
    | st.datetimes(timezones=st.timezones())
    | st.dates()
    | st.timedeltas()
    | st.uuids()
    # A strategy that holds this number itself cannot be printed: 5,000 digits are too many for Python.
    | st.sampled_from([5000]).map(lambda digits: 10**digits)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)
)


def written(comparison: Comparison) -> str:
    """Write a comparison as a condition."""
    column, sign, value = comparison
    return f"enrichment.{column} {sign} {json.dumps(value, ensure_ascii=False)}"


def answered(comparison: Comparison, row: dict[str, Any]) -> bool | None:
    """Answer a comparison in plain Python; None when the value is missing."""
    column, sign, value = comparison
    return None if row[column] is None else OPERATORS[sign](row[column], value)


def conjunction(answers: list[bool | None]) -> bool | None:
    """Say false if one is false, else unknown if one is unknown, else true."""
    return False if False in answers else None if None in answers else True


def negation(answer: bool | None) -> bool | None:
    """Turn true and false round, and leave unknown alone."""
    return None if answer is None else not answer


@given(groups=WHENS, row=ROWS)
def test_a_rule_answers_as_plain_three_valued_logic_does(
    compile_rules: Compile, decide: Decide, groups: dict[str, list[Comparison]], row: dict[str, Any]
) -> None:
    """Held, did not hold, or open because of a missing value: always as the reference says."""
    answers = {group: [answered(comparison, row) for comparison in items] for group, items in groups.items()}
    parts = answers["all"] + [negation(answer) for answer in answers["none"]]
    if answers["any"]:
        parts.append(negation(conjunction([negation(answer) for answer in answers["any"]])))
    expected = conjunction(parts)
    policy = compile_rules({"when": {group: [written(item) for item in items] for group, items in groups.items()}})
    decision = decide(policy, row)
    assert (decision.rule == "r1", bool(decision.unanswered)) == (expected is True, expected is None)


@given(values=st.lists(ANYTHING, min_size=10, max_size=10), late=st.booleans(), now=st.datetimes())
def test_nothing_a_row_holds_makes_a_decision_fail(
    compile_rules: Compile, decide: Decide, values: list[Any], late: bool, now: datetime
) -> None:
    """Whatever a driver gives back, there is a decision, and what it keeps can be stored as JSON."""
    kept = ["id", "score", "age", "phone_verified", "postcode", "seen_at", "campaign", "Phone Type", "größe"]
    policy = compile_rules(
        "enrichment.score > 0.5 && enrichment.age > 17 && enrichment.id == lead.id",
        "now - enrichment.seen_at > days(30) || waited > days(9)",
        "enrichment.postcode.matches('^N1') || lead.`Phone Type`.trim() == lead.campaign",
        "enrichment.age * 3 > 5 || int(enrichment.postcode) > 3 || now.getHours() == 30",
        "enrichment.phone_verified && missing.opted_out && late && !late",
        keep_facts=kept,
    )
    row = dict(zip(["id", "score", "age", "phone_verified", "postcode", "seen_at", "größe"], values, strict=False))
    lead = dict(zip(["id", "campaign", "Phone Type"], values[7:], strict=True))
    decision = decide(policy, row, lead, late=late, now=now)
    assert decision.rule in {None, "r1", "r2", "r3", "r4"}
    json.dumps(dict(decision.facts), allow_nan=False)


@given(data=st.data(), row=ROWS)
def test_a_nested_condition_answers_as_plain_three_valued_logic_does(
    compile_rules: Compile, decide: Decide, data: st.DataObject, row: dict[str, Any]
) -> None:
    """Being asked for the part that failed changes no answer, and a condition that fails has such a part."""
    leaves = (NUMBERS | WORDS).map(lambda item: (written(item), answered(item, row)))
    text, expected = data.draw(st.recursive(leaves, combined, max_leaves=6))
    decision = decide(compile_rules(text), row)
    assert (decision.rule == "r1", bool(decision.unanswered)) == (expected is True, expected is None)
    several = len(ways_to_fail(text)) > 1
    assert all(isinstance(failed, tuple) is several for failed in decision.trace or () if failed is not None)


def combined(inner: st.SearchStrategy[tuple[str, bool | None]]) -> st.SearchStrategy[tuple[str, bool | None]]:
    """Negate a condition, or join two; each comes with its answer."""
    pairs = st.tuples(inner, inner)
    return (
        inner.map(lambda one: (f"!({one[0]})", negation(one[1])))
        | pairs.map(lambda two: (f"({two[0][0]}) && ({two[1][0]})", conjunction([two[0][1], two[1][1]])))
        | pairs.map(
            lambda two: (
                f"({two[0][0]}) || ({two[1][0]})",
                negation(conjunction([negation(two[0][1]), negation(two[1][1])])),
            )
        )
    )
