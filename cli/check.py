"""`leadgate check`: every fault of a pipeline at once, before anything is read or sent."""

from pathlib import Path

from cli.blocks import read_block
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
from leadgate.errors import problems_of
from leadgate.open_server import find_open_server
from leadgate.prefect_settings import find_server
from leadgate.wiring.checks import check_pipeline


@reports_errors
def check(*, config: ConfigOption = Path("leadgate.yaml"), as_json: JsonOption = False) -> None:
    """Check the file, its rules against the source's real columns, the ledger, and LeadByte's key and address.

    How arrivals will be found is said too, and what some of the rows would do to a run. Nothing is changed:
    LeadByte is asked to update an empty list of leads.
    """
    errors, advice, warnings, in_the_clear = check_pipeline(config, read_block)
    problems = [problem for error in errors for problem in problems_of(error)]
    if (server := find_server()) and (is_open := find_open_server(server)):
        advice.append(is_open)
    if in_the_clear:
        warn(f"leadgate: {in_the_clear}")
    if as_json:
        advice += [in_the_clear] if in_the_clear else []
        say_json({"ok": not problems and not warnings, "problems": problems, "warnings": warnings, "advice": advice})
    else:
        for warning in warnings:
            say(f"warning: {warning}")
        if not problems and not warnings:
            say(f"{config}: all is well. `leadgate plan` shows what a run would do.")
        for advised in advice:
            say(f"  {advised}")
    for problem in problems:
        warn_lines(f"leadgate: {problem}")
    stop(max(map(exit_code, errors), default=ATTENTION if warnings else FINE))
