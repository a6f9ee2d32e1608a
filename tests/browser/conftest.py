"""What these tests start with: a Prefect server that has its UI, with the deployments of a pipeline on it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.support.pipelines import Practice
from tests.support.prefect_server import PrefectServer, talking_to
from tests.support.process import reserve_port


@pytest.fixture(scope="session")
def ui_process() -> Iterator[PrefectServer]:
    """A running Prefect server with both UIs."""
    server = PrefectServer(reserve_port(), has_ui=True)
    yield server
    server.stop()


@pytest.fixture
def ui_server(ui_process: PrefectServer) -> Iterator[str]:
    """The API address of a server with both UIs, which this test's clients talk to."""
    with talking_to(ui_process.api_url):
        yield ui_process.api_url


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox) -> Iterator[Practice]:
    """A pipeline file, away from the checkout."""
    practice = Practice(tmp_path, leadbyte.url)
    yield practice
    practice.close()


@pytest.fixture
def on_the_ui(pipeline: Practice, ui_server: str) -> Practice:
    """A pipeline whose deployments are on the server with the UIs, put there as its people do."""
    argv = [sys.executable, "-m", "deployments.apply", str(pipeline.file)]
    env = os.environ | {"PREFECT_API_URL": ui_server}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    return pipeline
