"""docs/rules.md says what is so: its examples compile, and its messages are the ones users get."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from leadgate.config import ExampleConfig, PolicyConfig
from leadgate.errors import PolicyError
from leadgate.model import Columns, Decision
from leadgate.policy.compiling import compile_policy
from leadgate.policy.deciding import Policy
from leadgate.policy.examples import Examined, example_faults, run_examples

Compile = Callable[..., Policy]
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)

TEXT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = [YAML(typ="safe", pure=True).load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
POLICIES = [block["policy"] for block in BLOCKS if "policy" in block]
EXAMPLES = [example for block in BLOCKS for example in block.get("examples", ())]


def rows_under(heading: str) -> list[tuple[str, str]]:
    """Give the first two cells of each row of the table with this heading."""
    table = TEXT[TEXT.index(heading) :].split("\n\n", 1)[0].splitlines()[2:]
    cells = [re.split(r"(?<!\\) \| ", row.strip("| ")) for row in table]
    return [(left.strip("`").replace("\\|", "|"), re.sub(r"\\([`|\\])", r"\1", right)) for left, right, *_ in cells]


SAYINGS = [condition for condition, _ in rows_under("| Write | For |")]
MISSING = rows_under("| Condition | When the score is missing |")
MESSAGES = rows_under("| Condition | Message |")


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_shown_compiles(columns: Columns, policy: dict[str, Any]) -> None:
    """A policy copied from the page works for columns of these names and types."""
    assert compile_policy(PolicyConfig.model_validate(policy), columns).version


def test_the_examples_shown_pass(columns: Columns) -> None:
    """They are examples of the page's first policy, and cover it but for one rule."""
    policy = compile_policy(PolicyConfig.model_validate(POLICIES[0]), columns)
    examples = [ExampleConfig.model_validate(example) for example in EXAMPLES]
    assert example_faults(examples, policy, columns) == []
    assert run_examples(examples, policy, now=NOW) == Examined(3, [], ["opted-out"])


@pytest.mark.parametrize("condition", SAYINGS)
def test_every_condition_shown_compiles(compile_rules: Compile, condition: str) -> None:
    """What the page says can be written is taken."""
    assert compile_rules(condition).version


@pytest.mark.parametrize(("condition", "answer"), MISSING)
def test_the_table_of_missing_values_is_true(
    compile_rules: Compile, decide: Callable[..., Decision], condition: str, answer: str
) -> None:
    """Each condition answers as the page says when there is no score."""
    decision = decide(compile_rules(condition), {})
    said = "no answer" if decision.unanswered else str(bool(decision.rule)).lower()
    assert answer.partition(":")[0] == said


@pytest.mark.parametrize(("condition", "message"), MESSAGES)
def test_every_message_shown_is_the_one_users_get(compile_rules: Compile, condition: str, message: str) -> None:
    """The table of messages holds real ones."""
    with pytest.raises(PolicyError) as caught:
        compile_rules(condition)
    assert caught.value.problems[0].splitlines()[0] == f"policy.rules[1] 'r1', when: {message}"


def test_the_page_is_really_read() -> None:
    """The tables were found, so the tests above test something."""
    assert (len(POLICIES), len(SAYINGS), len(MISSING), len(MESSAGES)) == (2, 16, 6, 10)
