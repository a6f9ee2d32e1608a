"""`leadgate ledger`: a person makes the ledger, once, and says what happened to it."""

from pathlib import Path
from typing import Annotated

import typer

from cli.blocks import read_block
from cli.output import ConfigOption, reports_errors, say
from leadgate.errors import ConfigError
from leadgate.wiring.identity import create_ledger, note_older_copy, rebind_ledger

ledger = typer.Typer(
    name="ledger",
    help="Make the ledger, once; say that an older copy was put back, or that an address has moved.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

FirstTime = Annotated[
    bool,
    typer.Option("--first-time", help="leadgate has never acted on these leads: none is held back until it is proved."),
]
SameAccount = Annotated[
    bool,
    typer.Option("--same-account", help="The file's address is of the same LeadByte account, with the same leads."),
]


@ledger.command(short_help="make the ledger, or add the pipeline to it")
@reports_errors
def create(*, first_time: FirstTime = False, config: ConfigOption = Path("leadgate.yaml")) -> None:
    """Make the ledger that the file names, or add the file's pipeline to a ledger that is there; no run does.

    Without --first-time, leads older than the ledger count as maybe acted on, by a ledger that was lost: they are
    decided as usual, and acted on only when evidence shows that they were not.
    """
    made = create_ledger(config, first_time=first_time)
    whose = ", ".join(
        [f"account {made.account or 'of its block'}", f"source {made.source or 'as its first run finds'}"]
    )
    say(f"The ledger of {config} has the pipeline {made.pipeline} now: {whose}.")
    if made.may_have_acted_before:
        say("Leads quarantined before this moment count as maybe acted on, and wait for evidence.")


@ledger.command(short_help="say that an older copy of the ledger was put back")
@reports_errors
def restored(*, config: ConfigOption = Path("leadgate.yaml")) -> None:
    """Say that an older copy of the ledger was put back: acts may be missing from it.

    Every lead that is not settled, and every older one that is registered later, counts as maybe acted on: it is
    decided as usual, and acted on only when evidence shows that it was not.
    """
    pipeline, leads, others = note_older_copy(config)
    say(f"{pipeline}: {leads} lead{'s' if leads != 1 else ''} now wait{'' if leads != 1 else 's'} for evidence.")
    if others:
        say(f"The ledger has other pipelines too; type it for each of their files: {', '.join(others)}.")


@ledger.command(short_help="say that the account or the source has a new address")
@reports_errors
def rebind(*, same_account: SameAccount = False, config: ConfigOption = Path("leadgate.yaml")) -> None:
    """Write down the account and the source that the file names now, for a pipeline that has moved.

    The source is opened and LeadByte is shown the key first. A rehearsal, or another account, needs its own ledger.
    """
    if not same_account:
        raise ConfigError(
            "ledger rebind: say --same-account if the file's address is of the same LeadByte account, with the same "
            "leads. Another account, or a rehearsal, needs a ledger of its own: write another `ledger.url`."
        )
    before, now = rebind_ledger(config, read_block)
    if before == now:
        say(f"The ledger has this account and source already: account {now.account}, source {now.source}.")
        return
    say(f"It was account {before.account}, source {before.source}; it is account {now.account}, source {now.source}.")
