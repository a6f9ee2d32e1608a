"""What is proven of all leads of a request at once: it was refused, failed, or came back unreadable."""

from datetime import UTC, datetime

import pytest

from leadgate.leadbyte.answers import Reply, judge_put, judge_refusal
from leadgate.model import Certainty, LeadRequest
from tests.leadbyte.exchanges import POSTED, PROCESS, PROCESSED_ANSWER, REJECT, UPDATE, judged, proven, put_one, reply

REFUSED, IN_DOUBT = Certainty.REFUSED, Certainty.IN_DOUBT
SOON = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
TRANSIENT, PERMANENT = True, False
ERROR = {"status": "Error", "message": "No such campaign"}
BEFORE_ANYTHING = [
    (Reply(sent=False, problem="no connection"), TRANSIENT),
    (Reply(429), TRANSIENT),
    (Reply(429, retry_at=SOON), TRANSIENT),
    (reply(ERROR, 429), TRANSIENT),
]
OF_UPDATES_ALONE = [
    *[(Reply(status), TRANSIENT) for status in (301, 302, 307, 308, 402, 404, 405, 407, 408, 425)],
    (Reply(503, retry_at=SOON), TRANSIENT),
    *[(Reply(status), PERMANENT) for status in (400, 409, 410, 413, 415, 422)],
    *[(reply(ERROR, status), PERMANENT) for status in (400, 404, 409, 422)],
    (reply(ERROR, 402), TRANSIENT),
    (reply(ERROR, 408), TRANSIENT),
]


@pytest.mark.parametrize(
    ("request_", "given", "transient"),
    [
        *[(request, *case) for request in (UPDATE, PROCESS, REJECT, POSTED) for case in BEFORE_ANYTHING],
        *[(UPDATE, *case) for case in OF_UPDATES_ALONE],
    ],
)
def test_what_was_provably_not_applied_is_refused_as_a_whole(
    request_: LeadRequest, given: Reply, transient: bool
) -> None:
    """Nothing was updated and nothing was done; only what says nothing about the lead is transient."""
    answer = judged(request_, given)
    assert (answer.certainty, answer.whole_request, answer.transient) == (REFUSED, True, transient)
    assert answer.updated is (False if request_.update else None)
    assert answer.acted is (False if request_.action else None)
    assert (answer.http_status, answer.retry_at) == (given.status, given.retry_at)
    assert answer.message


@pytest.mark.parametrize("given", [given for given, _ in OF_UPDATES_ALONE])
@pytest.mark.parametrize("request_", [PROCESS, REJECT, POSTED])
def test_a_refusal_of_a_whole_request_is_no_proof_that_an_act_was_not_taken(
    request_: LeadRequest, given: Reply
) -> None:
    """It may have been applied before, at least in part; what stands in front of LeadByte may have answered."""
    answer = judged(request_, given)
    assert proven(answer) == (IN_DOUBT, None, None, False)
    assert not answer.whole_request
    assert (answer.http_status, answer.retry_at) == (given.status, given.retry_at)
    assert answer.message


@pytest.mark.parametrize("given", [Reply(400), reply(ERROR, 422), Reply(503, retry_at=SOON), Reply(302)])
def test_an_act_puts_its_whole_batch_in_doubt(given: Reply) -> None:
    """The leads beside it as well, whatever is asked of them; only a batch of updates is refused."""
    beside = LeadRequest("7", {"c1": "a"})
    assert [answer.certainty for answer in judge_put([beside, PROCESS], given)] == [IN_DOUBT, IN_DOUBT]
    assert [answer.certainty for answer in judge_put([beside, UPDATE], given)] == [REFUSED, REFUSED]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("body", "is_proof"),
    [
        ({"status": "Error", "message": "Invalid API key"}, True),
        ({"status": "Error", "errors": ["Not allowed"]}, True),
        ({"message": "Forbidden"}, False),
        ({"status": "Error"}, False),
        ({}, False),
        ("<html>Request blocked</html>", False),
    ],
)
def test_a_key_is_refused_before_an_act_only_in_the_words_of_leadbyte(
    status: int, body: object, is_proof: bool
) -> None:
    """A firewall's 403 may come after the act was applied. An update may be sent again whoever said so."""
    given = reply(body, status)
    refused = judge_refusal(given, acts=True)
    assert bool(refused and refused.wrong_key) is is_proof
    of_updates = judge_refusal(given, acts=False)
    assert of_updates
    assert of_updates.wrong_key
    for request in (PROCESS, POSTED):
        assert proven(judged(request, given)) == (
            (REFUSED, False if request.update else None, False, False) if is_proof else (IN_DOUBT, None, None, False)
        )


@pytest.mark.parametrize(
    "body",
    [
        {"status": "Error", "message": "leads is required"},
        {"status": "error", "errors": [{"field": "leads", "message": "required"}]},
        {"status": "Error", "message": "Wrong", "details": {"action": "is required"}},
    ],
)
@pytest.mark.parametrize("request_", [UPDATE, PROCESS, POSTED])
def test_an_error_inside_a_success_refuses_updates_and_leaves_acts_in_doubt(
    body: dict[str, object], request_: LeadRequest
) -> None:
    """An update may be sent again; an act only where it was provably not taken."""
    answer = judged(request_, reply(body))
    assert answer.certainty is (IN_DOUBT if request_.action else REFUSED)
    assert answer.whole_request is (not request_.action)


@pytest.mark.parametrize(
    "given",
    [
        Reply(problem="no answer in time"),
        Reply(101),
        *[Reply(status) for status in (200, 201, 204, 500, 502, 503, 504, 520)],
        reply("<html>We will be back shortly</html>"),
        reply("[]"),
        reply('{"leads": [{"quarantineId": "2932682", "succ'),
        reply({"status": "Error", "message": "busy"}, 500),
        reply(PROCESSED_ANSWER, 500),
    ],
)
@pytest.mark.parametrize("request_", [UPDATE, PROCESS, POSTED])
def test_what_may_have_been_applied_is_in_doubt(given: Reply, request_: LeadRequest) -> None:
    """A lost, failed or unreadable answer proves nothing either way."""
    answer = judged(request_, given)
    assert proven(answer) == (IN_DOUBT, None, None, False)
    assert not answer.whole_request
    assert answer.message


@pytest.mark.parametrize("status", [200, 404, 410, 422])
def test_a_refusal_of_a_single_lead_may_say_that_it_is_gone(status: int) -> None:
    """Only alone: in a batch nobody knows which lead is meant."""
    said = reply({"status": "Error", "message": "Quarantine lead not found"}, status)
    assert put_one(UPDATE, said).gone
    assert not any(answer.gone for answer in judge_put([UPDATE, LeadRequest("7", {"c1": "a"})], said))


def test_a_refusal_for_our_pace_says_nothing_of_the_lead() -> None:
    """Whatever words come with it."""
    assert not put_one(UPDATE, reply({"message": "Quarantine lead not found"}, 429)).gone


def test_a_bare_not_found_said_of_the_request_is_no_lead_that_is_gone() -> None:
    """It may be the address that does not exist, and a lead taken for gone is lost."""
    assert not put_one(UPDATE, reply({"message": "Not Found"}, 404)).gone
