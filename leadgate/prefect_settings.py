"""What the environment says of Prefect: faults name the variable, and addresses are shown without a password."""

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path

import httpx
from pydantic import ValidationError

from leadgate.errors import ConfigError, PrefectServerError


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
    """The address of the server that Prefect talks to."""
    return find_setting("PREFECT_API_URL")


def find_setting(name: str) -> str | None:
    """What the environment or the active profile gives for a setting of Prefect's, which is not imported."""
    if value := os.environ.get(name):
        return value
    home = os.environ.get("PREFECT_HOME", "~/.prefect")
    try:
        file = Path(os.environ.get("PREFECT_PROFILES_PATH", f"{home}/profiles.toml")).expanduser()
        profiles = tomllib.loads(file.read_text("utf-8"))
        found = profiles["profiles"][os.environ.get("PREFECT_PROFILE", profiles["active"])][name]
    except (OSError, RuntimeError, ValueError, LookupError, TypeError):
        return None
    return str(found)


def without_user(address: str) -> str:
    """Write an address for a message: without a user and a password, and nothing of what is no address."""
    return str(read_url(address) or "the address in PREFECT_API_URL")


def server_problem(error: Exception, address: str, otherwise: str = "") -> PrefectServerError:
    """Say what a server has against a request, by the error of Prefect's client; `otherwise`: than to start it."""
    status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
    server = f"The Prefect server at {without_user(address)}"
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return PrefectServerError(
            f"{server} wants another password (HTTP {status}): put what its administrator calls server.api.auth_string "
            "into PREFECT_API_AUTH_STRING, as NAME:PASSWORD."
        )
    if status == httpx.codes.UNPROCESSABLE_ENTITY:
        why = "its Prefect and its libraries may not go together; docs/upgrading.md says which do."
        return PrefectServerError(f"{server} refused a request (HTTP {status}): {why}")
    if status:
        return PrefectServerError(f"{server} refused a request (HTTP {status}): is it one of Prefect's, and yours?")
    start = f"Start it, by `prefect server start`{otherwise}."
    return PrefectServerError(f"{server} does not answer ({type(error).__name__}). {start}")


def read_url(address: str) -> httpx.URL | None:
    """Read the address of a server, without a user and a password; None for what is none."""
    try:
        url = httpx.URL(address).copy_with(userinfo=b"")
    except (httpx.InvalidURL, ValueError):
        return None
    return url if url.scheme in {"http", "https"} and url.host else None
