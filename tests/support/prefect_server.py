"""A real Prefect server for the flow tests, one a test process, started when the first of them asks."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from cli.prefect_server import hand_over
from tests.support.process import Supervised, new_folder
from tests.support.waiting import wait_until

_SECONDS_TO_START = 100


class PrefectServer:
    """A Prefect server on a reserved port, on a SQLite file of its own; ends with this process at the latest.

    It starts sooner without its UIs, which few tests look at.
    """

    def __init__(self, reserved: socket.socket, *, has_ui: bool = False) -> None:
        port = reserved.getsockname()[1]
        self.api_url = f"http://127.0.0.1:{port}/api"
        folder = new_folder("prefect", {})
        env = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
        env |= {"PREFECT_HOME": str(folder), "PREFECT_UI_ENABLED": str(has_ui), "PREFECT_UI_API_URL": self.api_url}
        # Tests wait until the server has an event; it would gather them for five seconds.
        env["PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL"] = "0.5"
        # A program of this venv, whatever the PATH says.
        program = Path(sys.executable).with_name("prefect")
        reserved.close()
        self.process = Supervised(
            [program, "server", "start", "--host", "127.0.0.1", "--port", str(port)], folder=folder, env=env
        )
        wait_until(self._is_healthy, what="the Prefect server is healthy", seconds=_SECONDS_TO_START)

    def _is_healthy(self) -> bool:
        self.process.check_running()
        try:
            return httpx.get(f"{self.api_url}/health", timeout=5).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self.process.stop()


@contextmanager
def talking_to(api_url: str) -> Iterator[None]:
    """Let this process talk to another server than the tests' own, and to that one again afterwards.

    Prefect keeps one sender of events a process, and that one keeps the first server that it has met: without this,
    the events of later tests would go on to a server that nobody looks at.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415 - slow to import

    hand_over()
    try:
        with temporary_settings({PREFECT_API_URL: api_url}):
            yield
    finally:
        hand_over()
