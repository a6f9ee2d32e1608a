"""Examples of what the rules should say: what can be wrong with them, which fail and why, which rules none covers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from leadgate.config import ExampleConfig
from leadgate.config.update import FieldConfig
from leadgate.model import Columns
from leadgate.policy.deciding import Policy
from leadgate.policy.examples import Examined, example_faults, run_examples
from leadgate.policy.writing import Update

Compile = Callable[..., Policy]
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


def example(given: dict[str, Any], verdict: str, rule: str | None = None, name: str | None = None) -> ExampleConfig:
    """An example as it stands in the file."""
    expect = {"verdict": verdict} | ({"rule": rule} if rule else {})
    return ExampleConfig.model_validate({"given": given, "expect": expect} | ({"name": name} if name else {}))


@pytest.fixture(scope="module")
def policy(compile_rules: Compile) -> Policy:
    """Rules that read everything an example can give."""
    return compile_rules(
        {"name": "late", "when": "late && waited > days(1)", "then": "reject"},
        {"name": "good", "when": "enrichment.score >= 0.6 && lead.campaign == 'a'"},
        {"name": "night", "when": "now.getHours() < 6", "then": "review"},
    )


def test_examples_that_are_decided_as_expected_pass(policy: Policy) -> None:
    """Columns of both relations, lateness, the time waited and the instant can be given."""
    examples = [
        example({"late": True, "waited": "25h"}, "reject", "late"),
        example({"score": 0.6, "lead": {"campaign": "a"}}, "process"),
        example({"now": "2024-06-01T03:00:00Z"}, "review", "night"),
        example({}, "hold", "otherwise"),
    ]
    assert run_examples(examples, policy, now=NOW) == Examined(4, [], [])


def test_a_failure_says_what_was_decided_and_why_not_as_expected(policy: Policy) -> None:
    """Values are told: they stand in the file. The rules that no example reached are named."""
    given = {"score": 0.5, "lead": {"campaign": "a"}}
    examined = run_examples([example(given, "process", "good", "a good lead")], policy, now=NOW)
    (failure,) = examined.failures
    assert str(failure) == (
        "examples[1] 'a good lead': expected process by good, decided hold by otherwise: No rule matched.\n"
        "    late did not match: `late` is false\n"
        "    good did not match: `enrichment.score >= 0.6` is false (score=0.5)\n"
        "    night did not match: `now.getHours() < 6` is false"
    )
    assert examined.uncovered == ["late", "good", "night"]


def test_another_rule_with_the_same_verdict_fails_where_the_rule_is_expected(policy: Policy) -> None:
    """An expectation without a rule is content with the verdict."""
    given = {"now": "2024-06-01T03:00:00Z"}
    examined = run_examples([example(given, "review", "good"), example(given, "review")], policy, now=NOW)
    assert [failure.example for failure in examined.failures] == ["examples[1]"]


def test_every_fault_of_every_example_is_named_at_once(policy: Policy, columns: Columns) -> None:
    """Unknown columns and rules with the nearest name, values with what they should be."""
    examples = [
        example({"scor": 1, "score": "high", "lead": {"campain": "a", "attempts": 1.5}}, "hold", name="first"),
        example({"postcode": 1234, "age": None, "score": 1, "opted_out": "yes"}, "hold", "goood"),
        example({}, "hold", "zzz"),
    ]
    assert example_faults(examples, policy, columns) == [
        "examples[1] 'first', given: unknown column enrichment.scor; did you mean enrichment.score?",
        "examples[1] 'first', given: enrichment.score: 'high' is not a decimal number",
        "examples[1] 'first', given: unknown column lead.campain; did you mean lead.campaign?",
        "examples[1] 'first', given: lead.attempts: 1.5 is not a whole number",
        "examples[2], given: enrichment.postcode is a string: write 1234 between quotes",
        "examples[2], expect.rule: no rule is called goood; did you mean good?",
        "examples[3], expect.rule: no rule is called zzz; known here: late, good, night, otherwise",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"score": [1]}, r"is no value of a column: write one text, number, bool, time or null"),
        ({"lead": {"campaign": {"a": 1}}}, r"is no value of a column"),
        ({"waited": 3}, r"is not a duration"),
        ({"now": "2024-06-01T03:00:00"}, r"timezone"),
        ({"now": "0001-01-01T00:00:00Z"}, r"1970"),
    ],
)
def test_what_no_lead_can_be_is_refused(given: dict[str, Any], message: str) -> None:
    """When the file is read, with its path."""
    with pytest.raises(ValidationError, match=message):
        example(given, "hold")


def test_an_example_fails_whose_fields_would_be_written_otherwise(policy: Policy, columns: Columns) -> None:
    """Those alone are told that differ, as they were expected and as they would be; a missing value is left out."""
    update = Update(
        {"postcode": FieldConfig(**{"from": "postcode"}), "phone1": FieldConfig(**{"from": "age"})}, columns
    )
    given = {"postcode": "N1", "age": None}
    fits = ExampleConfig.model_validate(
        {"given": given, "expect": {"verdict": "hold", "update": {"postcode": "N1", "phone1": None}}}
    )
    differs = ExampleConfig.model_validate(
        {"given": given, "expect": {"verdict": "hold", "update": {"postcode": "N1", "phone1": 7}}}
    )
    examined = run_examples([fits, differs], policy, now=NOW, update=update)
    assert [str(failure).partition("\n")[0] for failure in examined.failures] == [
        "examples[2]: expected hold, phone1 7, decided hold by otherwise, phone1 left out: No rule matched."
    ]


def test_what_counts_as_null_in_the_source_does_so_in_an_example(policy: Policy) -> None:
    """Such as an empty text, or one of `source.nulls`."""
    told = {"lead": {"campaign": "n/a"}, "score": 1}
    reads_it = example(told, "process")
    (as_it_is,) = run_examples([reads_it], policy, now=NOW).failures
    (as_null,) = run_examples([reads_it], policy, now=NOW, nulls={"", "n/a"}).failures
    assert "`lead.campaign == 'a'` is false" in str(as_it_is)
    assert "lead.campaign is missing" in str(as_null)


def test_a_share_goes_by_the_id_that_an_example_gives(compile_rules: Compile) -> None:
    """Under the column of ids; a lead without one is in no share."""
    policy = compile_rules({"name": "some", "when": "share(0.999999)"})
    some, none = example({"lead": {"id": 4711}}, "process"), example({}, "hold")
    assert run_examples([some, none], policy, now=NOW, id_column="id").failures == []
    assert [one.example for one in run_examples([some], policy, now=NOW).failures] == ["examples[1]"]
