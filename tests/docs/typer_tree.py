"""The command line as it is: every verb with its options, and whether words can be typed as they stand."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import typer

from cli.main import app

_ROOT: Any = typer.main.get_command(app)


@cache
def verbs() -> dict[str, Any]:
    """Every verb that does something, with its sub-verbs: the words to type, and the command."""
    return dict(_walk(_ROOT, ""))


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own click
    if not hasattr(command, "list_commands"):
        yield name, command
        return
    context = typer.Context(command)
    for word in command.list_commands(context):
        yield from _walk(command.get_command(context, word), f"{name} {word}".strip())


def options(command: Any) -> dict[str, str]:  # noqa: ANN401 - typer's own click
    """What a verb takes, in order: `--out`, or `LEAD_ID` where its place says it; and the help of each."""
    found = {}
    for each in command.params:
        name = ", ".join(each.opts) if each.param_type_name == "option" else each.name.upper()
        found[name] = each.help
    return found


def refusal(words: Sequence[str], *, is_whole: bool = True, root: Any = _ROOT) -> str | None:  # noqa: ANN401
    """Why the command would refuse these words; None where it would not. Nothing is run.

    Where they are not the whole of what is typed, an argument may be missing.
    """
    at, rest = root, list(words)
    while rest and rest[0] != "--help" and hasattr(at, "list_commands"):
        if any(rest[0] in own.opts for own in at.params):
            return None
        word = rest.pop(0)
        at = at.get_command(typer.Context(at), word)
        if at is None:
            return f"there is no verb {word!r}"
    if hasattr(at, "list_commands") or rest[:1] == ["--help"]:
        return None
    try:
        with at.make_context("leadgate", rest):
            return None
    except Exception as error:  # noqa: BLE001 - typer carries a click of its own, and may change it
        told = getattr(error, "message", str(error)) or type(error).__name__
        return told if is_whole or not re.search(r"MissingParameter|requires an argument", told) else None
