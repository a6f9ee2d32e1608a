"""`leadgate init`: a commented pipeline file to start from, and its ledger."""

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from cli.output import reports_errors, say
from cli.schema import schema_text
from leadgate.errors import ConfigError
from leadgate.files import read_file, write_whole
from leadgate.wiring.identity import make_first_ledger


@reports_errors
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("leadgate.yaml"),
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented pipeline file, and make its ledger beside it; edit the file, then `leadgate check`.

    By leadgate.schema.json, which is written beside it too, an editor completes and checks the file while you type.

    The first pipeline that runs with the ledger takes its place there, as with `leadgate ledger create --first-time`.
    """
    is_new = not path.exists()
    if not (is_new or force):
        msg = f"{path}: is there already. Name another path, or --force to replace it."
        raise ConfigError(msg)
    write_whole(path, pipeline_template())
    # Its first line names this file: without it an editor would complain.
    write_whole(path.with_name("leadgate.schema.json"), schema_text(), keep_mode=True)
    # Beside another pipeline file a ledger may have been lost: then a person says so.
    made = is_new and not _others(path) and make_first_ledger(path)
    say(f"Wrote {path}{' and made its ledger' if made else ''}.")
    if not made:
        say("Its ledger: `leadgate ledger create`, with --first-time if leadgate has never acted on its leads.")
    say("Next: edit the file, export LEADBYTE_API_KEY and SOURCE_URL, then `leadgate check`.")


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
