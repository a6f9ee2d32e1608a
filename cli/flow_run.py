"""One run of the flow `release_leads` in this process, and what it came to."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from leadgate.errors import LeadgateError, PrefectServerError
from leadgate.summary import Summary


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run's summary, why it stopped early if it did, and its id in Prefect."""

    summary: Summary
    trouble: str | None
    run_id: str
    is_server_gone: bool = False
    """Whether the Prefect server stopped answering in the run."""


def run_flow(
    config: Path,
    *,
    on_own_server: bool,
    limit: int | None = None,
    watch_for: str | None = None,
    plan: Path | None = None,
) -> RunResult:
    """Run `release_leads` to its end; raise what it raised if it could not do its work at all."""
    from prefect.exceptions import TerminationSignal  # noqa: PLC0415 - as below

    options = {"config": str(config), "limit": limit, "watch_for": watch_for, "plan": str(plan) if plan else None}
    try:
        return asyncio.run(_run(options, on_own_server=on_own_server))
    except TerminationSignal:
        raise KeyboardInterrupt from None  # while a flow runs, Prefect answers SIGTERM in place of us


async def _run(options: dict[str, Any], *, on_own_server: bool) -> RunResult:
    from flows.release_leads import release_leads  # noqa: PLC0415 - imports Prefect, which takes seconds
    from tasks.page import PAGE_LOST, noted_end  # noqa: PLC0415 - as above

    with noted_end(on_own_server=on_own_server) as end:
        try:
            state = await release_leads(**options, return_state=True)
        except httpx.HTTPError:  # of Prefect, which could not say how the run has ended
            if end.summary is None:
                raise PrefectServerError(PAGE_LOST) from None
            end.is_lost = True
    if end.summary and end.is_lost:
        return RunResult(end.summary, " ".join(filter(None, (end.trouble, PAGE_LOST))), end.run_id, is_server_gone=True)
    run_id = str(state.state_details.flow_run_id)
    # Prefect wraps what a flow returns; unwrapping a failed state itself, it would take the summary for an exception.
    summary = getattr(state.data, "result", state.data)
    if isinstance(summary, Summary):
        return RunResult(summary, None if state.is_completed() else state.message, run_id)
    await state.aresult()  # raises what the flow raised
    raise LeadgateError(
        f"The flow run {run_id} ended as {state.name}, without a summary: look at it in Prefect, then run again."
    )
