"""The `leadgate` command: inside this process, or as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import app

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended: its exit code, and what it said."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> dict[str, Any]:
        """The whole of standard output, read as one JSON object."""
        document = json.loads(self.stdout)
        assert isinstance(document, dict)
        return document


def leadgate(*arguments: object, config: Path | None = None) -> Finished:
    """Run a command in this process; what no verb foresaw is raised."""
    options = ["--config", str(config)] if config else []
    result = CliRunner().invoke(app, [*map(str, arguments), *options], prog_name="leadgate")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)


def start_leadgate(
    *arguments: object, config: Path | None = None, env: Mapping[str, str] | None = None, folder: Path | None = None
) -> "subprocess.Popen[str]":
    """Start a command as a process of its own, as a terminal would."""
    options = ["--config", str(config)] if config else []
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "leadgate", *map(str, arguments), *options],
        env={**(os.environ if env is None else env), "PYTHONPATH": path},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: "subprocess.Popen[str]", seconds: float = 100) -> Finished:
    """Wait for a command that was started; kill it, and fail, when it does not end."""
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError(f"The command did not end within {seconds:g} s:\n{stdout}{stderr}") from None
    return Finished(process.returncode, stdout, stderr)
