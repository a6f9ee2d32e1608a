"""Servers that tests start: never as root, never left behind, on a port of their own."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

_SUPERVISE = Path(__file__).with_name("supervise.py")


class Identity(TypedDict, total=False):
    """The user a program runs as, as subprocess takes it; empty for the user of the tests."""

    user: int
    group: int
    extra_groups: list[int]


def unprivileged() -> Identity:
    """Give `nobody` when the tests run as root, since database servers refuse to run as root."""
    if os.geteuid() != 0:
        return Identity()
    nobody = pwd.getpwnam("nobody")
    return Identity(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])


def new_folder(name: str, identity: Identity) -> Path:
    """Create a folder of one's own below the temporary folder, owned by `identity`."""
    folder = Path(tempfile.mkdtemp(prefix=f"leadgate-{name}-"))
    if identity:
        os.chown(folder, identity["user"], identity["group"])
    return folder


def reserve_port() -> socket.socket:
    """Bind a free port of 127.0.0.1; nobody else is given it until the socket is closed."""
    reserved = socket.socket()
    reserved.bind(("127.0.0.1", 0))
    return reserved


def free_port() -> int:
    """Name a port of 127.0.0.1 that was free a moment ago."""
    with reserve_port() as reserved:
        return int(reserved.getsockname()[1])


def run_once(argv: Sequence[str | Path], *, identity: Identity, env: Mapping[str, str]) -> None:
    """Run a program to its end; raise RuntimeError with what it said if it fails."""
    result = subprocess.run(
        [str(part) for part in argv],
        cwd="/",
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )
    if result.returncode:
        raise RuntimeError(f"{argv[0]} ended with {result.returncode}:\n{result.stdout}{result.stderr}")


class Supervised:
    """A server that ends when `stop` is called, or when this process ends in whatever way."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str],
        identity: Identity | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.folder = folder
        self._log = folder / "server.log"
        order: dict[str, Any] = {
            "argv": [str(part) for part in argv],
            "env": dict(env),
            "folder": str(folder),
            "log": str(self._log),
            "identity": identity or Identity(),
            "stop_signal": int(stop_signal),
        }
        # A session of its own keeps the terminal's signals away from it.
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", str(_SUPERVISE), json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._supervisor.stdout is not None
        self.supervisor_pid = self._supervisor.pid
        self.pid = int(self._supervisor.stdout.readline())

    def check_running(self) -> None:
        """Raise RuntimeError with the server's own words if it has ended."""
        try:
            os.kill(self.pid, 0)
            # An ended child stays a zombie until its supervisor reads it, and answers signal 0 all the same.
            ended = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
        except ProcessLookupError:
            ended = True
        except OSError:  # another user's process, or a system without /proc: take it as running
            ended = False
        if ended:
            raise RuntimeError(f"The server ended while it started:\n{self.log()}")

    def log(self) -> str:
        """Everything the server has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Stop the server and remove its folder; a second call does nothing."""
        assert self._supervisor.stdin is not None
        assert self._supervisor.stdout is not None
        self._supervisor.stdin.close()
        self._supervisor.wait(30)
        self._supervisor.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
