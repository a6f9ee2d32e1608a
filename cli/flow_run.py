"""One run of the flow `release_leads` in this process, and what it came to."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from leadgate.summary import Summary


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run's summary, why it stopped early where it did, and its id in Prefect."""

    summary: Summary
    trouble: str | None
    run_id: str


def run_flow(config: Path, *, limit: int | None, watch_for: str | None) -> RunResult:
    """Run `release_leads` to its end; raise what it raised where it could not do its work at all."""
    return asyncio.run(_run(config, limit=limit, watch_for=watch_for))


async def _run(config: Path, *, limit: int | None, watch_for: str | None) -> RunResult:
    from flows.release_leads import release_leads  # noqa: PLC0415 - imports Prefect, which takes seconds

    state = await release_leads(config=str(config), limit=limit, watch_for=watch_for, return_state=True)
    run_id = str(state.state_details.flow_run_id)
    if isinstance(state.data, Summary):  # the flow's own Failed state: it stopped early, and says why
        return RunResult(state.data, state.message, run_id)
    summary = await state.aresult()
    assert isinstance(summary, Summary)  # noqa: S101 - the flow returns nothing else when it completes
    return RunResult(summary, None, run_id)
