"""`leadgate install-outbox`: triggers in the source that write down each change, shown, run or taken out again."""

from pathlib import Path
from typing import Annotated

import typer

from cli.blocks import read_block
from cli.output import ConfigOption, JsonOption, reports_errors, say, say_json
from leadgate.errors import ConfigError
from leadgate.source.outbox_install import Script, run_installation, run_removal, write_installation, write_removal
from leadgate.wiring.pipeline import read_pipeline_file


@reports_errors
def install_outbox(
    *,
    config: ConfigOption = Path("leadgate.yaml"),
    show: Annotated[
        bool, typer.Option("--print", help="Print the SQL and change nothing, as without options.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Run the SQL as the user of source.url.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take it out again; with --print show how.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let the source tell which leads have changed, by triggers that write their ids into the table leadgate_outbox.

    Arrivals are then found at once and none is missed, however late it is committed. docs/outbox.md says what it costs.
    """
    if apply and (show or remove):
        msg = "install-outbox: --apply goes with neither --print nor --remove: give one of them"
        raise ConfigError(msg)
    settings, base_dir = read_pipeline_file(config, read_block), config.resolve().parent
    if remove:
        script = (write_removal if show else run_removal)(settings, base_dir=base_dir)
    else:
        script = (run_installation if apply else write_installation)(settings, base_dir=base_dir)
    did = "removed" if remove and not show else "applied" if apply else "printed"
    if as_json:
        document = {"pipeline": settings.pipeline, "did": did, "statements": script.statements, "grants": script.grants}
        say_json(document)
    elif did == "printed":
        say(script.text.rstrip())
    else:
        _tell(settings.pipeline, did, script)


def _tell(pipeline: str, did: str, script: Script) -> None:
    triggers = ", ".join(trigger.name for trigger in script.sql.triggers())
    table = script.sql.outbox
    if did == "removed":
        say(f"Pipeline {pipeline} fills the outbox no more: its triggers and its rows in {table} are gone.")
        say(f"The table is left for other pipelines. When none fills it: DROP TABLE {table};")
        return
    if not script.statements:
        say(f"The outbox of pipeline {pipeline} was there already, as it should be; nothing was changed.")
    else:
        say(f"The outbox of pipeline {pipeline} is installed: table {table}, triggers {triggers}.")
    for grant in script.grants:
        say(f"A run that connects as another user needs: {grant.rpartition(' TO ')[0]} TO that user;")
