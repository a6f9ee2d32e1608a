"""A Prefect server that lets everybody in is said to, wherever leadgate talks to it."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from leadgate.open_server import find_open_server
from leadgate.prefect_settings import find_server
from leadgate.sandbox import Sandbox
from tests.support.command import leadgate
from tests.support.http_server import Handler, serving
from tests.support.pipelines import Practice

ELSEWHERE = "0.0.0.0"  # noqa: S104 - it is called by this name: no loopback address, and yet this machine
TOLD = f"The Prefect server at {ELSEWHERE} asks for no password"


@contextmanager
def answering(status: int, body: bytes = b'"3.8.8"') -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Give port and path of a server that answers so, and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Answer(Handler):
        def respond(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            self.answer(status, body)

    with serving(Answer) as place:
        yield f"{place.partition(':')[2]}/api", asked


@pytest.mark.parametrize(
    ("host", "status", "body", "is_open", "is_asked"),
    [
        (ELSEWHERE, 200, b'"3.8.8"', True, True),
        (f"admin:secret@{ELSEWHERE}", 200, b'"3.8.8"', True, True),
        (ELSEWHERE, 401, b'{"exception_message": "Unauthorized"}', False, True),
        (ELSEWHERE, 302, b"", False, True),
        (ELSEWHERE, 200, b"<html>Log in</html>", False, True),
        ("127.0.0.1", 200, b'"3.8.8"', False, False),
        ("localhost", 200, b'"3.8.8"', False, False),
    ],
)
def test_a_server_elsewhere_without_a_password_is_found(
    host: str, status: int, body: bytes, is_open: bool, is_asked: bool
) -> None:
    """By one request that carries no password, whatever is configured."""
    with answering(status, body) as (rest, asked):
        found = find_open_server(f"http://{host}:{rest}")
    assert (found or "").startswith(TOLD) == is_open
    assert [each["path"] for each in asked] == (["/api/admin/version"] if is_asked else [])
    assert not any("authorization" in each for each in asked)
    assert "secret" not in (found or "")


@pytest.mark.parametrize(
    "address", ["http://0.0.0.0:1/api", "nonsense", "http://[/api", "https://api.prefect.cloud/api/x"]
)
def test_a_server_that_cannot_be_asked_is_not_said_to_be_open(address: str) -> None:
    """Whether it answers is said elsewhere."""
    assert find_open_server(address) is None


def test_a_real_server_without_a_password_is_found(prefect_server: str) -> None:
    """Prefect's own answer is the one that is looked for."""
    assert (find_open_server(prefect_server.replace("127.0.0.1", ELSEWHERE)) or "").startswith(TOLD)


@pytest.mark.parametrize("by", ["a variable", "a profile"])
def test_check_says_so(tmp_path: Path, leadbyte: Sandbox, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """In one line of advice: the pipeline itself is well."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.close()
    with answering(200) as (rest, _):
        address = f"http://{ELSEWHERE}:{rest}"
        monkeypatch.setenv("PREFECT_API_URL", address)
        if by == "a profile":
            monkeypatch.delenv("PREFECT_API_URL")
            monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
            monkeypatch.delenv("PREFECT_PROFILES_PATH", raising=False)
            profile = f'active = "live"\n[profiles.live]\nPREFECT_API_URL = "{address}"\n'
            (tmp_path / "profiles.toml").write_text(profile, "utf-8")
        checked = leadgate("check", config=practice.file)
    assert checked.code == 0
    assert [TOLD in line for line in checked.stdout.splitlines()].count(True) == 1


@pytest.mark.parametrize("given", [None, "admin:wrong", "admin:right"])
def test_check_says_that_a_server_wants_another_password(
    tmp_path: Path, leadbyte: Sandbox, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    """Which a run would say too late; the password itself stands in no message."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.close()

    class Locked(Handler):
        def respond(self) -> None:
            right = f"Basic {base64.b64encode(b'admin:right').decode()}"
            self.answer(200 if self.headers["Authorization"] == right else 401, b'"3.9.1"')

    with serving(Locked) as place:
        monkeypatch.setenv("PREFECT_API_URL", f"http://{place}/api")
        monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)
        if given:
            monkeypatch.setenv("PREFECT_API_AUTH_STRING", given)
        checked = leadgate("check", config=practice.file)
    assert checked.code == (0 if given == "admin:right" else 1)
    assert ("wants another password (HTTP 401)" in checked.stderr) == (given != "admin:right")
    assert "wrong" not in checked.stderr


@pytest.mark.parametrize(
    "profiles", ["", "active", 'active = "a"', 'active = "a"\n[profiles.a]\nX = 1', "profiles = 7"]
)
def test_a_profile_without_a_server_names_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profiles: str) -> None:
    """Nor does one that cannot be read, or is not there."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))
    assert find_server() is None
    (tmp_path / "profiles.toml").write_text(profiles, "utf-8")
    assert find_server() is None
