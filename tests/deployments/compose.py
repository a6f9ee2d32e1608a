"""deployments/compose.yaml on this machine: each service's command, with its variables, files and secrets, singly."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.process import Supervised, new_folder

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deployments" / "compose.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(FILE.read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def filled(text: str) -> str:
    """A value of the file as compose reads it when none of its own variables is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text).replace("$$", "$")


def on_this_machine(path: str) -> Path:
    """The file that a path of the compose file leads to."""
    return FILE.parent / filled(path)


def in_order() -> list[str]:
    """The services as compose starts them: each after those it depends on."""
    found: list[str] = []
    while left := [name for name in SERVICES if name not in found]:
        ready = [name for name in left if set(SERVICES[name].get("depends_on", ())) <= set(found)]
        assert ready, f"these wait for each other, or for a service that is not there: {left}"
        found += ready
    return found


def files_of(service: Mapping[str, Any]) -> dict[str, Path]:
    """The files that a service is given, by the paths at which it finds them."""
    found = {}
    for mount in service.get("volumes", ()):
        source, target = (mount["source"], mount["target"]) if isinstance(mount, dict) else mount.split(":")[:2]
        if not isinstance(mount, dict) and "/" not in source:
            continue  # a volume of docker's own
        found[target] = on_this_machine(source)
    for secret in service.get("secrets", ()):
        source, target = (secret["source"], secret["target"]) if isinstance(secret, dict) else (secret, secret)
        found[f"/run/secrets/{target}"] = on_this_machine(COMPOSE["secrets"][source]["file"])
    return found


class Container:
    """A service without a container: in a folder of its own, with nothing but what the file and the image give it.

    `places` are the words of the file (hosts, ports) and what stands for them on this machine.
    """

    def __init__(self, name: str, programs: Sequence[Path], places: Mapping[str, str]) -> None:
        self.service = SERVICES[name]
        self.folder = new_folder(f"compose-{name}", {})
        self._places = dict(places)
        self._give_files()
        variables = {
            # A service's name alone is that of its host.
            key: "127.0.0.1" if value in SERVICES and key.endswith("HOST") else self._here(value)
            for key, value in self.service.get("environment", {}).items()
        }
        path = os.pathsep.join([*map(str, programs), "/usr/bin", "/bin"])
        self.env = {"PATH": path, "HOME": str(self.folder), "PGPORT": places["5432"], **_image_variables(), **variables}

    def _give_files(self) -> None:
        """Write each file to a place of its own, with this machine's hosts and ports in it."""
        files = files_of(self.service)
        if self.service["image"] == "leadgate":
            (entry,) = re.findall(r'^ENTRYPOINT \["(.+)"\]$', DOCKERFILE, re.MULTILINE)
            files[entry] = ROOT / entry.removeprefix("/leadgate/")
            self._entry = [entry]
        else:
            self._entry = shlex.split(self.service.get("entrypoint", ""))
        # The checkout stands for the image's own, and the file beside it for the one in it.
        here = {
            target: self.folder / target.removeprefix("/run/").removeprefix("/leadgate/").lstrip("/")
            for target in files
        }
        self._places |= {target: str(path) for target, path in here.items()} | {
            "/run/secrets": str(self.folder / "secrets")
        }
        for target, path in here.items():
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(self._here(files[target].read_text("utf-8")), "utf-8")
            path.chmod(files[target].stat().st_mode)

    def _here(self, text: str) -> str:
        text = filled(text) if "${" in text and ":-" in text else text
        for there in sorted(self._places, key=len, reverse=True):
            text = re.sub(rf"(?<![\w.]){re.escape(there)}(?![\w-])", self._places[there], text)
        return text

    def argv(self, command: str) -> list[str]:
        """A command of the service, with the image's or its own entry before it."""
        return [*map(self._here, self._entry), *(self._here(word) for word in shlex.split(command.replace("$$", "$")))]

    def start(self) -> Supervised:
        """Start a service that stays."""
        # A folder as the image has it, and not `/`, which servers get.
        return Supervised(self.argv(self.service["command"]), folder=self.folder, env=self.env)

    def run(self, command: str | None = None) -> str:
        """Run a service that ends, to its end; return what it printed. It must end with 0."""
        argv = self.argv(command or self.service["command"])
        done = subprocess.run(
            argv, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=100
        )
        assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def is_healthy(self) -> bool:
        """Whether the service's health check passes."""
        kind, *words = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        argv = [self._here(word) for word in words]
        return subprocess.run(argv, env=self.env, capture_output=True, check=False, timeout=30).returncode == 0


def _image_variables() -> dict[str, str]:
    """What the image sets that changes what a program does."""
    return {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_CLI_COLORS": "false"}


def venv_programs() -> Path:
    """Where the commands of this venv are."""
    return Path(sys.executable).parent
