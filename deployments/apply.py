"""Make a Prefect server as the files say: `python -m deployments.apply leadgate.yaml ...`, or `make deploy`.

Creates or changes the work pool, block types, deployments and automations, says what it did, and does nothing the
second time. The server is the one that PREFECT_API_URL or the profile names.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from prefect import get_client
from prefect.blocks.core import Block
from prefect.settings import PREFECT_API_URL

from deployments.automations import ALERTS, alarms_of_all, alarms_of_one
from deployments.command import ends_in_a_sentence
from deployments.server import Server
from deployments.wanted import PipelineFile, read_files, wanted_deployments
from leadgate.errors import ConfigError
from leadgate.open_server import find_open_server
from leadgate.printable import on_their_lines
from tasks.blocks import LeadByteCredentials

BLOCKS: Sequence[type[Block]] = (LeadByteCredentials,)
NOTHING = "nothing to do"


@ends_in_a_sentence
def main(arguments: Sequence[str]) -> int:
    """Apply the files; 0 is done, 1 is drift that `--check` found, 2 is a fault that the message names."""
    parser = argparse.ArgumentParser("python -m deployments.apply", description="Make a server as the files say.")
    parser.add_argument("files", nargs="*", type=Path, default=[Path("leadgate.yaml")], help="the pipeline files")
    parser.add_argument("--check", action="store_true", help="say what differs, change nothing; 1 where something does")
    given = parser.parse_args(arguments)
    lines, notes = asyncio.run(apply(given.files, only_look=given.check))
    print(on_their_lines("\n".join([*(lines or [NOTHING]), *notes])))  # noqa: T201
    return int(given.check and bool(lines))


async def apply(paths: Sequence[Path], *, only_look: bool = False) -> tuple[list[str], list[str]]:
    """Apply the files, or only look; return what differed and what a person should know.

    Raises ConfigError for files that are wrong or contradict each other, httpx.HTTPError for a server that does not
    do as it is asked.
    """
    address = PREFECT_API_URL.value()
    if not address:
        msg = "there is no Prefect server to apply to: export PREFECT_API_URL=http://HOST:4200/api"
        raise ConfigError(msg)
    async with get_client() as client:
        await client.hello()
        server = Server(client, only_look=only_look)
        for block in BLOCKS:
            await server.block_type(block)
        notes = await _apply(server, read_files(paths))
        if is_open := await asyncio.to_thread(find_open_server, address):
            notes.append(is_open)
        return server.lines, notes


async def _apply(server: Server, files: Sequence[PipelineFile]) -> list[str]:
    wanted = {file.pipeline: wanted_deployments(file) for file in files}
    for pool in {str(each.fields["work_pool_name"]) for all_of in wanted.values() for each in all_of}:
        await server.work_pool(pool)
    alerts = await server.find_alerts()
    for file in files:
        for deployment in wanted[file.pipeline]:
            deployment_id = await server.deployment(deployment)
            for trigger in deployment.triggers:
                trigger.set_deployment_id(deployment_id)
                await server.automation(trigger.as_automation())
        for automation in alarms_of_one(file.pipeline, alerts):
            await server.automation(automation)
    ours = await server.our_deployments()
    for automation in alarms_of_all([each.id for each in ours], alerts):
        await server.automation(automation)
    names = {each.name for all_of in wanted.values() for each in all_of}
    notes = [
        f"not in the manifest any more: {each.name}. `prefect deployment delete {each.id}` removes it."
        for each in ours
        if any(f"pipeline:{file.pipeline}" in each.tags for file in files) and each.name not in names
    ]
    if alerts is None:
        notes.append(
            f"Nobody is notified yet: create a notification block named {ALERTS} (in the UI: Blocks, +, Slack Webhook, "
            "Email or another), and apply again. Until then alarms show in the UI's event feed and `leadgate status`."
        )
    return notes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
