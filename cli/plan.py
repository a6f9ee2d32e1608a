"""`leadgate plan`: what a run would do now, with nothing sent and nothing changed."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.blocks import read_block
from cli.options import ShowOption
from cli.output import ATTENTION, FINE, ConfigOption, JsonOption, reports_errors, say, say_each, say_json, stop
from leadgate.attention import about_backlog, attention, clock_problem
from leadgate.ledger.again import count_older
from leadgate.ledger.doubts import read_doubts
from leadgate.plan import Plan, plan_run, write_plan
from leadgate.readable import counted
from leadgate.wiring.pipeline import open_pipeline


@reports_errors
def plan(
    *,
    config: ConfigOption = Path("leadgate.yaml"),
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, for `leadgate run --plan`.")] = None,
    show: ShowOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what a run would do now: leads, decisions and the names of the fields it would write.

    Exits with 1 if leads are in doubt or held back by faults of their rows, acts are held back, or deadlines stand
    still.
    """
    with open_pipeline(config, read_block) as pipeline:
        now = pipeline.clock()
        settings, ledger, policy = pipeline.config, pipeline.ledger, pipeline.policy
        found = plan_run(settings, pipeline.source, ledger, policy, now=now, again=pipeline.again)
        if out:
            write_plan(out, found, pipeline=settings.pipeline, policy_version=policy.version, now=now)
        older = count_older(ledger, policy.version)
        others = found.source_problem, clock_problem(ledger), about_backlog(ledger, settings.safety.budgets, now)
        to_know = attention(read_doubts(ledger), settings.delivery, now, *others)
    if as_json:
        more = {"faults": found.faults.as_json(), "attention": to_know, "older_rules": older}
        say_json({"pipeline": settings.pipeline, "policy": policy.version} | asdict(found) | more)
    else:
        _print(found, show, observe=settings.delivery.observe)
        if older:
            say(
                f"{older} more are in review by older rules: `leadgate review again --all` lets the file's rules "
                "decide them."
            )
        say_each(to_know)
        if out:
            say(f"Written to {out}: `leadgate run --plan {out}` sends these leads, as they stand here, alone.")
    stop(ATTENTION if to_know or found.faults.hold_back else FINE)


def _print(found: Plan, show: int, *, observe: bool) -> None:
    say(f"{counted(len(found.leads), 'lead')} would be decided now, {found.waiting} would go on waiting.")
    say_each(f"  {count:>7}  waiting, without {column}" for column, count in found.missing.items())
    for (verdict, decider), count in Counter((lead.verdict, lead.decider) for lead in found.leads).most_common():
        say(f"  {count:>7}  {verdict:<8} {decider}")
    made = {each.field: each.made for lead in found.leads for each in lead.fields}
    if made:
        say(f"Fields: {'; '.join(f'{field} {how}' for field, how in made.items())}.")
    if found.leads and show:
        say()
    for lead in found.leads[:show]:
        fields = ", ".join(f"{each.field} {each.written_like or '(empty)'}" for each in lead.fields) or "no fields"
        say(f"{lead.lead_id}: {lead.verdict} by {lead.decider} - {lead.route} ({fields}): {lead.reason}")
    if made and show:
        say("Values are hidden: 9 stands for a digit, a for a letter.")
    if len(found.leads) > show > 0:
        say(f"... and {len(found.leads) - show} more; --show lists more, --json lists all.")
    say_each(f"fault: {fault}" for fault in found.faults.lines())
    say("Nothing was sent, nor would a run send anything (delivery.observe)." if observe else "Nothing was sent.")
