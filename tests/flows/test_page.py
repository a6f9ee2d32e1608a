"""Whether the Prefect server is gone, or only slow: what decides if a run's process still waits for it."""

import time
from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.page import is_server_gone
from tests.support.http_server import Handler, serving


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes requests, and answers long after anybody waits."""

    class Silent(Handler):
        def respond(self) -> None:
            time.sleep(5)

    with serving(Silent) as place:
        yield f"http://{place}/api"


def test_a_server_that_answers_is_there(prefect_server: str) -> None:
    """However slow its database is."""
    assert not is_server_gone()


def test_one_that_refuses_connections_is_gone() -> None:
    """It is not asked again and again."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert is_server_gone()


def test_one_that_never_answers_is_gone(silent: str) -> None:
    """Within seconds, and not after the minute that Prefect gives it."""
    began = time.monotonic()
    with temporary_settings({PREFECT_API_URL: silent}):
        assert is_server_gone()
    assert time.monotonic() - began < 30
