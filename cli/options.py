"""How several verbs read what is typed: spans of time as in the pipeline file, and who sits at the keyboard."""

import getpass
import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from leadgate.config import parse_duration
from leadgate.errors import ConfigError
from leadgate.model import normal_id

ByOption = Annotated[
    str | None, typer.Option("--by", help="Your name, recorded with your login.", show_default="the login name")
]
TypesOption = Annotated[
    Path | None,
    typer.Option(
        "--types", help="The file of the columns' types.", show_default="leadgate.types.yaml beside leadgate.yaml"
    ),
]


def duration(text: str) -> timedelta:
    """Read an option such as 12h or 30d."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_id(text: str) -> str:
    """Read an id as it is kept: what cannot be seen comes along where it is copied."""
    found = normal_id(text)
    if found is None:
        msg = "no lead has such an id: it is empty, longer than 200 characters, or holds what is no text"
        raise typer.BadParameter(msg)
    return found


def at_keyboard() -> str:
    """Say which login of which machine types: by the system, as a variable could be set to any name."""
    try:
        import pwd  # noqa: PLC0415 - there is none on Windows

        login = pwd.getpwuid(os.getuid()).pw_name
    except ImportError:
        login = getpass.getuser()
    except KeyError:  # a container may run as a number that has no name
        login = str(os.getuid())
    return f"login {login} on {socket.gethostname()}"


def whoever(by: str | None) -> str:
    """Give the name that was given, or the login name; raise ConfigError where there is neither."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        msg = "nobody is logged in here: say who decides with --by NAME"
        raise ConfigError(msg) from None
