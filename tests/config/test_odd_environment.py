"""What an odd environment does to a client of HTTP: one sentence that names the variable, and not what it holds."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from pydantic import SecretStr

from cli.prefect_server import _reach_past_proxies, prefect_api
from leadgate.errors import ConfigError, PrefectServerError
from leadgate.leadbyte import LeadByteClient
from leadgate.sandbox import Sandbox, sandbox_thread
from tests.support.command import start_leadgate, wait_for
from tests.support.http_server import Handler, serving
from tests.support.pipelines import Practice

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
        ("HTTP_PROXY", f"http://{_SECRET}:99999"),
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


@pytest.mark.parametrize("host", ["xn--.leadbyte.com", "xn--a.leadbyte.com", "a" * 64 + ".com"])
def test_a_host_that_cannot_be_is_found_before_anything_is_sent(host: str) -> None:
    """A request that fails on it could have been sent, as far as anybody knows."""
    with pytest.raises(ConfigError, match=r"leadbyte\.base_url: "):
        LeadByteClient(
            base_url=f"https://{host}",
            api_key=SecretStr("key"),
            timeout=timedelta(seconds=9),
            concurrency=1,
            clock=lambda: datetime.now(UTC),
        )


def test_a_home_of_prefect_that_is_no_folder_is_named() -> None:
    """Where its own server would keep its data."""
    with (
        temporary_settings({PREFECT_HOME: Path("/dev/null"), PREFECT_API_URL: ""}),
        pytest.raises(ConfigError, match="PREFECT_HOME: no folder can be made there"),
        prefect_api(),
    ):
        pass


@pytest.mark.parametrize(("name", "value"), [("HOME", "~"), ("PREFECT_HOME", "9" * 5000)])
def test_a_home_that_is_none_is_named(tmp_path: Path, name: str, value: str) -> None:
    """Prefect itself ends with a traceback there."""
    practice = Practice(tmp_path, "http://127.0.0.1:9")
    usual = {key: held for key, held in os.environ.items() if key != "PREFECT_HOME"}
    ended = wait_for(start_leadgate("run", config=practice.file, env=usual | {name: value}))
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr == "leadgate: HOME or PREFECT_HOME: names no folder that can be read: correct it\n"
    practice.close()


def test_who_asks_no_proxy_at_all_goes_on_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The star stands for every host only where it stands alone."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    for held, expected in (("*", "*"), ("a.example", "a.example,127.0.0.1")):
        monkeypatch.setenv("no_proxy", held)
        _reach_past_proxies()
        assert os.environ["no_proxy"] == expected


def test_an_address_of_prefect_is_shown_without_its_password() -> None:
    """Nobody answers there."""
    with (
        temporary_settings({PREFECT_API_URL: "http://admin:s3cr3t@127.0.0.1:9/api"}),
        pytest.raises(PrefectServerError, match=r"at http://127\.0\.0\.1:9/api does not answer") as caught,
        prefect_api(),
    ):
        pass
    assert "s3cr3t" not in str(caught.value)


def test_a_run_reaches_its_own_server_past_a_proxy(tmp_path: Path) -> None:
    """A company's proxy knows nothing of this machine; and it would see the key of a LeadByte that is on it."""
    seen: list[str] = []

    class Proxy(Handler):
        def respond(self) -> None:
            seen.append(self.path)
            self.answer(502)

    with serving(Proxy) as place, sandbox_thread(Sandbox()) as practice_leadbyte:
        practice = Practice(tmp_path, practice_leadbyte.url, key=practice_leadbyte.key)
        practice.quarantine(1)
        practice.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.9, opted_out=False)
        proxy = {"HTTP_PROXY": f"http://{place}", "PREFECT_HOME": str(tmp_path / "prefect")}
        usual = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_API")}
        ended = wait_for(start_leadgate("run", "--json", config=practice.file, env=usual | proxy))
        assert (ended.code, ended.json()["processed"]) == (0, 1), ended.stderr
        practice.close()
    assert seen == []


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


def test_a_server_that_wants_another_password_is_not_called_silent() -> None:
    """It answers, and says what it misses."""

    class Locked(Handler):
        def respond(self) -> None:
            self.answer(200 if self.path.endswith("/health") else 401)

    with (
        serving(Locked) as address,
        temporary_settings({PREFECT_API_URL: f"http://{address}/api"}),
        pytest.raises(PrefectServerError, match=r"wants another password \(HTTP 401\): put .* PREFECT_API_AUTH_STRING"),
        prefect_api(),
    ):
        pass
