"""What the environment says of Prefect: faults name the variable, and addresses are shown without a password."""

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path

import httpx
from pydantic import ValidationError

from leadgate.errors import ConfigError


@contextmanager
def settings_errors() -> Iterator[None]:
    """Read Prefect's settings inside of this: its own errors quote values, and are printed before they are raised."""
    try:
        with redirect_stderr(StringIO()):
            yield
    except ValidationError as error:
        fields = {str(fault["loc"][-1]).upper() for fault in error.errors(include_input=False) if fault["loc"]}
        names = [name for name in os.environ if name.startswith("PREFECT_") and name.endswith(tuple(fields))]
        raise ConfigError(
            f"{', '.join(sorted(names)) or 'PREFECT_...'}: holds what Prefect cannot read: correct it, or unset it "
            "(`prefect config view` shows the settings of a profile)"
        ) from None
    except (OSError, RuntimeError):
        raise ConfigError("HOME or PREFECT_HOME: names no folder that can be read: correct it") from None


def find_server() -> str | None:
    """The address of the server that Prefect talks to, by the environment or the active profile; it is not imported."""
    if address := os.environ.get("PREFECT_API_URL"):
        return address
    home = os.environ.get("PREFECT_HOME", "~/.prefect")
    try:
        file = Path(os.environ.get("PREFECT_PROFILES_PATH", f"{home}/profiles.toml")).expanduser()
        profiles = tomllib.loads(file.read_text("utf-8"))
        found = profiles["profiles"][os.environ.get("PREFECT_PROFILE", profiles["active"])]["PREFECT_API_URL"]
    except (OSError, RuntimeError, ValueError, LookupError, TypeError):
        return None
    return str(found)


def without_user(address: str) -> str:
    """Write an address for a message: without a user and a password, and nothing of what is no address."""
    return str(read_url(address) or "the address in PREFECT_API_URL")


def read_url(address: str) -> httpx.URL | None:
    """Read the address of a server, without a user and a password; None for what is none."""
    try:
        url = httpx.URL(address).copy_with(userinfo=b"")
    except (httpx.InvalidURL, ValueError):
        return None
    return url if url.scheme in {"http", "https"} and url.host else None
