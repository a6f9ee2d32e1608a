"""The failures that decide over a lead's fate, on real sockets: what httpx raises there is not ours to assume."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from leadgate.model import Answer, Certainty
from tests.leadbyte.conftest import KEY, MakeClient
from tests.leadbyte.exchanges import PROCESS, PROCESSED_ANSWER

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(behaviour: Behaviour) -> AsyncIterator[str]:
    """The address of a server that reads a request, then behaves so, then closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The head of a request; its body is read as well."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return head


async def put_one(make_client: MakeClient, base_url: str) -> Answer:
    """The answer to one lead's update and process."""
    async with make_client(base_url=base_url) as client:
        (answer,) = await client.put([PROCESS])
    return answer


async def test_a_port_where_nobody_listens_is_a_refusal(make_client: MakeClient) -> None:
    """No byte was sent."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        answer = await put_one(make_client, f"http://127.0.0.1:{reserved.getsockname()[1]}")
    assert (answer.certainty, answer.transient) == (Certainty.REFUSED, True)


async def test_a_server_without_tls_is_a_refusal_when_tls_is_asked(make_client: MakeClient) -> None:
    """The handshake fails before the request, and the key, would be sent."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert KEY.encode() not in await reader.read(1000)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(behave) as address:
        answer = await put_one(make_client, address.replace("http:", "https:"))
    assert (answer.certainty, answer.transient) == (Certainty.REFUSED, True)


async def test_a_connection_closed_after_the_request_is_in_doubt(make_client: MakeClient) -> None:
    """The server had it all."""

    async def behave(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with serving(behave) as address:
        answer = await put_one(make_client, address)
    assert (answer.certainty, answer.acted) == (Certainty.IN_DOUBT, None)


async def test_a_connection_reset_after_the_request_is_in_doubt(make_client: MakeClient) -> None:
    """As is one whose server died."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.transport.abort()

    async with serving(behave) as address:
        answer = await put_one(make_client, address)
    assert answer.certainty is Certainty.IN_DOUBT


async def test_half_an_answer_is_in_doubt(make_client: MakeClient) -> None:
    """Its status alone proves nothing."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        body = PROCESSED_ANSWER.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:40])
        await writer.drain()

    async with serving(behave) as address:
        answer = await put_one(make_client, address)
    assert answer.certainty is Certainty.IN_DOUBT


async def test_the_connection_is_kept_and_the_header_is_spelt_as_documented(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Two requests, one connection, X_KEY in capitals on the wire, and in no log of any library."""
    caplog.set_level(logging.DEBUG)
    heads: list[bytes] = []
    connections = 0

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        body = PROCESSED_ANSWER.encode()
        for _ in range(2):
            heads.append(await read_request(reader))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

    async with serving(behave) as address, make_client(base_url=address) as client:
        answers = [*await client.put([PROCESS]), *await client.put([PROCESS])]
    assert [answer.acted for answer in answers] == [True, True]
    assert connections == 1
    assert all(b"\r\nX_KEY: " + KEY.encode() + b"\r\n" in head for head in heads)
    assert {"httpx", "httpcore.http11"} <= {record.name for record in caplog.records}
    assert KEY not in caplog.text
