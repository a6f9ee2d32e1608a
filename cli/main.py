"""The `leadgate` command: one file a verb; Prefect is imported only by the verbs that run a flow."""

import atexit
import gc
import os
import signal
import sys
from importlib import metadata
from typing import Annotated, NoReturn

import typer

from cli.output import ATTENTION, say, warn
from cli.verbs import Verbs

app = typer.Typer(
    name="leadgate",
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Leads wait at a gate. When their enrichment arrives they are updated and let through, or turned away, "
        "once, for a reason that can be read later.\n\n"
        "New here? `leadgate demo` shows the whole way on a practice LeadByte; `leadgate init` writes a pipeline "
        "file; `leadgate check`, `plan` and `run` take it from there."
    ),
)


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        say(f"leadgate {metadata.version('leadgate')}")
        raise typer.Exit


@app.callback()
def leadgate(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Say which leadgate this is.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Say what it is; the verbs are in verbs.py."""


def main() -> None:
    """Run the command line; what nobody foresaw ends with one line too, and a way to see where it happened."""
    signal.signal(signal.SIGTERM, _interrupt)
    # Loading modules makes no garbage, but many objects: looking for it among them, while they are loaded and once more
    # at the end, takes a sixth of what a short verb does.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    try:
        app(prog_name="leadgate")
    except Exception as error:  # the edge of the program
        if os.environ.get("LEADGATE_TRACEBACK"):
            raise
        warn(f"leadgate: unexpected {type(error).__name__}: {error}")
        warn("This is a defect of leadgate. LEADGATE_TRACEBACK=1 shows where; the ledger is safe, run again to go on.")
        sys.exit(ATTENTION)


def _interrupt(*_: object) -> NoReturn:
    """Let SIGTERM end a verb as Ctrl-C does: what it started is stopped, and it says that nothing is lost."""
    raise KeyboardInterrupt
