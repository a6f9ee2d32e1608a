"""What an odd environment does to a client of HTTP: one sentence that names the variable, and not what it holds."""

from datetime import UTC, datetime, timedelta

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from cli.prefect_server import prefect_api
from leadgate.errors import ConfigError
from leadgate.leadbyte import LeadByteClient

_SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NO_PROXY", "::1/128"),
        ("NO_PROXY", "[::1]"),
        ("ALL_PROXY", f"socks5://{_SECRET}:1"),
        ("HTTPS_PROXY", f"ftp://{_SECRET}"),
        ("HTTP_PROXY", f"http://{_SECRET}:abc"),
        ("http_proxy", f"http://{_SECRET}:abc"),
        ("SSL_CERT_FILE", f"/nowhere/{_SECRET}"),
        ("SSL_CERT_FILE", __file__),
        ("SSLKEYLOGFILE", f"/nowhere/{_SECRET}"),
    ],
)
def test_a_variable_that_no_client_can_use_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Before anything is sent; a proxy's address may hold a password."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        LeadByteClient(
            base_url="https://acme.leadbyte.com",
            api_key=SecretStr("key"),
            timeout=timedelta(seconds=9),
            concurrency=1,
            clock=lambda: datetime.now(UTC),
        )
    assert name in str(caught.value)
    assert value not in str(caught.value)
    assert _SECRET not in str(caught.value)


@pytest.mark.parametrize("address", ["http://s3cr3t:abc/api", "s3cr3t", "http://s3cr3t:99999/api\n", "ftp://s3cr3t"])
def test_a_prefect_server_without_an_address_is_named_by_the_variable(address: str) -> None:
    """Before a flow tries for minutes to reach it."""
    with (
        temporary_settings({PREFECT_API_URL: address}),
        pytest.raises(ConfigError, match="PREFECT_API_URL: is no address") as caught,
        prefect_api(),
    ):
        pass
    assert "s3cr3t" not in str(caught.value)
