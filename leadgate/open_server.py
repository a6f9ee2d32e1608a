"""Whom the Prefect server that runs talk to lets in: everybody, or not even us; found out by a request or two."""

import base64

import httpx

from leadgate.errors import PrefectServerError
from leadgate.hosts import is_this_machine
from leadgate.prefect_settings import find_setting, read_url, server_problem

_SECONDS = 2
_CLOUD = "prefect.cloud"


def find_open_server(address: str) -> str | None:
    """Say in one line that a server elsewhere asks for no password; None if it does, or is local, or cannot be asked.

    `address` is that of its API, as in PREFECT_API_URL.
    """
    api = read_url(address)
    if api is None or is_this_machine(api.host) or _is_cloud(api):
        return None
    answer = _ask(api)
    if answer is None or answer.status_code != httpx.codes.OK or not _is_version(answer):
        return None
    return (
        f"The Prefect server at {api.host} asks for no password: whoever reaches it can start runs. Start it with "
        "PREFECT_SERVER_API_AUTH_STRING, and give clients PREFECT_API_AUTH_STRING (docs/operations.md)."
    )


def find_refusal(address: str) -> PrefectServerError | None:
    """Say that a server does not take our password; None if it does, or cannot be asked, or knows us by other means."""
    api = read_url(address)
    if api is None or _is_cloud(api) or any(map(find_setting, ("PREFECT_API_KEY", "PREFECT_CLIENT_CUSTOM_HEADERS"))):
        return None
    answer = _ask(api, find_setting("PREFECT_API_AUTH_STRING"))
    if answer is None or answer.status_code not in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return None
    return server_problem(httpx.HTTPStatusError("", request=answer.request, response=answer), address)


def _is_cloud(api: httpx.URL) -> bool:
    return api.host == _CLOUD or api.host.endswith(f".{_CLOUD}")


def _is_version(answer: httpx.Response) -> bool:
    try:
        return isinstance(answer.json(), str)
    except ValueError:
        return False


def _ask(api: httpx.URL, password: str | None = None) -> httpx.Response | None:
    """Ask for the server's version, with NAME:PASSWORD if one is given; None where nobody answers."""
    basic = {"Authorization": f"Basic {base64.b64encode(password.encode()).decode()}"} if password else {}
    try:
        return httpx.get(f"{str(api).rstrip('/')}/admin/version", timeout=_SECONDS, headers=basic)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return None
