"""The servers a benchmark needs, each a process of its own that ends with the benchmark at the latest."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.postgres import PostgresServer
from tests.support.prefect_server import PrefectServer
from tests.support.process import Supervised, new_folder, reserve_port
from tests.support.waiting import wait_until


@contextmanager
def sandbox_process(latency: str) -> Iterator[str]:
    """Give the address of a practice LeadByte whose every answer takes `latency`."""
    options = ["--json", "--record", "acts", "--latency", latency]
    server = Supervised(
        [sys.executable, "-m", "leadgate", "sandbox", *options],
        folder=new_folder("sandbox", {}),
        # A supervised server runs at the root of the machine, away from this checkout.
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )

    def listens() -> bool:
        server.check_running()
        return server.log().endswith("\n")

    try:
        wait_until(listens, what="the sandbox listens")
        yield str(json.loads(server.log())["url"])
    finally:
        server.stop()


def check_and_forget(sandbox_url: str, leads: int) -> None:
    """Fail unless the sandbox took one act for each lead, and make it forget them all."""
    state = httpx.get(f"{sandbox_url}/sandbox/state", timeout=60).json()
    if sum(state["acts"].values()) != leads or state["acted_twice"]:
        raise RuntimeError(f"The sandbox did not take one act for each of {leads} leads: {state}")
    forget(sandbox_url)


def forget(sandbox_url: str) -> None:
    """Make the sandbox forget every act it took."""
    httpx.post(f"{sandbox_url}/sandbox/reset", timeout=60).raise_for_status()


@contextmanager
def prefect_server() -> Iterator[dict[str, str]]:
    """Give the environment of a process that talks to a Prefect server started for the benchmark, and to no other."""
    server = PrefectServer(reserve_port())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # modules are compiled once, as after an installation
    try:
        yield environment | {"PREFECT_API_URL": server.api_url, "PREFECT_HOME": str(server.process.folder / "client")}
    finally:
        server.stop()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Give a PostgreSQL with nothing in it, which does not wait for the disk."""
    server = PostgresServer()
    try:
        yield server
    finally:
        server.stop()
