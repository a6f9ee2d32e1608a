"""An environment for each peer: what it needs and leadgate needs may not fit together."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.job import quiet_environment

_HERE = Path(__file__).parent


class NotInstalled(Exception):
    """Why a peer's environment could not be made."""


def make_environment(name: str, folder: Path) -> str | NotInstalled:
    """Install the locked packages of a peer into a new environment below `folder`; return its Python, or why not."""
    place = folder / name
    python = place / "bin" / "python"
    try:
        _uv("venv", "--python", sys.executable, str(place))
        _uv("pip", "install", "--python", str(python), "--requirement", str(_HERE / f"requirements-{name}.txt"))
    except NotInstalled as why:
        return why
    return str(python)


def environment_in(home: Path) -> dict[str, str]:
    """The environment variables of a peer, none of which is meant for leadgate or its Prefect server."""
    ours = ("PREFECT_", "LEADGATE_", "VIRTUAL_ENV", "PYTHONPATH")
    return quiet_environment({key: os.environ[key] for key in os.environ if not key.startswith(ours)}, str(home))


def _uv(*arguments: str) -> None:
    argv = [sys.executable, "-m", "uv", *arguments, "--quiet"]
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        print(ended.stderr, file=sys.stderr)
        raise NotInstalled(f"`uv {arguments[0]}` could not make its environment")
