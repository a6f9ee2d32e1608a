"""The kill switch as a form: nothing of a pipeline is processed or rejected from now on."""

from pathlib import Path
from typing import Annotated

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from leadgate.ledger.pauses import keep_pause
from leadgate.printable import on_one_line
from leadgate.unexpected import guarded
from leadgate.wiring.ledger import ledger_to_stop
from tasks.forms import ends_in_a_sentence
from tasks.observed import observe
from tasks.report import name_run

observe()  # here and not in the flow: Prefect opens a run's span before its first line

TITLES = {"reason": "Why", "by": "Your name", "config": "Pipeline file"}
"""What the form calls each parameter."""


@flow(name="pause-pipeline", persist_result=False)
@ends_in_a_sentence
@guarded
async def pause_pipeline(
    *,
    reason: Annotated[str, Field(max_length=1000)] = "",
    by: Annotated[str, Field(min_length=1, max_length=100)],
    config: str = "leadgate.yaml",
) -> State[None]:
    """Process and reject nothing from now on, in runs that are under way too; updates go on.

    Args:
        reason: One sentence, for whoever reads the status.
        by: Who pauses. It is kept with the name of this run.
        config: Leave it as it is.

    """
    with ledger_to_stop(Path(config)) as (settings, ledger):
        where = f"flow run {await name_run(settings.pipeline, ledger.now())}"
        pause = keep_pause(ledger, by=by, where=where, reason=" ".join(reason.split()), now=ledger.now())
    get_run_logger().warning("event=paused pipeline=%s", settings.pipeline)
    message = f"{settings.pipeline} has been {pause}"
    message += f"{'' if message.endswith('.') else '.'} Updates go on; nothing is processed or rejected until "
    return Completed(message=on_one_line(f"{message}`leadgate resume`, or a run of resume-pipeline."))
