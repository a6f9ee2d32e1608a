"""Why each rule before the deciding one did not match: the numbers kept with a decision, put back into words.

The words are the rules' own, from the stored text of the policy; of the lead's values only kept facts are told.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from leadgate.policy.faults import without_strings
from leadgate.policy.names import joined
from leadgate.policy.parts import ways_to_fail
from leadgate.policy.reason import in_words

NONE_OF_ANY = -1
"""In place of the number of a failed condition: not one under `any` held."""

Failed = int | Sequence[int]
"""The number of a failed condition, or it and the number of the way in which it failed."""


def explain_tried_rules(
    text: str, trace: Sequence[Failed | None], unanswered: Sequence[str], facts: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Say of each rule in a trace, by its name, why it did not match; `text` is the policy's canonical JSON."""
    # What does not fit its column is told before the rules without an answer.
    gaps = iter(unanswered[len(unanswered) - trace.count(None) :])
    rules = zip(rules_of(text), trace, strict=False)
    return [(rule["name"], _why(rule, number, gaps, facts)) for rule, number in rules]


@lru_cache(maxsize=8)
def rules_of(text: str) -> Sequence[Mapping[str, Any]]:
    """The rules of a policy's canonical JSON; many leads are told of by the same few policies."""
    rules: Sequence[Mapping[str, Any]] = json.loads(text)["rules"]
    return rules


def unfit_values(trace: Sequence[Failed | None], unanswered: Sequence[str]) -> Sequence[str]:
    """Of what a decision calls unanswered, the values that did not fit their columns."""
    return unanswered[: len(unanswered) - trace.count(None)]


def _why(rule: Mapping[str, Any], failed: Failed | None, gaps: Iterator[str], facts: Mapping[str, Any]) -> str:
    if failed is None:
        return f"no answer: {next(gaps, '').removeprefix(rule['name'] + ': ')}"
    when = rule["when"]
    groups = {"all": [when]} if isinstance(when, str) else when
    if failed == NONE_OF_ANY:
        return _described([(condition, False) for condition in groups["any"]], facts)
    number, *part = [failed] if isinstance(failed, int) else failed
    numbered = [(group, condition) for group in ("all", "any", "none") for condition in groups.get(group, ())]
    group, condition = numbered[number]
    ways = ways_to_fail(condition, wanted=group != "none")
    if part or len(ways) == 1:
        return _described(ways[part[0] if part else 0].parts, facts)
    # Decisions of earlier releases kept no part.
    return _described([(condition, group == "none")], facts)


def _described(parts: Sequence[tuple[str, bool]], facts: Mapping[str, Any]) -> str:
    sentences = []
    for truth in (False, True):
        texts = [f"`{text}`" for text, is_true in parts if is_true is truth]
        if texts:
            sentences.append(f"{joined(texts)} {'is' if len(texts) == 1 else 'are all'} {str(truth).lower()}")
    return joined(sentences) + _with_facts(" ".join(text for text, _ in parts), facts)


def _with_facts(condition: str, facts: Mapping[str, Any]) -> str:
    words = without_strings(condition.replace("`", ""))
    read = [
        name for name in facts if re.search(rf"\b(enrichment|lead|missing)\s*\.\s*{re.escape(name)}(?![\w])", words)
    ]
    return f" ({', '.join(f'{name}={in_words(facts[name])}' for name in read)})" if read else ""
