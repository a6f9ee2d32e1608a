"""The API key goes into one header of each request, and nowhere else."""

import logging
import traceback

import httpx
import pytest
import respx
from pydantic import SecretStr

from leadgate.errors import ConfigError, LeadByteError
from tests.leadbyte.conftest import KEY, MakeClient, sent
from tests.leadbyte.exchanges import PROCESS


async def test_the_key_is_in_no_log_answer_or_error(
    leadbyte: respx.MockRouter, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even when LeadByte repeats it, with everything logged."""
    caplog.set_level(logging.DEBUG)
    echo = {"status": "Error", "message": f"Not for {KEY}", "errors": [{"given_key": KEY}]}
    leadbyte.put("/leads").mock(
        side_effect=[
            httpx.Response(200, json=echo),
            httpx.ReadTimeout(KEY),
            httpx.LocalProtocolError(f"Illegal header value b'{KEY}'"),
            httpx.Response(403, json=echo),
        ]
    )
    shown: list[str] = []
    async with make_client() as client:
        for _ in range(3):
            shown += [repr(answer) for answer in await client.put([PROCESS])]
        with pytest.raises(LeadByteError) as refused:
            await client.put([PROCESS])
        shown += traceback.format_exception(refused.value)
        frames = traceback.StackSummary.extract(traceback.walk_tb(refused.tb), capture_locals=True)
        inside = [repr(frame.locals) for frame in frames if "/leadgate/leadbyte/" in frame.filename]
        shown += [*inside, repr(client), repr(vars(client)), repr(client._http.headers), caplog.text]
    assert len(sent(leadbyte)) == 4
    assert inside
    assert caplog.text
    assert not [text for text in shown if KEY in text]
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize("key", ["", "  ", "two words", "tab\tbed", "line\nbreak", "schlüssel", "nul\0"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: str, make_client: MakeClient) -> None:
    """A protocol error would quote it."""
    with pytest.raises(ConfigError, match=r"leadbyte\.api_key") as refused:
        make_client(api_key=SecretStr(key))
    assert not key.strip() or key not in str(refused.value)


async def test_a_line_break_around_the_key_is_left_out(leadbyte: respx.MockRouter, make_client: MakeClient) -> None:
    """Files with secrets often end with one."""
    leadbyte.put("/leads").respond(200, json={})
    async with make_client(api_key=SecretStr(f"{KEY}\n")) as client:
        await client.check()
    assert sent(leadbyte)[0].headers["X_KEY"] == KEY
