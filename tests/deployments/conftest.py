"""What these tests start with: a pipeline file, and a Prefect server that is left as it was found."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient

from deployments import apply
from leadgate.sandbox import Sandbox
from tests.support.pipelines import Practice

Apply = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Iterator[Practice]:
    """A pipeline with its source and its ledger in SQLite files."""
    practice = Practice(tmp_path, leadbyte.url)
    yield practice
    practice.close()


@pytest.fixture
def client(prefect_server: str) -> Iterator[SyncPrefectClient]:
    """A client of the tests' server; what was applied to it is taken off in the end."""
    with get_client(sync_client=True) as client:
        yield client
        while deployments := client.read_deployments():
            for deployment in deployments:
                client.delete_deployment(deployment.id)
        for block in client.read_block_documents():
            client.delete_block_document(block.id)
    asyncio.run(_take_off())


@pytest.fixture
def applied(capsys: pytest.CaptureFixture[str], client: SyncPrefectClient) -> Apply:
    """Apply, as the command does; the exit code and the lines it printed, without the advice at the end."""

    def run(*arguments: object) -> tuple[int, list[str]]:
        capsys.readouterr()
        code = apply.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, [line for line in (said.out + said.err).splitlines() if not line.startswith("Nobody is notified")]

    return run


async def _take_off() -> None:
    async with get_client() as client:
        for automation in await client.read_automations():
            await client.delete_automation(automation.id)
