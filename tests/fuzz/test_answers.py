"""LeadByte's answers with odd changes, by the hundred: each is judged, none is dear, and nothing else is raised."""

import json
import random
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
from pydantic import SecretStr

from leadgate.errors import KeyRefused
from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.wording import LONGEST_SHAPE
from leadgate.model import Action, Answer, Certainty, LeadRequest
from tests.support.cases import CASES, SECONDS

REQUESTS = [
    LeadRequest(f"{n}", {"postcode": "TN25 6QD", "name": f"Person {n} Example"}, Action.PROCESS) for n in (1, 2, 3)
]
ANSWER = json.dumps(
    {
        "status": "Success",
        "message": "OK",
        "leads": [{"quarantineId": f"{n}", "success": True, "message": "Quarantine lead updated"} for n in (1, 2, 3)],
        "quaratineReleaseResults": [f"Quarantine ID '{n}' queued for processing" for n in (1, 2, 3)],
    }
).encode()
HEADERS = ("Content-Type", "Content-Encoding", "Content-Length", "Date", "Retry-After", "Location", "Set-Cookie", "X")
VALUES = (
    *("application/json; charset=undefined", "text/html", "gzip", "br", "-1", "0", "9" * 5000, "1e999", "inf", "NaN"),
    *(
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 0000 00:00:00 GMT",
        "30",
        "\xff\xfe",
        "",
        ";;;",
        "a" * 9000,
        "@" * 9000,
    ),
)
PIECES = (
    *(b"", b"null", b"{}", b"[]", b"1e999", b"9" * 5000, b'"\\ud800"', b'"\\u0000"', b"\xff\xfe", b"\x00", b"[" * 3000),
    *(
        b'{"a":' * 3000,
        b"@" * 16_000,
        b"Person 1 Example",
        b"'" * 9000,
        b"\\",
        b'"',
        b"true",
        b"queued for processing" * 99,
    ),
)
STATUSES = (200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504, 599)


def mutate(number: int) -> httpx.Response:
    """An answer with a few odd changes, the same for the same number."""
    chance = random.Random(number)  # noqa: S311 - no secret
    body = ANSWER
    for _ in range(chance.randint(0, 4)):
        at, end = sorted(chance.randrange(len(body) + 1) for _ in range(2))
        end = chance.choice([at, min(end, at + 20), end])
        body = body[:at] + chance.choice(PIECES) + body[end:]
    headers = [(chance.choice(HEADERS), chance.choice(VALUES).encode("latin-1")) for _ in range(chance.randint(0, 3))]
    return httpx.Response(
        chance.choice(STATUSES),
        headers=[(name.encode(), value) for name, value in headers if name != "Content-Length"],
        stream=httpx.ByteStream(body),
    )


def client_of(transport: httpx.MockTransport) -> LeadByteClient:
    """A client that gets these answers."""
    return LeadByteClient(
        base_url="https://acme.leadbyte.com",
        api_key=SecretStr("key"),
        timeout=timedelta(seconds=30),
        concurrency=4,
        clock=lambda: datetime.now(UTC),
        transport=transport,
    )


async def test_every_answer_is_judged() -> None:
    """Whatever comes, each lead has an answer, whose words are few and can be kept; a client that goes on is none."""
    for number in range(CASES):

        def answer(_: httpx.Request, number: int = number) -> httpx.Response:
            return mutate(number)

        began = time.monotonic()
        answers: list[Answer] = []
        async with client_of(httpx.MockTransport(answer)) as client:
            with suppress(KeyRefused):
                answers = await client.put(REQUESTS)
        assert time.monotonic() - began < SECONDS, number
        for each in answers:
            assert "Example" not in each.message, number
            assert len(each.message) <= 500, number
            assert len(each.shape) <= LONGEST_SHAPE, number
            assert "\0" not in each.message, number
            each.message.encode()
            assert each.certainty in set(Certainty), number
        assert not answers or [each.lead_id for each in answers] == ["1", "2", "3"], number
