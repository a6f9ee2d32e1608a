"""Whether the Prefect server that is configured answers whoever asks, found out before anything waits for it."""

from leadgate.errors import ConfigError
from leadgate.leadbyte.environment import client_errors
from leadgate.prefect_settings import read_url, server_problem


def check_answers(api_url: str, *, otherwise: str = "") -> None:
    """Ask a server for its version; `api_url` is as in PREFECT_API_URL.

    Raises ConfigError for what is no address, and PrefectServerError for a server that does not answer, or not with
    this password; `otherwise` is what else to do than to start it.
    """
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - slow to import

    if read_url(api_url) is None:
        raise ConfigError("PREFECT_API_URL: is no address: write http://HOST:4200/api, or unset it")
    with client_errors():
        sync_client = get_client(sync_client=True)
    with sync_client as client:
        try:
            client.api_version()
        except Exception as error:  # noqa: BLE001 - of whatever kind, as Prefect's own `api_healthcheck` has it
            raise server_problem(error, api_url, otherwise) from None
