"""What the client sends, literally, and what it makes of what comes back."""

import json
from datetime import timedelta

import httpx
import pytest
import respx

from leadgate.errors import ConfigError, KeyRefused, LeadByteUnavailable
from leadgate.leadbyte.wording import Sentences
from leadgate.model import Action, Certainty, LeadRequest
from tests.leadbyte.conftest import BASE, KEY, MakeClient, sent
from tests.leadbyte.exchanges import (
    LEAD,
    POSTED,
    POSTED_ANSWER,
    POSTED_BODY,
    PROCESS,
    PROCESS_BODY,
    PROCESSED_ANSWER,
    UPDATE,
    UPDATE_BODY,
    UPDATED_ANSWER,
)


@pytest.mark.parametrize(
    ("request_", "body", "answer", "acted"),
    [(UPDATE, UPDATE_BODY, UPDATED_ANSWER, None), (PROCESS, PROCESS_BODY, PROCESSED_ANSWER, True)],
)
async def test_a_put_is_sent_and_answered_as_documented(
    request_: LeadRequest,
    body: str,
    answer: str,
    acted: bool | None,
    leadbyte: respx.MockRouter,
    make_client: MakeClient,
) -> None:
    """The body is the documented one, with the id as text and the key in X_KEY alone."""
    leadbyte.put("/leads").respond(200, text=answer)
    async with make_client() as client:
        (said,) = await client.put([request_])
    assert (said.certainty, said.updated, said.acted) == (Certainty.ANSWERED, True, acted)
    (request,) = sent(leadbyte)
    assert json.loads(request.content) == json.loads(body)
    assert str(request.url) == f"{BASE}/restapi/v1.3/leads"
    assert (b"X_KEY", KEY.encode()) in request.headers.raw
    assert request.headers["Content-Type"] == "application/json"
    assert "Authorization" not in request.headers


async def test_a_post_is_sent_and_answered_as_documented(leadbyte: respx.MockRouter, make_client: MakeClient) -> None:
    """The id is a number there."""
    leadbyte.post("/quarantine/process").respond(200, text=POSTED_ANSWER)
    async with make_client() as client:
        said = await client.act(POSTED)
    assert (said.certainty, said.acted) == (Certainty.ANSWERED, True)
    assert sent(leadbyte)[0].content.decode() == POSTED_BODY.replace(": ", ":").replace(", ", ",")


