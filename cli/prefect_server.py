"""A Prefect server for the verbs that run a flow: the configured one, or one of our own while the verb lasts.

Prefect would start one by itself (`SubprocessASGIServer`), which has no UI, writes onto the terminal, and gets Ctrl-C
before the run has ended; ours has a UI, writes to a file, and outlives the run.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import getproxies

import httpx

from cli.output import warn
from leadgate.errors import ConfigError, PrefectServerError
from leadgate.files import open_log
from leadgate.prefect_settings import settings_errors, without_user
from tasks.server import check_answers

_SECONDS_TO_START = 120
_OWN_INSTEAD = (
    ", or unset PREFECT_API_URL (and `prefect config unset PREFECT_API_URL`): then a server is started for each run"
)
_KEEPER = Path(__file__).with_name("server_keeper.py")
_FOR_SERVER = {"DO_NOT_TRACK", "HOME", "LANG", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV"}
_FOR_SERVER_BY_PREFIX = ("LC_", "PREFECT_", "PYTHON", "SSL_CERT_")
"""The only variables that a server of our own is started with: no key of LeadByte, no address of a source."""


def as_typed(command: str) -> str:
    """Give a command of this environment as it is typed: its name if the shell finds it by that, else its path."""
    beside = Path(sys.executable).with_name(command)
    found = shutil.which(command)
    return command if not beside.exists() or (found and Path(found) == beside) else str(beside)


def quiet_prefect(*, verbose: bool) -> None:
    """Keep Prefect's log on its server and off the terminal; call before Prefect is imported."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "1")  # some 2 s: a run must not wait for a server that died
    os.environ.setdefault("PREFECT_API_REQUEST_TIMEOUT", "20")
    if not verbose:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    with settings_errors():
        from prefect.settings import get_current_settings  # noqa: PLC0415 - slow to import

        get_current_settings()


@dataclass(frozen=True, slots=True)
class PrefectApi:
    """The address of the Prefect UI, and whether the server ends with the verb."""

    ui_url: str
    home: Path | None
    """Where a server of our own keeps its database; None for the configured server."""

    @property
    def is_own(self) -> bool:
        """Whether the server was started for the verb, and ends with it."""
        return self.home is not None

    def where(self, run_id: str) -> str:
        """Say how to look at a run afterwards."""
        if self.home is None:
            return f"Look at it in Prefect: {self.ui_url}/runs/flow-run/{run_id}"
        return (
            f"Look at it in Prefect: PREFECT_HOME={self.home} {as_typed('prefect')} server start, "
            f"then http://127.0.0.1:4200/runs/flow-run/{run_id}"
        )


@contextmanager
def prefect_api(home: Path | None = None, *, quiet: bool = False) -> Iterator[PrefectApi]:
    """Give a Prefect API to run on: the configured one, or without it, or with `home`, that of a server of our own.

    `home` is where a server of our own keeps its database; by default that of the user's profile. Unless `quiet`, its
    start is reported on standard error.
    """
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings  # noqa: PLC0415 - slow to import

    configured = PREFECT_API_URL.value()
    if configured and home is None:
        # Without this, a flow tries for minutes to reach a server that is down, and then fails with Prefect's message.
        check_answers(configured, otherwise=_OWN_INSTEAD)
        yield PrefectApi(without_user(configured).removesuffix("/api"), None)
        return
    if not quiet:
        warn("Starting a Prefect server (the first time takes half a minute) ...")
    folder = home or PREFECT_HOME.value()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise ConfigError(
            "PREFECT_HOME: no folder can be made there for Prefect's server: name another, or unset it"
        ) from None
    _reach_past_proxies()
    with (
        _server(folder) as address,
        temporary_settings({PREFECT_API_URL: f"{address}/api"}),
    ):
        try:
            yield PrefectApi(address, folder)
        finally:
            hand_over()


def _reach_past_proxies() -> None:
    """Let this process reach 127.0.0.1 without a proxy, for which that address is another machine."""
    exceptions = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    if getproxies() and exceptions != "*":
        for name in ("NO_PROXY", "no_proxy"):
            os.environ[name] = f"{exceptions},127.0.0.1" if exceptions else "127.0.0.1"


def hand_over() -> None:
    """Send the logs and events that Prefect's background threads still hold, while the server still runs.

    Threads that start afterwards talk to the server that is configured by then.
    """
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    APILogWorker.drain_all(timeout=5)
    EventsWorker.drain_all(timeout=5)


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = folder / "leadgate-prefect-server.log"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PREFECT_API_URL" and (name in _FOR_SERVER or name.startswith(_FOR_SERVER_BY_PREFIX))
    }
    environment |= {"PREFECT_HOME": str(folder), "PREFECT_UI_API_URL": f"{address}/api"}
    with open_log(log) as output:
        process = subprocess.Popen(  # noqa: S603 - Prefect's own command, with a port of ours
            [sys.executable, "-I", str(_KEEPER), *f"prefect server start --host 127.0.0.1 --port {port}".split()],
            env=environment,
            stdin=subprocess.PIPE,  # however the run ends, it closes then, and the server ends
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the run, which then stops the server
        )
    assert process.stdin  # noqa: S101 - it is a pipe
    try:
        _wait_until_healthy(process, address, log)
        yield address
    finally:
        process.stdin.close()
        process.wait()


def _wait_until_healthy(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/api/health", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise PrefectServerError(
        f"The Prefect server did not start; {log} says why. If a server of yours runs on the same PREFECT_HOME, its "
        "database may be in the way: set PREFECT_API_URL to use that server."
    )
