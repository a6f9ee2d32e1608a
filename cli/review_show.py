"""`leadgate review show`: one lead's row, read live from the source, with the rules; nothing of it is kept."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import parse_id
from cli.output import ConfigOption, JsonOption, reports_errors, say


@reports_errors
def show_lead(
    lead_id: Annotated[str, typer.Argument(metavar="ID", parser=parse_id, help="The lead's quarantine id.")],
    *,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Show one lead as the source has it now: its row, the rules and why each fails, and what would be written.

    Nothing of it is kept, by the ledger or by Prefect.
    """
    say(f"{lead_id} {config} {as_json}")
