"""What the command prints: plain text for people, one JSON object for machines; and exit codes.

0 is fine, 1 means that something needs attention, 2 is wrong use or configuration.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec

import typer

from leadgate.errors import (
    BlockUnavailable,
    LeadByteError,
    LeadgateError,
    LedgerUnavailable,
    PrefectServerError,
    SourceUnavailable,
    UnexpectedError,
    problems_of,
)
from leadgate.printable import on_one_line, on_their_lines
from leadgate.readable import span
from leadgate.sign_of_life import end_sign

FINE, ATTENTION, WRONG = 0, 1, 2

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The pipeline file.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

P = ParamSpec("P")


def say(text: str = "") -> None:
    """Print a text as one line on standard output; a terminal obeys nothing in it."""
    _echo(on_one_line(text))


def say_each(texts: Iterable[str]) -> None:
    """Print each text as one line on standard output."""
    for text in texts:
        say(text)


def say_lines(text: str) -> None:
    """Print a text of several lines on standard output."""
    _echo(on_their_lines(text))


def warn(text: str) -> None:
    """Print a text as one line on standard error."""
    _echo(on_one_line(text), err=True)


def warn_lines(text: str) -> None:
    """Print a text of several lines, such as a rule with a mark under its fault, on standard error."""
    _echo(on_their_lines(text), err=True)


def warn_in_the_clear(base_url: str) -> None:
    """Warn if the key is sent unencrypted to another machine."""
    from leadgate.config import about_the_clear  # noqa: PLC0415 - the list of verbs does without

    if warning := about_the_clear(base_url):
        warn(f"leadgate: {warning}")


def say_json(document: Any) -> None:  # noqa: ANN401
    """Print one JSON object on standard output, in ASCII: a terminal obeys nothing in it."""
    _echo(json.dumps(document, default=str))


def _echo(text: str, *, err: bool = False) -> None:
    end_sign()
    typer.echo(text, err=err)


def stop(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(code)


def end_at_once(code: int) -> NoReturn:
    """End the process with an exit code, and wait for no thread of it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def reports_errors(verb: Callable[P, None]) -> Callable[P, None]:
    """Make a verb end with one clear message and the right exit code instead of a traceback."""

    @wraps(verb)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except LeadgateError as error:
            complain(error, as_json=bool(kwargs.get("as_json")))
            stop(exit_code(error))
        except KeyboardInterrupt:
            interrupted = LeadgateError("interrupted; nothing is lost, run again to go on.")
            complain(interrupted, as_json=bool(kwargs.get("as_json")))
            stop(ATTENTION)

    return wrapped


def complain(error: LeadgateError, *, as_json: bool) -> None:
    """Print an error on standard error, and with `as_json` on standard output too."""
    problems = problems_of(error)
    if as_json:
        say_json({"error": str(error), "problems": problems})
    for problem in problems:
        warn_lines(f"leadgate: {problem}")


def exit_code(error: LeadgateError) -> int:
    """Give 2 for an error that the user must put right, 1 for one that passes or needs a look."""
    passing = isinstance(
        error,
        BlockUnavailable | SourceUnavailable | LedgerUnavailable | LeadByteError | PrefectServerError | UnexpectedError,
    )
    return ATTENTION if passing else WRONG


def ago(instant: datetime | None, now: datetime) -> str:
    """Say how long ago an instant was."""
    return "never" if instant is None else f"{span(now - instant)} ago"


def clock_time(instant: datetime | None) -> str:
    """Write an instant for a list of events, in UTC, to the millisecond."""
    return "-" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S}.{instant.microsecond // 1000:03d}Z"
