"""Make a Prefect server as the files say: `python -m deployments.apply leadgate.yaml ...`, or `make deploy`.

Creates or changes the work pool, block types, deployments and automations, says what it does as it does it, and does
nothing the second time. With `--remove NAME` it takes a pipeline off. The server is the one that PREFECT_API_URL or the
profile names.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from prefect import get_client
from prefect.blocks.core import Block
from prefect.settings import PREFECT_API_URL

from deployments.automations import ALERTS, alarms_of_all, alarms_of_one
from deployments.command import ends_in_a_sentence
from deployments.leftovers import leftovers, others
from deployments.remove import remove
from deployments.server import Server
from deployments.wanted import PipelineFile, read_files, wanted_deployments
from leadgate.errors import ConfigError
from leadgate.open_server import find_open_server
from leadgate.printable import on_their_lines
from leadgate.sign_of_life import now_doing, sign_out_of_the_way
from tasks.blocks import LeadByteCredentials

BLOCKS: Sequence[type[Block]] = (LeadByteCredentials,)
NOTHING = "nothing to do"


@ends_in_a_sentence
def main(arguments: Sequence[str]) -> int:
    """Apply the files; 0 is done, 1 is drift that `--check` found, 2 is a fault that the message names."""
    parser = argparse.ArgumentParser("python -m deployments.apply", description="Make a server as the files say.")
    parser.add_argument("files", nargs="*", type=Path, help="the pipeline files; leadgate.yaml if none is named")
    parser.add_argument("--check", action="store_true", help="say what differs, change nothing; 1 if something does")
    parser.add_argument("--remove", metavar="NAME", help="take the pipeline of this name off; needs no file")
    with sign_out_of_the_way():
        options = parser.parse_args(arguments)
        if options.remove and options.files:
            parser.error("--remove goes by the pipeline's name, and takes no files")
    files = options.files or [Path("leadgate.yaml")]
    differs = asyncio.run(apply(files, only_look=options.check, removed=options.remove))
    return int(options.check and differs)


async def apply(paths: Sequence[Path], *, only_look: bool = False, removed: str | None = None) -> bool:
    """Apply the files, or take a pipeline off, or only look; return whether anything differed.

    Raises ConfigError for files that are wrong or contradict each other, httpx.HTTPError for a server that does not
    do as it is asked.
    """
    address = PREFECT_API_URL.value()
    if not address:
        raise ConfigError("there is no Prefect server to apply to: export PREFECT_API_URL=http://HOST:4200/api")
    now_doing("Asking the Prefect server")
    async with get_client() as client:
        await client.hello()
        server = Server(client, only_look=only_look, say=_say)
        if removed is None:
            notes = await _apply(server, read_files(paths))
        else:
            notes = await remove(server, removed, await server.find_alerts())
        now_doing("Asking the Prefect server who may use it")
        if is_open := await asyncio.to_thread(find_open_server, address):
            notes.append(is_open)
    if not server.differs:
        _say(NOTHING)
    for note in notes:
        _say(note)
    return server.differs


async def _apply(server: Server, files: Sequence[PipelineFile]) -> list[str]:
    wanted = {file.pipeline: wanted_deployments(file) for file in files}
    await _prepare(server, {str(each.fields["work_pool_name"]) for all_of in wanted.values() for each in all_of})
    alerts = await server.find_alerts()
    for number, file in enumerate(files, 1):
        now_doing(f"Comparing the server with the files: {number:,} of {len(files):,}")
        for deployment in wanted[file.pipeline]:
            deployment_id = await server.deployment(deployment)
            for trigger in deployment.triggers:
                trigger.set_deployment_id(deployment_id)
                await server.automation(trigger.as_automation())
        for automation in alarms_of_one(file.pipeline, alerts):
            await server.automation(automation)
    found = await server.find_ours()
    for automation in alarms_of_all([each.id for each in found.deployments], alerts):
        await server.automation(automation)
    for line in leftovers(found, wanted):
        server.leave(line)
    notes = []
    if beside := others(found, wanted):
        notes.append(f"Not among these files, and left alone: {', '.join(beside)}. `--remove NAME` takes one off.")
    if alerts is None:
        notes.append(
            f"Nobody is notified yet: create a notification block named {ALERTS} (in the UI: Blocks, +, Slack Webhook, "
            "Microsoft Teams Webhook or another), and apply again. Until then alarms show in the UI's event feed and "
            "`leadgate status`."
        )
    return notes


async def _prepare(server: Server, pools: Iterable[str]) -> None:
    for block in BLOCKS:
        await server.block_type(block)
    for pool in pools:
        await server.work_pool(pool)


def _say(line: str) -> None:
    """Print at once: a person sees what is done while it is done."""
    with sign_out_of_the_way():
        print(on_their_lines(line), flush=True)  # noqa: T201 - a command speaks


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
