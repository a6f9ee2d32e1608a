"""Whether the Prefect server that runs talk to lets everybody in; found out by one request without a password."""

from ipaddress import ip_address

import httpx

_SECONDS = 2
_CLOUD = "prefect.cloud"


def find_open_server(address: str) -> str | None:
    """Say in one line that a server elsewhere asks for no password; None if it does, or is local, or cannot be asked.

    `address` is that of its API, as in PREFECT_API_URL.
    """
    try:
        api = httpx.URL(address).copy_with(userinfo=b"")
        if _is_local(api.host) or api.host == _CLOUD or api.host.endswith(f".{_CLOUD}"):
            return None
        answer = httpx.get(f"{str(api).rstrip('/')}/admin/version", timeout=_SECONDS)
        if answer.status_code != httpx.codes.OK or not isinstance(answer.json(), str):
            return None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return None
    return (
        f"The Prefect server at {api.host} asks for no password: whoever reaches it can start runs. Start it with "
        "PREFECT_SERVER_API_AUTH_STRING, and give clients PREFECT_API_AUTH_STRING (docs/operations.md)."
    )


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
