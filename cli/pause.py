"""`leadgate pause` and `leadgate resume`: the kill switch."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.options import ByOption, at_keyboard, whoever
from cli.output import ConfigOption, JsonOption, reports_errors, say, say_json
from leadgate.ledger.pauses import end_pause, keep_pause
from leadgate.ledger.people import checked_reason
from leadgate.model import WHILE_PAUSED
from leadgate.wiring.ledger import ledger_to_stop


@reports_errors
def pause(
    *,
    reason: Annotated[str, typer.Option(help="Why; shown by `leadgate status`.")] = "",
    by: ByOption = None,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Process and reject nothing from now on, in runs that are under way too; updates go on.

    Leads that would be acted on stay ready, and are decided again after `leadgate resume`. Requests that were already
    on their way are answered.
    """
    with ledger_to_stop(config) as (settings, ledger):
        now = ledger.now()
        new_pause = keep_pause(ledger, by=whoever(by), where=at_keyboard(), reason=reason, now=now)
    if as_json:
        say_json({"pipeline": settings.pipeline, "paused": asdict(new_pause)})
    else:
        if new_pause.paused_at == now:
            say(f"{settings.pipeline} is {new_pause}")
        else:
            say(f"{settings.pipeline} had been {new_pause}")
            is_kept = reason and new_pause.reason == checked_reason(reason)
            what = "with this reason" if is_kept else "and what you have typed now is not recorded"
            say(f"That pause goes on, {what}.")
        say(WHILE_PAUSED)


@reports_errors
def resume(*, config: ConfigOption = Path("leadgate.yaml"), as_json: JsonOption = False) -> None:
    """End the pause: what it has put off is due at once, and the next run decides it anew."""
    with ledger_to_stop(config) as (settings, ledger):
        ended = end_pause(ledger, now=ledger.now())
    if as_json:
        ended_pause, leads = (asdict(ended.pause), ended.leads) if ended else (None, 0)
        say_json({"pipeline": settings.pipeline, "ended": ended_pause, "due_again": leads})
    elif ended:
        say(f"{settings.pipeline} goes on; it had been {ended.pause}")
        say(f"Leads that the pause held back, decided by the next run: {ended.leads}.")
    else:
        say(f"{settings.pipeline} was not paused.")
