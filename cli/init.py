"""`leadgate init`: a commented pipeline file to start from, and its ledger."""

import os
import re
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from cli.output import reports_errors, say
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
        msg = f"{path}: is a folder: name a file in it, such as {path / 'leadgate.yaml'}"
        raise ConfigError(msg)
    is_new = not path.exists()
    if not (is_new or force):
        msg = f"{path}: is there already. Name another path, or --force to replace it."
        raise ConfigError(msg)
    text, told, variable = (pipeline_template(), [], "SOURCE_URL") if from_url is None else _first_file(path, from_url)
    write_whole(path, text)
    # Its first line names this file: without it an editor would complain.
    write_whole(path.with_name("leadgate.schema.json"), schema_text(), keep_mode=True)
    # Beside another pipeline file a ledger may have been lost: then a person says so.
    made = is_new and not _others(path) and make_first_ledger(path)
    say(f"Wrote {path}{' and made its ledger' if made else ''}.")
    if not made:
        say("Its ledger: `leadgate ledger create`, with --first-time if leadgate has never acted on its leads.")
    for line in told:
        say(line)
    exported = " and ".join(filter(None, ("LEADBYTE_API_KEY", variable)))
    say(f"Next: edit the file, export {exported}, then `leadgate check`.")


def _first_file(path: Path, given: str) -> tuple[str, list[str], str | None]:
    """Guess a file from a database: its text, what to say of it, and the variable that holds the address, if one."""
    # Plain `init` needs no database, and starts faster without.
    from cli.first_file import list_doubts, list_guesses, write_first_file  # noqa: PLC0415
    from leadgate.source.survey import survey  # noqa: PLC0415

    named = re.fullmatch(r"\$\{([A-Za-z_]\w*)\}", given)
    address = os.environ.get(named[1]) if named else given
    if not address:
        msg = f"--from: the environment variable {named[1] if named else 'SOURCE_URL'} is not set: export it first"
        raise ConfigError(msg)
    try:
        check_address(address)
        surveyed = survey(address, path.resolve().parent)
    except ValueError as error:
        msg = f"--from: the address {error}"
        raise ConfigError(msg) from None
    except SourceError as error:
        raise type(error)(_as_option(str(error))) from None
    variable = named[1] if named else None if _is_without_secrets(address) else "SOURCE_URL"
    told = [
        "Guessed from the names and types of its tables:",
        *(f"  {line}" for line in list_guesses(surveyed.guessed)),
    ]
    told += ["Look at:", *(f"  {line}" for line in list_doubts(surveyed))]
    return (
        write_first_file(f"${{{variable}}}" if variable else address, surveyed.guessed, surveyed.forms),
        told,
        variable,
    )


def _as_option(message: str) -> str:
    """What the source says of the address in a pipeline file, said of one that was typed: there is no file yet."""
    for of_a_file, typed in _TYPED.items():
        message = message.replace(of_a_file, typed)
    return message


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


def _others(path: Path) -> list[Path]:
    """Other pipeline files in the folder, whose ledger would be the same."""
    files = (file for file in path.resolve().parent.glob("*.y*ml") if file != path.resolve())
    return [file for file in files if _names_pipeline(file)]


def _names_pipeline(file: Path) -> bool:
    try:
        return "pipeline:" in read_file(file, missing="")
    except ConfigError:  # something else than a text, or of somebody else
        return False


def pipeline_template() -> str:
    """Give the text of the commented pipeline file."""
    return resources.files("cli").joinpath("leadgate.template.yaml").read_text(encoding="utf-8")
