"""What people have decided, as `examples:` to paste into the pipeline file, and what these cannot tell."""

import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from leadgate.config.example import GivenConfig
from leadgate.model import Overridden, Resolution, Verdict

_WRITE = "Write `policy.keep_facts: [columns that rules read]`: decisions keep their values from then on."


@dataclass(slots=True)
class SameFacts:
    """Examples with the same facts; `said` counts what people decided, by their word."""

    examples: list[dict[str, Any]] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)

    @property
    def contradicts(self) -> bool:
        """Whether no rules can decide all of them as people did."""
        return len(self.said) > 1

    @property
    def names(self) -> list[str]:
        """What the examples are called."""
        return [example["name"] for example in self.examples]

    @property
    def comment(self) -> str:
        """How people decided, in a line of YAML that loads as nothing."""
        *others, last = (f"{count} {word}" for word, count in self.said.items())
        facts = "the same facts" if self.examples[0]["given"] else "no facts at all"
        count = len(self.examples)
        return f"# These {count} contradict each other: {facts}, {', '.join(others)} and {last}.\n"


def gather_examples(found: Sequence[Overridden]) -> list[SameFacts]:
    """Make an example of each thing that people said; those with the same facts, late or not, stand together."""
    groups: dict[str, SameFacts] = {}
    for each in found:
        example = _example(each)
        group = groups.setdefault(json.dumps(example["given"], sort_keys=True), SameFacts())
        group.examples.append(example)
        group.said[each.override.verdict.value] += 1
    return list(groups.values())


def missing_facts(keep_facts: Sequence[str], found: Sequence[Overridden]) -> list[str]:
    """Say that examples without facts do not tell why people decided, and what to write; nothing where some have."""
    if not keep_facts:
        return [f"policy.keep_facts names no column, so examples cannot say why people decided. {_WRITE}"]
    if found and not any(value is not None for each in found for value in each.facts.values()):
        why = "the columns of policy.keep_facts had no value when they did, or were not kept yet"
        return [f"no example holds a fact, so none says why people decided: {why}. {_WRITE}"]
    return []


def write_examples(groups: Sequence[SameFacts]) -> str:
    """Write the examples as YAML, with a comment above those that contradict each other."""
    yaml = YAML(typ="safe", pure=True)
    # Else what a terminal would obey or hide is written as escapes.
    yaml.allow_unicode = str([group.examples for group in groups]).isprintable()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = io.StringIO("examples:\n")
    text.seek(0, io.SEEK_END)
    for group in groups:
        if group.contradicts:
            text.write(group.comment)
        yaml.dump(group.examples, text)
    return text.getvalue().rstrip()


def _example(found: Overridden) -> dict[str, Any]:
    said = found.override.verdict
    verdict = Verdict.HOLD if said is Resolution.WAIT else Verdict(said)
    # A column that is called like a key of `given` cannot be given.
    given = {
        name: value for name, value in found.facts.items() if value is not None and name not in GivenConfig.model_fields
    }
    return {
        "name": f"lead {found.lead_id}"[:100],
        "given": given | ({"late": True} if found.late else {}),
        "expect": {"verdict": verdict.value},
    }
