"""Record what a person decides of leads in review; the form is drawn by the Prefect UI. The next run sends."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed
from pydantic import Field

from leadgate.config import load_config
from leadgate.model import Chosen, Resolution, normal_id
from leadgate.printable import on_one_line
from leadgate.unexpected import guarded
from leadgate.wiring.ledger import open_ledger
from leadgate.wiring.reviews import decide_leads
from tasks.observed import observe
from tasks.report import name_run

observe()  # here and not in the flow: Prefect opens a run's span before its first line


@flow(name="resolve-reviews", persist_result=False)
@guarded
async def resolve_reviews(  # noqa: PLR0913, PLR0917 - the fields of the form
    ids: Annotated[list[str], Field(min_length=1)],
    verdict: Resolution,
    reason: Annotated[str, Field(min_length=3, max_length=2000)],
    by: Annotated[str, Field(min_length=1, max_length=100)],
    config: str = "leadgate.yaml",
    still_in_quarantine: bool = False,  # noqa: FBT001, FBT002 - a box to tick
) -> dict[str, str] | State[dict[str, str]]:
    """End reviews by a person's decision; return those that could not be ended, and why. Nothing is sent.

    Args:
        ids: quarantine ids of leads in review.
        verdict: process and reject are sent by the next run, once; wait lets the rules decide again later.
        reason: why; `leadgate explain` tells it.
        by: who decides.
        config: the pipeline file.
        still_in_quarantine: somebody has looked: leads whose last act was never answered are still in quarantine.

    """
    settings = load_config(Path(config))
    with closing(open_ledger(Path(config), settings)) as ledger:
        run = await name_run(settings.pipeline, ledger.now())
        chosen = Chosen(ids=[normal_id(each) or each for each in ids])
        words = {"reason": reason, "by": by, "where": f"flow run {run}"}
        resolved = decide_leads(settings, ledger, chosen, verdict, **words, still_in_quarantine=still_in_quarantine)
    get_run_logger().info("event=resolved verdict=%s count=%d", verdict, len(resolved.ids))
    if not resolved.refused:
        return {}
    told = "; ".join(f"{lead_id}: {why}" for lead_id, why in resolved.refused.items())
    message = f"{len(resolved.ids)} reviews are ended, {len(resolved.refused)} are not. {told}"
    return Failed(message=on_one_line(message), data=resolved.refused)
