"""Who sits at the keyboard: the name that a decision or a pause is recorded under."""

import getpass
from typing import Annotated

import typer

from leadgate.errors import ConfigError

ByOption = Annotated[str | None, typer.Option("--by", help="Who says so.", show_default="the login name")]


def whoever(by: str | None) -> str:
    """Give the name that was given, or the login name; raise ConfigError where there is neither."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        msg = "nobody is logged in here: say who decides with --by NAME"
        raise ConfigError(msg) from None
