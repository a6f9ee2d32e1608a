"""`leadgate check`: every fault of a pipeline at once, before anything is read or sent."""

from pathlib import Path

from cli.blocks import read_block
from cli.output import FINE, WRONG, ConfigOption, JsonOption, reports_errors, say, say_json, stop, warn
from leadgate.wiring.checks import check_pipeline


@reports_errors
def check(*, config: ConfigOption = Path("leadgate.yaml"), as_json: JsonOption = False) -> None:
    """Check the file, its rules against the source's real columns, the ledger, and LeadByte's key and address.

    How arrivals will be found is said too. Nothing is changed anywhere: LeadByte is asked to update an empty list
    of leads.
    """
    problems, advice = check_pipeline(config, read_block)
    if as_json:
        say_json({"ok": not problems, "problems": problems, "advice": advice})
    elif not problems:
        say(f"{config}: all is well. `leadgate plan` shows what a run would do.")
        for advised in advice:
            say(f"  {advised}")
    for problem in problems:
        warn(f"leadgate: {problem}")
    stop(WRONG if problems else FINE)
