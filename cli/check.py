"""`leadgate check`: every fault of the file's form, or else of all that it names, before anything is read or sent."""

from pathlib import Path
from typing import Annotated

import typer

from cli.blocks import read_block
from cli.options import TypesOption
from cli.output import (
    ATTENTION,
    FINE,
    ConfigOption,
    JsonOption,
    exit_code,
    reports_errors,
    say,
    say_json,
    stop,
    warn,
    warn_lines,
)
from leadgate.errors import ConfigError, problems_of
from leadgate.open_server import find_open_server, find_refusal
from leadgate.prefect_settings import find_server
from leadgate.sign_of_life import now_doing
from leadgate.wiring.checks import check_offline, check_pipeline


@reports_errors
def check(
    *,
    config: ConfigOption = Path("leadgate.yaml"),
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the file alone: no key, source or ledger is needed.")
    ] = False,
    write_types: Annotated[
        Path | None, typer.Option(help="Write the source's columns and their types to this file.", metavar="FILE")
    ] = None,
    types: TypesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the file, its rules against the source's real columns, the ledger, and LeadByte's key and address.

    Also reports how arrivals will be detected, what some of the rows would do to a run, and whether a Prefect server
    that is configured wants another password. Nothing is changed anywhere: LeadByte is asked to update an empty list of
    leads. With --offline nobody is asked anything.
    """
    if offline and write_types:
        raise ConfigError("--write-types asks the source which columns it has: leave out --offline")
    checked = (
        check_offline(config, types)
        if offline
        else check_pipeline(config, read_block, types=types, write_types_to=write_types)
    )
    errors, advice, warnings, in_the_clear, types_of = checked
    now_doing("Asking the Prefect server who may use it")
    server = None if offline else find_server()
    if server and (is_open := find_open_server(server)):
        advice.append(is_open)
    if server and (refusal := find_refusal(server)):
        errors.append(refusal)
    problems = [problem for error in errors for problem in problems_of(error)]
    if in_the_clear:
        warn(f"leadgate: {in_the_clear}")
    if as_json:
        advice += [in_the_clear] if in_the_clear else []
        say_json({"ok": not problems and not warnings, "problems": problems, "warnings": warnings, "advice": advice})
    else:
        for warning in warnings:
            say(f"warning: {warning}")
        if not problems and not warnings:
            say(
                f"{config}: the file alone is well, by the types of {types_of}. `leadgate check` tries all the rest."
                if offline
                else f"{config}: all is well. `leadgate plan` shows what a run would do."
            )
        for advised in advice:
            say(f"  {advised}")
    for problem in problems:
        warn_lines(f"leadgate: {problem}")
    stop(max(map(exit_code, errors), default=ATTENTION if warnings else FINE))
