"""`leadgate init`: a commented pipeline file to start from, and its ledger."""

import os
import re
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from cli.output import reports_errors, say, say_each
from cli.schema import schema_text
from leadgate.addresses import check_address, parse_address
from leadgate.errors import ConfigError, SourceError
from leadgate.files import read_file, write_whole
from leadgate.wiring.identity import make_first_ledger


@reports_errors
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("leadgate.yaml"),
    *,
    from_url: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL",
            help="Guess tables and columns from this database: an address, or '${NAME}' of a variable that holds one.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented pipeline file, and make its ledger beside it; edit the file, then `leadgate check`.

    By leadgate.schema.json, which is written beside it too, an editor completes and checks the file while you type.

    The first pipeline that runs with the ledger takes its place there, as with `leadgate ledger create --first-time`.
    """
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder: name a file in it, such as {path / 'leadgate.yaml'}")
    is_new = not path.exists()
    if not (is_new or force):
        raise ConfigError(f"{path}: is there already. Name another path, or --force to replace it.")
    text, notes, variable = (pipeline_template(), [], "SOURCE_URL") if from_url is None else _first_file(path, from_url)
    write_whole(path, text)
    # Its first line names this file: without it an editor would complain.
    write_whole(path.with_name("leadgate.schema.json"), schema_text(), keep_mode=True)
    # Beside another pipeline file a ledger may have been lost: then a person says so.
    other = _other_beside(path)
    made = is_new and not other and make_first_ledger(path)
    say(f"Wrote {path}{' and made its ledger' if made else ''}.")
    if not made:
        why = f" was not made, since {other} is a pipeline file too, and may have one" if other else ""
        say(f"Its ledger{why}: `leadgate ledger create`, with --first-time if leadgate has never acted on its leads.")
    say_each(notes)
    exported = " and ".join(filter(None, ("LEADBYTE_API_KEY", variable)))
    say(f"Next: edit the file, export {exported}, {'' if made else 'make the ledger, '}then `leadgate check`.")


def _first_file(path: Path, from_url: str) -> tuple[str, list[str], str | None]:
    """Guess a file from a database: its text, notes to print, and the variable that holds the address, if any."""
    # Plain `init` needs no database, and starts faster without.
    from cli.first_file import list_doubts, list_guesses, write_first_file  # noqa: PLC0415
    from leadgate.source.survey import survey  # noqa: PLC0415

    named = re.fullmatch(r"\$\{([A-Za-z_]\w*)\}", from_url)
    variable = named[1] if named else "SOURCE_URL"
    address = os.environ.get(variable) if named else from_url
    if not address:
        raise ConfigError(f"--from: the environment variable {variable} is not set: export it first")
    try:
        check_address(address)
        surveyed = survey(address, path.resolve().parent)
    except ValueError as error:
        raise ConfigError(f"--from: the address {error}") from None
    except SourceError as error:
        message = str(error)  # it speaks of a pipeline file, which there is not yet
        for of_a_file, typed in _TYPED.items():
            message = message.replace(of_a_file, typed)
        raise type(error)(message) from None
    notes = ["Guessed from the names and types of its tables:"]
    notes += [f"  {line}" for line in list_guesses(surveyed.guessed)]
    notes += ["Look at:", *(f"  {line}" for line in list_doubts(surveyed))]
    if not named and _is_without_secrets(address):
        return write_first_file(address, surveyed.guessed, surveyed.forms), notes, None
    return write_first_file(f"${{{variable}}}", surveyed.guessed, surveyed.forms), notes, variable


_TYPED = {
    "source.url": "--from",
    "the next run tries again": "then type the command again",
    "Compare the pipeline file with the database, and see that its user may SELECT; `leadgate check` looks again": (
        "Name another database, or see that its user may SELECT"
    ),
}


def _is_without_secrets(address: str) -> bool:
    """Whether an address may stand in a file: that of a SQLite file, without options, which may hold anything."""
    url = parse_address(address)
    return url.get_backend_name() == "sqlite" and not (url.query or url.username or url.password or url.host)


def _other_beside(path: Path) -> str | None:
    """The name of another pipeline file in the folder, whose ledger would be the same; None if there is none."""
    for file in sorted(path.resolve().parent.glob("*.y*ml")):
        with suppress(ConfigError):  # not a text, or not readable
            if file != path.resolve() and "pipeline:" in read_file(file, missing=""):
                return file.name
    return None


def pipeline_template() -> str:
    """Give the text of the commented pipeline file."""
    return resources.files("cli").joinpath("leadgate.template.yaml").read_text(encoding="utf-8")
