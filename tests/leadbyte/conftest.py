"""A LeadByte that answers what a test tells it, at its documented address."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
import respx
from pydantic import SecretStr

from leadgate.leadbyte import LeadByteClient
from tests.leadbyte.virtual_time import START

BASE = "https://acme.leadbyte.co.uk"
KEY = "s3cret-Key/0123456789"

MakeClient = Callable[..., LeadByteClient]


@pytest.fixture
def leadbyte() -> Iterator[respx.MockRouter]:
    """The documented address of an account; a request it was not told about is an error."""
    with respx.mock(base_url=f"{BASE}/restapi/v1.3", assert_all_called=False) as router:
        yield router


@pytest.fixture
def make_client() -> MakeClient:
    """A client of that account; any setting can be given."""

    def make(**settings: object) -> LeadByteClient:
        given: dict[str, object] = {
            "base_url": BASE,
            "api_key": SecretStr(KEY),
            "timeout": timedelta(seconds=30),
            "concurrency": 4,
            "clock": lambda: START,
        }
        return LeadByteClient(**given | settings)  # type: ignore[arg-type]

    return make


def sent(router: respx.MockRouter) -> list[httpx.Request]:
    """The requests that reached LeadByte, in order."""
    return [call.request for call in router.calls]
