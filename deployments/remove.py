"""Take a pipeline off a server: its deployments, and its automations. The ledger and the file are left alone."""

from uuid import UUID

from deployments.automations import alarms_of_all
from deployments.leftovers import Found
from deployments.server import Server
from leadgate.errors import ConfigError


async def remove(server: Server, pipeline: str, alerts: UUID | None) -> list[str]:
    """Delete what a server has of a pipeline; return what a person should know. Raise ConfigError if it has nothing."""
    found = await server.find_ours()
    mine = found.of(pipeline)
    if not any(mine):
        there_are = f"there are: {', '.join(found.pipelines)}" if found.pipelines else "there is none at all"
        raise ConfigError(f"there is no pipeline {pipeline} on this server; {there_are}")
    running = await server.count_running([each.id for each in mine.deployments])
    for automation in mine.automations:
        await server.delete_automation(automation)
    for deployment in mine.deployments:
        await server.delete_deployment(deployment)
    await _without(server, found, mine, alerts)
    notes = ["The ledger and the pipeline file are as they were. The work pool and the block type stay for others."]
    if running:
        runs_are, go_on = ("1 run is", "It goes") if running == 1 else (f"{running} runs are", "They go")
        notes.append(f"{runs_are} under way. {go_on} on to the end; `prefect flow-run cancel ID` stops one.")
    return notes


async def _without(server: Server, found: Found, mine: Found, alerts: UUID | None) -> None:
    """Let the alarms of all pipelines forget this one; with the last pipeline they go too."""
    rest = [each for each in found.deployments if each not in mine.deployments]
    shared = alarms_of_all([each.id for each in rest], alerts)
    if rest:
        for automation in shared:
            await server.automation(automation)
        return
    names = {each.name for each in shared}
    for existing in found.automations:
        if existing.name in names:
            await server.delete_automation(existing)
