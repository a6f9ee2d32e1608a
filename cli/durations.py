"""Options that are spans of time, written as in the pipeline file."""

from datetime import timedelta

import typer

from leadgate.config import parse_duration


def duration(text: str) -> timedelta:
    """Read an option such as 12h or 30d."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
