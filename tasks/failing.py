"""Runs that fail in a row: told once when the third has failed, and once when the next good run is over.

A run may fail before it can open a ledger, so that the Prefect server's own list of runs is counted. Each run looks at
those of its deployment when it has ended; runs that were skipped or cancelled are neither good nor bad.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any
from uuid import uuid5

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.flows import Flow
from prefect.logging.loggers import flow_run_logger

from tasks.observed import tell
from tasks.seat import SKIPPED

FAILING, RECOVERED = "leadgate.runs.failing", "leadgate.runs.recovered"
IN_A_ROW = 3
_LOOKED_AT = 20
_LONGEST = 300
_BAD = {StateType.FAILED, StateType.CRASHED}


async def count_failures(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - as Prefect calls it
    """Tell that runs fail, or that they do not any more, where the end of this run of a deployment is what shows it.

    A hook of the flow, called when the server knows how the run has ended.
    """
    if not flow_run.deployment_id or state.name == SKIPPED:
        return
    try:
        async with get_client() as client:
            before = await _ended_before(client, flow_run)
            failed = list(takewhile(_is_bad, before))
            is_good = state.type not in _BAD
            if _was_told(failed) is not is_good or len(failed) + 1 < IN_A_ROW:
                return
            pipeline = (await client.read_deployment(flow_run.deployment_id)).name.split("-", 2)[-1]
    except httpx.HTTPError as error:
        logger = flow_run_logger(flow_run)
        logger.warning("event=runs_not_counted problem=%s", type(error).__name__)
        return
    # One event, by whichever of two runs that end together it is sent.
    known_by = uuid5(flow_run.deployment_id, f"{failed[-1].id} {is_good}")
    if is_good:
        tell(RECOVERED, pipeline, {"failed": len(failed)}, known_by)
    else:
        why = (state.message or "")[:_LONGEST]
        tell(FAILING, pipeline, {"failed": len(failed) + 1, "why": why}, known_by)


def _was_told(failed: Sequence[FlowRun]) -> bool:
    """Whether one of these, the last first, could tell: the third of them or a later one that is no crash."""
    return any(run.state_type is StateType.FAILED for run in failed[: max(len(failed) - IN_A_ROW + 1, 0)])


def _is_bad(run: FlowRun) -> bool:
    return run.state_type in _BAD


async def _ended_before(client: PrefectClient, run: FlowRun) -> list[FlowRun]:
    """The runs of the same deployment that had ended when this one did, the last first; not those that were skipped."""
    ended = FlowRunFilterStateType(any_=[StateType.COMPLETED, *_BAD])
    found = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=ended)),
        deployment_filter=DeploymentFilter(
            id=DeploymentFilterId(any_=[run.deployment_id] if run.deployment_id else [])
        ),
        sort=FlowRunSort.END_TIME_DESC,
        limit=_LOOKED_AT,
    )
    ours = next((place for place, each in enumerate(found) if each.id == run.id), -1)
    return [each for each in found[ours + 1 :] if each.state_name != SKIPPED]
