"""`leadgate forget`: erase what the ledger keeps of leads, but for what prevents a second act."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.choosing import IdsArgument, choose, warn_refused
from cli.output import ATTENTION, ConfigOption, JsonOption, reports_errors, say, say_json, stop
from leadgate.errors import ConfigError
from leadgate.ledger.claims import read_states
from leadgate.ledger.forgotten import forget as forget_lead
from leadgate.ledger.forgotten import read_forgotten
from leadgate.model import State
from leadgate.printable import on_one_line
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.reviews import named


@reports_errors
def forget(
    ids: IdsArgument = None,
    *,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Also ids that the ledger does not know: they are never registered.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it cannot be undone.")] = False,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Erase everything that the ledger keeps of leads, whatever their age; a hash of each id stays.

    By the hash a lead is never registered or acted on again. An id that the ledger does not know may be a slip: it is
    left unless you say --unknown. A lead that a run holds, or whose act is in doubt, is not forgotten yet: the command
    says when. If any was left, it exits with 1. The source and LeadByte are not changed.
    """
    with ledger_of(config) as (_, ledger):
        chosen = choose(ids, by_id=True).ids
        states = read_states(ledger, chosen)
        already = read_forgotten(ledger, chosen) - set(states)
        not_known = [lead_id for lead_id in chosen if lead_id not in states and lead_id not in already]
        left = [] if unknown else not_known
        meant = [lead_id for lead_id in chosen if lead_id not in already and lead_id not in left]
        if meant and not yes:
            _ask(meant, states)
        answers = {lead_id: forget_lead(ledger, lead_id) for lead_id in meant}
    not_yet = {lead_id: why for lead_id, why in answers.items() if why}
    done = [lead_id for lead_id in chosen if lead_id not in not_yet and lead_id not in left]
    if as_json:
        say_json({"forgotten": done, "unknown": not_known, "not_yet": not_yet})
    else:
        say(f"Leads that are forgotten: {len(done)}.")
        if done:
            say("Nothing but a hash of each id is kept: leadgate never registers or acts on them again.")
            say("What LeadByte, your database, logs and backups hold of them stays: erase it there as well.")
        if left:
            say(f"Left, since the ledger does not know them: {on_one_line(named(left))}. If it is no slip: --unknown.")
        warn_refused({on_one_line(lead_id): f"not forgotten yet: {why}" for lead_id, why in not_yet.items()})
    if not_yet or left:
        stop(ATTENTION)


def _ask(ids: Sequence[str], states: Mapping[str, State]) -> None:
    by_state: dict[str, list[str]] = {}
    for lead_id in ids:
        state = states[lead_id].value if lead_id in states else "not known to the ledger"
        by_state.setdefault(state, []).append(on_one_line(lead_id))
    listed = "; ".join(f"{named(of_state)}: {state}" for state, of_state in by_state.items())
    warning = (
        "This erases for ever what the ledger keeps of these leads, and leadgate never processes or rejects them: "
        f"{listed}"
    )
    if not sys.stdin.isatty():
        raise ConfigError(f"{warning}. Say that you mean it with --yes. Nothing was done")
    if not typer.confirm(f"{warning}. Go on?", err=True):
        raise ConfigError("nothing was done")
