"""`leadgate review examples`: what people have decided, as `examples:` to paste into the pipeline file."""

import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from cli.output import ConfigOption, JsonOption, reports_errors, say, say_json, say_lines, warn
from leadgate.config.example import GivenConfig
from leadgate.ledger.reviews import read_overridden
from leadgate.model import Overridden, Resolution, Verdict
from leadgate.wiring.ledger import ledger_of

_WRITE = "Write `policy.keep_facts: [all columns that people went by]`: decisions keep their values from then on."


@reports_errors
def list_examples(
    *,
    limit: Annotated[int, typer.Option(help="How many at most, the newest first.", min=1)] = 100,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Print what people have decided as `examples:` to paste into the pipeline file: kept facts only.

    Those with the same facts stand together, and a comment says where people decided differently.
    A rule that should have decided is then written until `leadgate test` passes.
    """
    with ledger_of(config) as (settings, ledger):
        decided = read_overridden(ledger, limit=limit)
    groups = gather_examples(decided)
    warnings = missing_facts(settings.policy.keep_facts, decided) or not_told_apart(groups)
    if as_json:
        examples = [example for group in groups for example in group.examples]
        contradictions = [group.names for group in groups if group.contradicts]
        say_json({"examples": examples, "contradictions": contradictions, "warnings": warnings})
        return
    for warning in warnings:
        warn(f"leadgate: {warning}")
    if groups:
        say_lines(_as_yaml(groups))
    else:
        say("Nobody has decided a review yet.")


@dataclass(slots=True)
class SameFacts:
    """Examples with the same facts; `verdicts` counts what people decided."""

    examples: list[dict[str, Any]] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def contradicts(self) -> bool:
        """Whether no rules can decide all of them as people did."""
        return len(self.verdicts) > 1

    @property
    def names(self) -> list[str]:
        """The names of the examples."""
        return [example["name"] for example in self.examples]

    @property
    def comment(self) -> str:
        """How people decided, as a comment of one line for YAML."""
        *others, last = (f"{count} {verdict}" for verdict, count in self.verdicts.items())
        facts = "the same facts" if self.examples[0]["given"] else "no facts at all"
        count = len(self.examples)
        return f"# These {count} contradict each other: {facts}, {', '.join(others)} and {last}.\n"


def gather_examples(decided: Sequence[Overridden]) -> list[SameFacts]:
    """Make an example of each decision of a person; group those with the same facts, late or not."""
    groups: dict[str, SameFacts] = {}
    for lead in decided:
        example = _example(lead)
        group = groups.setdefault(json.dumps(example["given"], sort_keys=True), SameFacts())
        group.examples.append(example)
        group.verdicts[lead.override.verdict.value] += 1
    return list(groups.values())


def missing_facts(keep_facts: Sequence[str], decided: Sequence[Overridden]) -> list[str]:
    """Warn if no example holds a fact, so that none says why people decided; empty if some do."""
    if not keep_facts:
        return [f"policy.keep_facts names no column, so examples cannot say why people decided. {_WRITE}"]
    if decided and not any(value is not None for lead in decided for value in lead.facts.values()):
        why = "the columns of policy.keep_facts had no value when they did, or were not kept yet"
        return [f"no example holds a fact, so none says why people decided: {why}. {_WRITE}"]
    return []


def not_told_apart(groups: Sequence[SameFacts]) -> list[str]:
    """Warn if people decided leads with the same facts differently: what they went by is not kept."""
    leads = sum(len(group.examples) for group in groups if group.contradicts)
    if not leads:
        return []
    return [f"{leads} examples contradict others with the same facts, so no rule can tell them apart. {_WRITE}"]


def _as_yaml(groups: Sequence[SameFacts]) -> str:
    """Write the examples, with a comment above those that contradict each other."""
    yaml = YAML(typ="safe", pure=True)
    # What a terminal would obey or hide is written as escapes.
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


def _example(lead: Overridden) -> dict[str, Any]:
    verdict = lead.override.verdict
    # `given` cannot hold a column whose name is one of its keys.
    given = {
        name: value for name, value in lead.facts.items() if value is not None and name not in GivenConfig.model_fields
    }
    return {
        "name": f"lead {lead.lead_id}"[:100],
        "given": given | ({"late": True} if lead.late else {}),
        "expect": {"verdict": (Verdict.HOLD if verdict is Resolution.WAIT else Verdict(verdict)).value},
    }
