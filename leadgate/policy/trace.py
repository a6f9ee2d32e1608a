"""Why each rule before the deciding one did not match: the numbers kept with a decision, put back into words.

The words are the rules' own, from the stored text of the policy; of the lead's values only kept facts are told.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leadgate.policy.faults import without_strings
from leadgate.policy.names import joined
from leadgate.policy.reason import told

NONE_OF_ANY = -1
"""In place of the number of a failed condition: not one under `any` held."""


def tell_tried(
    text: str, trace: Sequence[int | None], unanswered: Sequence[str], facts: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Say of each rule in a trace, by its name, why it did not match; `text` is the policy's canonical JSON."""
    # What does not fit its column is told before the rules without an answer.
    gaps = iter(unanswered[len(unanswered) - trace.count(None) :])
    rules = json.loads(text)["rules"]
    return [(rule["name"], _why(rule, number, gaps, facts)) for rule, number in zip(rules, trace, strict=False)]


def unfit_values(trace: Sequence[int | None], unanswered: Sequence[str]) -> Sequence[str]:
    """Of what a decision calls unanswered, the values that did not fit their columns."""
    return unanswered[: len(unanswered) - trace.count(None)]


def _why(rule: Mapping[str, Any], number: int | None, gaps: Iterator[str], facts: Mapping[str, Any]) -> str:
    if number is None:
        return f"no answer: {next(gaps, '').removeprefix(rule['name'] + ': ')}"
    when = rule["when"]
    groups = {"all": [when]} if isinstance(when, str) else when
    if number == NONE_OF_ANY:
        told_conditions = [f"`{condition}`" for condition in groups["any"]]
        said = f"{joined(told_conditions)} {'is' if len(told_conditions) == 1 else 'are all'} false"
        return said + _with_facts(" ".join(groups["any"]), facts)
    numbered = [(group, condition) for group in ("all", "any", "none") for condition in groups.get(group, ())]
    group, condition = numbered[number]
    return f"`{condition}` is {'true' if group == 'none' else 'false'}{_with_facts(condition, facts)}"


def _with_facts(condition: str, facts: Mapping[str, Any]) -> str:
    words = without_strings(condition.replace("`", ""))
    read = [
        name for name in facts if re.search(rf"\b(enrichment|lead|missing)\s*\.\s*{re.escape(name)}(?![\w])", words)
    ]
    return f" ({', '.join(f'{name}={told(facts[name])}' for name in read)})" if read else ""