@pytest.mark.parametrize("lead_id", ["007", "12a", "1.0", "-1", " 1", "١٢", "", "0", "9" * 30])
async def test_an_id_that_is_no_plain_number_is_not_posted(
    lead_id: str, leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """007 as 7 may be another lead."""
    async with make_client() as client:
        said = await client.act(LeadRequest(lead_id, action=Action.REJECT))
    assert (said.certainty, said.acted, said.transient, said.whole_request) == (Certainty.REFUSED, False, False, False)
    assert "whole number" in said.message
    assert not sent(leadbyte)


async def test_a_value_that_cannot_be_written_keeps_only_its_own_lead_back(
    leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """The others go through, and the answers stay in order."""
    leadbyte.put("/leads").respond(200, text=UPDATED_ANSWER)
    poison = LeadRequest("1", {"c1": "fine", "c2": float("nan")})
    async with make_client() as client:
        first, second = await client.put([poison, UPDATE])
    assert (first.lead_id, first.certainty, first.updated) == ("1", Certainty.REFUSED, False)
    assert first.message.startswith("the value of c2 is not a finite number")
    assert (second.lead_id, second.updated) == (LEAD, True)
    assert json.loads(sent(leadbyte)[0].content) == json.loads(UPDATE_BODY)


async def test_nothing_is_sent_for_nothing(leadbyte: respx.MockRouter, make_client: MakeClient) -> None:
    """No leads, no request; a lead twice, or one without anything to do, is a mistake of the caller."""
    async with make_client() as client:
        assert await client.put([]) == []
        with pytest.raises(ValueError, match="twice"):
            await client.put([UPDATE, PROCESS])
        for empty in (LeadRequest("1"), LeadRequest("1", {"c1": None})):
            with pytest.raises(ValueError, match="lead 1: there is nothing"):
                await client.put([empty])
        for wrong in (PROCESS, LeadRequest("1")):
            with pytest.raises(ValueError, match="an action and no update"):
                await client.act(wrong)
    assert not sent(leadbyte)


FAILURES = [
    (httpx.ConnectError, True),
    (httpx.ConnectTimeout, True),
    (httpx.PoolTimeout, True),
    (httpx.ProxyError, True),
    (httpx.UnsupportedProtocol, True),
    (httpx.ReadTimeout, False),
    (httpx.WriteTimeout, False),
    (httpx.ReadError, False),
    (httpx.WriteError, False),
    (httpx.CloseError, False),
    (httpx.RemoteProtocolError, False),
    (httpx.LocalProtocolError, False),
    (httpx.DecodingError, False),
    (ConnectionResetError, False),
]


@pytest.mark.parametrize(("failure", "unsent"), FAILURES)
async def test_a_failure_is_a_refusal_only_if_nothing_was_sent(
    failure: type[Exception], unsent: bool, leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """Each is an answer, none is sent again."""
    leadbyte.route().mock(side_effect=failure("quoted text"))
    async with make_client() as client:
        (put,) = await client.put([PROCESS])
        post = await client.act(POSTED)
        with pytest.raises(LeadByteUnavailable, match=BASE):
            await client.check()
    for answer in (put, post):
        assert answer.certainty is (Certainty.REFUSED if unsent else Certainty.IN_DOUBT)
        assert (answer.transient, answer.acted) == (True, False if unsent else None)
        assert ("quoted text" in answer.message) is unsent
    assert len(sent(leadbyte)) == 3


async def test_a_redirection_is_not_followed(leadbyte: respx.MockRouter, make_client: MakeClient) -> None:
    """The key does not travel to another address, and the message says what to correct."""
    leadbyte.put("/leads").respond(301, headers={"Location": "https://elsewhere.example/"})
    async with make_client() as client:
        (answer,) = await client.put([UPDATE])
    assert answer.transient
    assert "leadbyte.base_url" in answer.message
    assert len(sent(leadbyte)) == 1


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, ""),
        (403, "<html>no</html>"),
        (200, '{"status": "Error", "message": "Invalid API key"}'),
        (400, '{"status": "Error", "message": "Unknown key"}'),
    ],
)
async def test_after_a_refused_key_nothing_more_is_sent(
    status: int, answer: str, leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """The message names the address and the permissions; every later call says the same without a request."""
    leadbyte.put("/leads").respond(status, text=answer)
    async with make_client() as client:
        for call in (client.put([UPDATE]), client.act(POSTED), client.check()):
            with pytest.raises(KeyRefused, match=rf"{BASE} .*Leads > Update and Quarantine > Process"):
                await call
    assert len(sent(leadbyte)) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_web_page_instead_of_an_answer_to_an_act_is_no_refused_key(
    status: int, leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """A firewall may have shown it after the act was applied: it is in doubt, and the client goes on."""
    leadbyte.route().respond(status, html="<html>Request blocked</html>")
    async with make_client() as client:
        (put,) = await client.put([PROCESS])
        post = await client.act(POSTED)
        with pytest.raises(KeyRefused):
            await client.put([UPDATE])
    for answer in (put, post):
        assert (answer.certainty, answer.acted, answer.transient) == (Certainty.IN_DOUBT, None, False)
    assert len(sent(leadbyte)) == 3


async def test_a_key_that_leadbyte_refuses_for_an_act_stops_everything(
    leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """In its own JSON it is a refusal before anything was done."""
    leadbyte.route().respond(403, json={"status": "Error", "message": "This key may not process"})
    async with make_client() as client:
        for call in (client.act(POSTED), client.put([PROCESS])):
            with pytest.raises(KeyRefused):
                await call
    assert len(sent(leadbyte)) == 1


async def test_an_account_may_be_taught_its_sentences(leadbyte: respx.MockRouter, make_client: MakeClient) -> None:
    """The client judges both calls by them."""
    said = "Quarantine ID '{}' scheduled"
    leadbyte.put("/leads").respond(200, json={"quaratineReleaseResults": [said.format(LEAD)]})
    leadbyte.post("/quarantine/process").respond(200, json={"details": {POSTED.lead_id: said.format(POSTED.lead_id)}})
    acted = []
    for sentences in (None, Sentences.taught(process=[said.format("{id}")], reject=[], gone=[])):
        async with make_client(sentences=sentences) as client:
            acted.append([*(each.acted for each in await client.put([PROCESS])), (await client.act(POSTED)).acted])
    assert acted == [[None, None], [True, True]]


async def test_an_error_about_a_field_named_key_is_not_about_the_api_key(
    leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """One bad field does not stop everything."""
    leadbyte.put("/leads").respond(400, json={"status": "Error", "message": "Invalid key 'keyword' in update"})
    async with make_client() as client:
        (answer,) = await client.put([UPDATE])
    assert (answer.certainty, answer.transient) == (Certainty.REFUSED, False)


@pytest.mark.parametrize(
    ("status", "answer"),
    [(200, '{"status": "Success", "leads": []}'), (200, '{"status": "Error"}'), (400, '{"message": "leads required"}')],
)
async def test_check_is_content_with_any_answer_of_the_api(
    status: int, answer: str, leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """It sends no lead, so it changes nothing."""
    leadbyte.put("/leads").respond(status, text=answer)
    async with make_client() as client:
        await client.check()
    assert json.loads(sent(leadbyte)[0].content) == {"leads": []}


@pytest.mark.parametrize("status", [200, 301, 400, 404, 405, 500, 502, 503])
async def test_check_is_not_content_with_a_web_page(
    status: int, leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """Something is there, but it is not LeadByte's API."""
    leadbyte.put("/leads").respond(status, html="<html>Welcome</html>")
    async with make_client() as client:
        with pytest.raises(LeadByteUnavailable, match=rf"{BASE}.*leadbyte.base_url"):
            await client.check()


@pytest.mark.parametrize("status", [404, 500])
async def test_check_is_not_content_with_an_error_of_the_address(
    status: int, leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """A JSON 404 without any lead in the request is about the address."""
    leadbyte.put("/leads").respond(status, json={"message": "Not Found"})
    async with make_client() as client:
        with pytest.raises(LeadByteUnavailable, match=str(status)):
            await client.check()


@pytest.mark.parametrize("base_url", [BASE, f"{BASE}/", f"{BASE}/restapi/v1.3", f"{BASE}/restapi/v1.3/"])
async def test_the_path_of_the_api_is_added_once(
    base_url: str, leadbyte: respx.MockRouter, make_client: MakeClient
) -> None:
    """Whatever of it the setting already says."""
    route = leadbyte.put("/leads").respond(200, json={"leads": []})
    async with make_client(base_url=base_url) as client:
        await client.check()
    assert route.called


@pytest.mark.parametrize(
    "base_url", ["acme.leadbyte.com", "https://u:p4ss@x.com", "https://x.com/?key=p4ss", "ftp://x", ""]
)
def test_an_address_that_cannot_be_right_is_refused_at_once(base_url: str, make_client: MakeClient) -> None:
    """A password or key in it would be logged with every request, so the message does not repeat it either."""
    with pytest.raises(ConfigError, match=r"leadbyte\.base_url") as refused:
        make_client(base_url=base_url)
    assert "p4ss" not in str(refused.value)


async def test_time_outs_and_connections_follow_the_settings(make_client: MakeClient) -> None:
    """Connecting is given 10 s at most, and there are as many kept connections as requests at a time."""
    async with make_client(timeout=timedelta(seconds=45)) as client:
        assert client._http.timeout == httpx.Timeout(connect=10, read=45, write=45, pool=10)
    async with make_client(timeout=timedelta(seconds=3)) as client:
        assert client._http.timeout == httpx.Timeout(3)
