"""`leadgate retry`: retry parked leads."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import parse_id
from cli.output import ConfigOption, JsonOption, reports_errors, say, say_json
from leadgate.errors import ConfigError
from leadgate.ledger.people import retry_failed
from leadgate.printable import on_one_line
from leadgate.readable import counted
from leadgate.wiring.ledger import ledger_of


@reports_errors
def retry(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", parser=parse_id, help="Quarantine ids of parked leads.")
    ] = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Every parked lead.")] = False,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Retry leads that were parked as failed, with all their attempts; the next run decides them anew.

    A lead is parked only when LeadByte provably did not act on it, so this never acts on one twice.
    """
    if bool(ids) == failed:
        raise ConfigError("retry: name the leads, or --failed for every one that is parked")
    with ledger_of(config) as (_, ledger):
        retried = retry_failed(ledger, ids or None, now=ledger.now())
    others = sorted(set(ids or ()) - set(retried))
    if others:
        named = ", ".join(map(on_one_line, others))
        raise ConfigError(
            f"retry: not parked as failed: {named}. `leadgate explain ID` says where each is."
            + (f" {counted(len(retried), 'other is', 'others are')} retried." if retried else "")
        )
    if as_json:
        say_json({"retried": retried})
    else:
        say(f"Leads that the next run retries: {len(retried)}.")
