"""The `leadgate` command: one file a verb; Prefect is imported only by the verbs that run a flow."""

import atexit
import gc
import os
import signal
import sys
from importlib import metadata
from io import StringIO
from typing import Annotated, Any, NoReturn

import typer

from cli.output import ATTENTION, WRONG, complain, say, say_json, warn_lines
from cli.verbs import Verbs
from leadgate.unexpected import shows_tracebacks, unexpected

app = typer.Typer(
    name="leadgate",
    cls=Verbs,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    rich_markup_mode=None,
    help=(
        "Leads wait at a gate. When their enrichment arrives they are updated and let through, or turned away, "
        "once, for a reason that can be read later.\n\n"
        "New here? `leadgate demo` shows the whole way on a practice LeadByte; `leadgate init` writes a pipeline "
        "file; `leadgate check`, `plan` and `run` take it from there."
    ),
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - as typer calls it
    if wanted:
        say(f"leadgate {metadata.version('leadgate')}")
        raise typer.Exit


@app.callback()
def leadgate(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Say which leadgate this is.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Say what it is; the verbs are in verbs.py."""


_WRONG_USE: Any = typer.BadParameter.__mro__[2]
"""ClickException: of click, or of the copy that typer has of it, which has no public name."""


def main() -> None:
    """Run the command line; an unforeseen error is one line too, which says how to see its traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    # Loading modules makes many objects and no garbage: collecting meanwhile, and once more at the end, takes a sixth
    # of a short verb's time.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    as_json = "--json" in sys.argv
    try:
        sys.exit(app(prog_name="leadgate", standalone_mode=False))
    except _WRONG_USE as error:
        if as_json:
            say_json({"error": error.format_message(), "problems": [error.format_message()]})
        shown = StringIO()
        error.show(shown)
        warn_lines(shown.getvalue().rstrip().expandtabs(2))
        sys.exit(WRONG)
    except typer.Abort:
        sys.exit(ATTENTION)
    except BrokenPipeError:
        # Whoever read the output has had enough, such as `head`; what Python would say of it at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ATTENTION)
    except Exception as error:  # the edge of the program
        if shows_tracebacks():
            raise
        complain(unexpected(error), as_json=as_json)
        sys.exit(ATTENTION)


def _interrupt(*_: object) -> NoReturn:
    """Let SIGTERM end a verb as Ctrl-C does: it stops what it started, and prints that nothing is lost."""
    raise KeyboardInterrupt
