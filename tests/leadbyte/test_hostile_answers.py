"""Answers that no sound server gives, on real sockets: after an act was sent each is in doubt, and none is dear."""

import asyncio
import gzip
import tracemalloc
from datetime import UTC, datetime

import pytest

from leadgate.leadbyte.pacing import read_clock, read_retry_after
from leadgate.model import Certainty
from tests.leadbyte.conftest import MakeClient
from tests.leadbyte.exchanges import PROCESS, PROCESSED_ANSWER
from tests.leadbyte.test_sockets import put_one, read_request, serving

ANSWER = PROCESSED_ANSWER.encode()
MIB = 1024 * 1024
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def head(body: bytes, *headers: str) -> bytes:
    """The head of an answer with these headers."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize("charset", ["undefined", "idna", "utf-16", "hex", "punycode", "zip", "\xff", ""])
async def test_the_charset_of_an_answer_is_not_asked_for(charset: str, make_client: MakeClient) -> None:
    """JSON is UTF-8, whatever a header says."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head(ANSWER, f"Content-Type: application/json; charset={charset}") + ANSWER)
        await writer.drain()

    async with serving(behave) as address:
        answer = await put_one(make_client, address)
    assert (answer.certainty, answer.acted) == (Certainty.ANSWERED, True)


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "\xff\xfe"}',
        PROCESSED_ANSWER.encode("utf-16"),
        b"[" * 100_000,
        b'{"leads":' * 100_000,
        b'{"leads": [{"quarantineId": ' + b"9" * 5_000 + b"}]}",
        b'{"message": "\\ud800"}',
        b'{"message": "a\\u0000b\\u001b[2J", "leads": 1e999, "leads": {}}',
        gzip.compress(ANSWER),
    ],
    ids=range(8),
)
async def test_a_body_that_is_no_answer_is_in_doubt(body: bytes, make_client: MakeClient) -> None:
    """However it is broken; what is kept of it can be stored and printed."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head(body) + body)
        await writer.drain()

    async with serving(behave) as address:
        answer = await put_one(make_client, address)
    assert (answer.certainty, answer.acted) == (Certainty.IN_DOUBT, None)
    assert answer.message.isprintable()


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_without_end_is_in_doubt_and_takes_little_memory(packed: bool, make_client: MakeClient) -> None:
    """Its connection is closed; nothing compressed is asked for, and nothing such is unpacked."""
    offered: list[bytes] = []
    closed = asyncio.Event()
    endless = gzip.compress(bytes(200 * MIB), 1) if packed else b" " * MIB

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        offered.append(await read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"Content-Encoding: gzip\r\n" if packed else b"") + b"\r\n")
        try:
            for _ in range(300):
                writer.write(endless)
                await writer.drain()
        except ConnectionError:
            closed.set()

    async with serving(behave) as address:
        tracemalloc.start()
        answer = await put_one(make_client, address)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await asyncio.wait_for(closed.wait(), 20)
    assert (answer.certainty, answer.acted) == (Certainty.IN_DOUBT, None)
    assert peak < 20 * MIB
    assert b"accept-encoding: identity\r\n" in offered[0].lower()


ODD = ["9" * 5_000, "-1", "inf", "nan", "1e999", "\xff\xfe", "Fri, 31 Dec 9999 23:59:59 GMT", "", "0"]
ODD += ["Mon, 01 Jan 0001 00:00:00 +1400", "Fri, 31 Dec 9999 23:59:59 -1200", "Sat, 01 Jan 10000 00:00:00 GMT"]
ODD += ["Sun, 01 Mar 2026 12:00:00 +99999999999", "1 " * 4_000, "(" * 8_000]


@pytest.mark.parametrize("value", ODD, ids=lambda text: text[:9])
async def test_no_header_ends_an_exchange(value: str, make_client: MakeClient) -> None:
    """Each may hold anything; an act that was answered stays answered, and any other is in doubt."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        odd = [f"{name}: {value}" for name in ("Date", "Retry-After", "Set-Cookie", "Location", "Content-Type")]
        writer.write(head(ANSWER, *odd).replace(b"200 OK", b"503 " + value[:99].encode("latin-1")) + ANSWER)
        await writer.drain()

    async with serving(behave) as address, make_client(base_url=address) as client:
        (answer,) = await client.put([PROCESS])
        client.their_now()
    assert answer.certainty is Certainty.IN_DOUBT
    clock, come_back_at = read_clock(value), read_retry_after(value, NOW)
    assert clock is None or 1970 <= clock.year < 9000
    assert come_back_at is None or 0 <= (come_back_at - NOW).total_seconds() <= 86_400


@pytest.mark.parametrize("location", ["http://[::1", "//\x80", "http://a:99999999/", "\\\\", "http://" + "a" * 300])
async def test_no_redirection_ends_an_exchange(location: str, make_client: MakeClient) -> None:
    """It is not followed, wherever it points."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head(b"", f"Location: {location}").replace(b"200 OK", b"302 Found"))
        await writer.drain()

    async with serving(behave) as address:
        answer = await put_one(make_client, address)
    assert answer.certainty is Certainty.IN_DOUBT
