"""Whether the Prefect server that runs talk to lets everybody in; found out by one request without a password."""

import httpx

from leadgate.hosts import is_this_machine
from leadgate.prefect_settings import read_url

_SECONDS = 2
_CLOUD = "prefect.cloud"


def find_open_server(address: str) -> str | None:
    """Say in one line that a server elsewhere asks for no password; None if it does, or is local, or cannot be asked.

    `address` is that of its API, as in PREFECT_API_URL.
    """
    api = read_url(address)
    if api is None or is_this_machine(api.host) or api.host == _CLOUD or api.host.endswith(f".{_CLOUD}"):
        return None
    try:
        answer = httpx.get(f"{str(api).rstrip('/')}/admin/version", timeout=_SECONDS)
        if answer.status_code != httpx.codes.OK or not isinstance(answer.json(), str):
            return None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return None
    return (
        f"The Prefect server at {api.host} asks for no password: whoever reaches it can start runs. Start it with "
        "PREFECT_SERVER_API_AUTH_STRING, and give clients PREFECT_API_AUTH_STRING (docs/operations.md)."
    )
