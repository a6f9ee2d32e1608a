"""`leadgate review examples`: what people have decided, as `examples:` to paste into the pipeline file."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import ConfigOption, JsonOption, reports_errors, say, say_json, say_lines, warn
from cli.people_examples import gather_examples, missing_facts, write_examples
from leadgate.ledger.reviews import read_overridden
from leadgate.wiring.ledger import ledger_of


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
        found = read_overridden(ledger, limit=limit)
    warnings, groups = missing_facts(settings.policy.keep_facts, found), gather_examples(found)
    if as_json:
        examples = [example for group in groups for example in group.examples]
        contradictions = [group.names for group in groups if group.contradicts]
        say_json({"examples": examples, "contradictions": contradictions, "warnings": warnings})
        return
    for warning in warnings:
        warn(f"leadgate: {warning}")
    if groups:
        say_lines(write_examples(groups))
    else:
        say("Nobody has decided a review yet.")
