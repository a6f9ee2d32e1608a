"""The end of a pause as a form: what it has put off is due at once."""

from pathlib import Path
from typing import Annotated

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from leadgate.ledger.pauses import end_pause
from leadgate.printable import on_one_line
from leadgate.unexpected import guarded
from leadgate.wiring.ledger import ledger_to_stop
from tasks.forms import ends_in_a_sentence
from tasks.observed import observe
from tasks.report import name_run

observe()  # here and not in the flow: Prefect opens a run's span before its first line

TITLES = {"reason": "Why", "by": "Your name", "config": "Pipeline file"}
"""What the form calls each parameter."""


@flow(name="resume-pipeline", persist_result=False)
@ends_in_a_sentence
@guarded
async def resume_pipeline(
    *,
    reason: Annotated[str, Field(max_length=1000)] = "",
    by: Annotated[str, Field(min_length=1, max_length=100)],
    config: str = "leadgate.yaml",
) -> State[None]:
    """End the pause: what it has put off is due at once, and the next run decides it anew.

    The name and the reason are kept by this run, and not by the ledger, where the pause is gone.

    Args:
        reason: One sentence. It is kept with this run.
        by: Who resumes. It is kept with this run.
        config: Leave it as it is.

    """
    with ledger_to_stop(Path(config)) as (settings, ledger):
        await name_run(settings.pipeline, ledger.now())
        ended = end_pause(ledger, now=ledger.now())
    if ended is None:
        return Completed(message=f"{settings.pipeline} was not paused.")
    get_run_logger().warning("event=resumed pipeline=%s", settings.pipeline)
    why = f": {' '.join(reason.split()).rstrip('.')}" if reason.strip() else ""
    message = f"{settings.pipeline} goes on by {by}{why}; it had been {ended.pause}"
    message += f"{'' if message.endswith('.') else '.'} Leads that the pause held back, decided by the next run: "
    return Completed(message=on_one_line(f"{message}{ended.leads}."))
