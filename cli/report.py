"""`leadgate report`: one HTML page about a pipeline, from the ledger alone."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.options import duration
from cli.output import ConfigOption, JsonOption, reports_errors, say, say_json
from leadgate.report import read_facts, write_report
from leadgate.wiring.ledger import ledger_of


@reports_errors
def report(
    *,
    config: ConfigOption = Path("leadgate.yaml"),
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("report.html"),
    since: Annotated[
        timedelta, typer.Option(help="How far back to look (12h, 30d).", parser=duration, metavar="DURATION")
    ] = "7d",  # type: ignore[assignment] # typer parses it
    as_json: JsonOption = False,
) -> None:
    """Write one HTML page: where the leads are, what happened, how long they waited, which rules decided.

    It holds counts and ages, no lead and nothing of a person, and needs no network to be read. Neither the source nor
    LeadByte is asked.
    """
    with ledger_of(config) as (settings, ledger):
        facts = read_facts(ledger, settings, since=since, now=ledger.now())
    write_report(facts, out)
    if as_json:
        say_json({"report": str(out)})
    else:
        say(f"Written to {out}: open it in a browser.")
