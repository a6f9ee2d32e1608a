"""`leadgate review examples`: what people have decided, as examples for the pipeline file."""

import io
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from cli.output import ConfigOption, JsonOption, reports_errors, say, say_json, say_lines
from leadgate.ledger.reviews import read_overridden
from leadgate.model import Overridden, Resolution, Verdict
from leadgate.wiring.ledger import ledger_of


@reports_errors
def list_examples(
    *,
    limit: Annotated[int, typer.Option(help="How many at most, the newest first.", min=1)] = 100,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Print what people have decided as `examples:` to paste into the pipeline file: kept facts only.

    A rule that should have decided is then written until `leadgate test` passes.
    """
    with ledger_of(config) as (_, ledger):
        found = [_example(each) for each in read_overridden(ledger, limit=limit)]
    if as_json:
        say_json({"examples": found})
    elif found:
        text = io.StringIO()
        yaml = YAML(typ="safe", pure=True)
        yaml.allow_unicode = str(found).isprintable()  # else what a terminal would obey or hide is written as escapes
        yaml.default_flow_style = False
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        yaml.dump({"examples": found}, text)
        say_lines(text.getvalue().rstrip())
    else:
        say("Nobody has decided a review yet.")


def _example(found: Overridden) -> dict[str, Any]:
    verdict = Verdict.HOLD if found.override.verdict is Resolution.WAIT else Verdict(found.override.verdict)
    given = {name: value for name, value in found.facts.items() if value is not None}
    return {
        "name": f"lead {found.lead_id}"[:100],
        "given": given | ({"late": True} if found.late else {}),
        "expect": {"verdict": verdict.value},
    }
