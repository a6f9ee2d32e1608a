"""Options that several verbs share, how they are read, and who sits at the keyboard."""

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


ShowOption = Annotated[int, typer.Option(help="How many leads to list.", min=0)]
LimitOption = Annotated[
    int | None, typer.Option(help="How many leads to list.", min=0, show_default="20, with --json all")
]
DEFAULT_LIMIT = 20


def duration(text: str) -> timedelta:
    """Read an option such as 12h or 30d."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_id(text: str) -> str:
    """Read an id as it is kept, without the invisible characters that copying brings along."""
    lead_id = normal_id(text)
    if lead_id is None:
        raise typer.BadParameter(
            "no lead has such an id: it is empty, longer than 200 characters, or holds what is no text"
        )
    return lead_id


LeadIdArgument = Annotated[str, typer.Argument(metavar="ID", parser=parse_id, help="The lead's quarantine id.")]
SinceOption = Annotated[timedelta, typer.Option(help="How far back (12h, 30d).", parser=duration, metavar="DURATION")]


def at_keyboard() -> str:
    """Give the login and the machine, by the system: an environment variable could be set to any name."""
    try:
        import pwd  # noqa: PLC0415 - there is none on Windows

        login = pwd.getpwuid(os.getuid()).pw_name
    except ImportError:
        login = getpass.getuser()
    except KeyError:  # a container may run as a number that has no name
        login = str(os.getuid())
    return f"login {login} on {socket.gethostname()}"


def whoever(by: str | None) -> str:
    """Give the name typed with --by, or the login name; raise ConfigError if there is neither."""
    try:
        return getpass.getuser() if by is None else by
    except (OSError, KeyError, ImportError):
        raise ConfigError("nobody is logged in here: say who decides with --by NAME") from None
