"""deployments/compose.yaml without containers: each service's command, with its variables, files and secrets."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.postgres import find_binaries
from tests.support.process import Supervised, new_folder

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deployments" / "compose.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(FILE.read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
WORKDIR, SECRETS = "/leadgate", "/run/secrets"


def in_order() -> list[str]:
    """The services as compose starts them: each after those that it depends on."""
    found: list[str] = []
    while left := [name for name in SERVICES if name not in found]:
        ready = [name for name in left if set(SERVICES[name].get("depends_on", ())) <= set(found)]
        assert ready, f"these wait for each other, or for a service that is not there: {left}"
        found += ready
    return found


def files_of(name: str) -> dict[str, Path]:
    """The files that a service is given, mounted and secret, by the paths at which it finds them."""
    found = {}
    for mount in SERVICES[name].get("volumes", ()):
        source, target = (mount["source"], mount["target"]) if isinstance(mount, dict) else mount.split(":")[:2]
        if "/" in source:  # all others are volumes of docker's own
            found[target] = FILE.parent / _filled(source)
    for secret in SERVICES[name].get("secrets", ()):
        source, target = (secret["source"], secret["target"]) if isinstance(secret, dict) else (secret, secret)
        found[f"{SECRETS}/{target}"] = FILE.parent / _filled(COMPOSE["secrets"][source]["file"])
    return found


class Stand:
    """What stands for one service here: its command, in a folder of its own, given nothing but what the file says.

    `ports` are those of this machine by the ports in the file; every host is this machine.
    """

    def __init__(self, name: str, ports: Mapping[str, int]) -> None:
        self._service = SERVICES[name]
        self._folder = new_folder(f"compose-{name}", {})
        self._here = {"0.0.0.0": "127.0.0.1", SECRETS: str(self._folder / "secrets")}  # noqa: S104 - a word to replace
        self._here |= {port: str(here) for port, here in ports.items()}
        self._here |= {
            f"{host}:{p}": f"127.0.0.1:{here}" for host in (*SERVICES, "localhost") for p, here in ports.items()
        }
        self._entry = shlex.split(self._service.get("entrypoint", ""))
        files = files_of(name)
        if "build" in self._service:
            self._entry = re.findall(r'^ENTRYPOINT \["(.+)"\]$', DOCKERFILE, re.MULTILINE)
            files |= {entry: ROOT / Path(entry).relative_to(WORKDIR) for entry in self._entry}
        for target, source in files.items():
            self._give(target, source)
        variables = {
            # The name of a service alone is that of a host.
            key: "127.0.0.1" if value in SERVICES and key.endswith("HOST") else self._written(_filled(value))
            for key, value in self._service.get("environment", {}).items()
        }
        self._env = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(find_binaries()), "/usr/bin", "/bin"]),
            "HOME": str(self._folder),
            "DO_NOT_TRACK": "1",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            # Where a health check of PostgreSQL names no port, it means its own.
            "PGPORT": str(ports["5432"]),
        } | variables

    def start(self) -> Supervised:
        """Start a service that stays."""
        argv = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(self._folder), *self._argv(self._service["command"])]
        return Supervised(argv, folder=self._folder, env=self._env)

    def run(self) -> str:
        """Run a service that ends; return what it printed. It must end with 0."""
        argv = self._argv(self._service["command"])
        done = subprocess.run(
            argv, cwd=self._folder, env=self._env, capture_output=True, text=True, check=False, timeout=100
        )
        assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def is_healthy(self) -> bool:
        """Whether the health check of the service passes."""
        kind, *words = self._service["healthcheck"]["test"]
        assert kind == "CMD"
        argv = [self._written(word) for word in words]
        return subprocess.run(argv, env=self._env, capture_output=True, check=False, timeout=30).returncode == 0

    def _give(self, target: str, source: Path) -> None:
        """Write a file that the service is given into its folder, with this machine's ports in it."""
        path = self._folder / Path(target).relative_to(WORKDIR if target.startswith(WORKDIR) else "/")
        if target.startswith(SECRETS):
            path = self._folder / "secrets" / Path(target).name
        else:
            self._here[target] = str(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._written(source.read_text("utf-8")), "utf-8")
        path.chmod(source.stat().st_mode)

    def _argv(self, command: str) -> list[str]:
        return [self._written(word) for word in (*self._entry, *shlex.split(command.replace("$$", "$")))]

    def _written(self, text: str) -> str:
        """A text of the file with what is here in place of hosts, ports and paths."""
        for there in sorted(self._here, key=len, reverse=True):
            text = re.sub(rf"(?<![\w.]){re.escape(there)}(?![\w-])", self._here[there], text)
        return text


def _filled(text: str) -> str:
    """A value of the file as compose reads it when none of its own variables is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
