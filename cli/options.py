"""How several verbs read what is typed: spans of time as in the pipeline file, and who sits at the keyboard."""

import getpass
from datetime import timedelta
from typing import Annotated

import typer

from leadgate.config import parse_duration
from leadgate.errors import ConfigError

ByOption = Annotated[str | None, typer.Option("--by", help="Who says so.", show_default="the login name")]


def duration(text: str) -> timedelta:
    """Read an option such as 12h or 30d."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def whoever(by: str | None) -> str:
    """Give the name that was given, or the login name; raise ConfigError where there is neither."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        msg = "nobody is logged in here: say who decides with --by NAME"
        raise ConfigError(msg) from None
