"""`leadgate forget`: erase what the ledger keeps of one lead, but for what prevents a second act."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.options import parse_id
from cli.output import ATTENTION, ConfigOption, JsonOption, reports_errors, say, say_json, stop, warn
from leadgate.errors import ConfigError
from leadgate.ledger import forgetting
from leadgate.ledger.forgotten import read_forgotten
from leadgate.model import FINAL_STATES, State
from leadgate.printable import on_one_line
from leadgate.wiring.ledger import history_of, ledger_of


@reports_errors
def forget(
    lead_id: Annotated[str, typer.Argument(metavar="ID", parser=parse_id, help="The lead's quarantine id.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it cannot be undone.")] = False,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Erase everything that the ledger keeps of one lead, whatever its age; a hash of its id stays.

    By the hash the lead is never registered or acted on again. A lead that a run holds, or whose act is in doubt, is
    not forgotten yet: the command says when, and ends with 1. The source and LeadByte are not changed.
    """
    shown = on_one_line(lead_id)
    with ledger_of(config) as (settings, ledger):
        why_not = None
        if not read_forgotten(ledger, [lead_id]):
            state = State(history_of(config, settings, ledger, lead_id).entry["state"])
            if not yes:
                _ask(shown, state)
            why_not = forgetting.forget(ledger, lead_id)
    if as_json:
        say_json({"lead_id": lead_id, "forgotten": why_not is None, "not_yet": why_not})
    elif why_not is None:
        say(f"Lead {shown} is forgotten: nothing but a hash of its id is kept. It is never acted on again.")
    else:
        warn(f"leadgate: lead {shown} is not forgotten yet: {why_not}.")
    if why_not is not None:
        stop(ATTENTION)


def _ask(shown: str, state: State) -> None:
    told = f"Lead {shown} is {state}. Everything that the ledger keeps of it would be erased"
    if state not in FINAL_STATES:
        told += ", and leadgate would never act on it"
    if not sys.stdin.isatty():
        msg = f"{told}: say that you mean it with --yes. Nothing was done"
        raise ConfigError(msg)
    if not typer.confirm(f"{told}. Go on?", err=True):
        msg = "nothing was done"
        raise ConfigError(msg)
