"""What each answer proves about a lead: the table of docs/leadbyte.md, line by line."""

from datetime import UTC, datetime

import pytest

from leadgate.leadbyte.answers import Reply, judge_act, judge_put, refuse_unsent
from leadgate.model import Action, Answer, Certainty, LeadRequest
from tests.leadbyte.exchanges import (
    LEAD,
    POSTED,
    POSTED_ANSWER,
    PROCESS,
    PROCESSED_ANSWER,
    REJECT,
    UPDATE,
    UPDATED_ANSWER,
    lead_says,
    put_says,
    reply,
)

ANSWERED, REFUSED, IN_DOUBT = Certainty.ANSWERED, Certainty.REFUSED, Certainty.IN_DOUBT
QUEUED = "Quarantine ID '2932682' queued for processing"
SOON = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)


def put_one(request: LeadRequest, given: Reply) -> Answer:
    """The answer for one lead sent alone."""
    (answer,) = judge_put([request], given)
    return answer


def proven(answer: Answer) -> tuple[Certainty, bool | None, bool | None, bool]:
    """What the ledger acts upon: certainty, updated, acted, gone."""
    return answer.certainty, answer.updated, answer.acted, answer.gone


@pytest.mark.parametrize(
    ("request_", "given", "expected"),
    [
        (UPDATE, reply(UPDATED_ANSWER), (ANSWERED, True, None, False)),
        (PROCESS, reply(PROCESSED_ANSWER), (ANSWERED, True, True, False)),
        (REJECT, put_says("Quarantine ID '2932682' queued for rejection"), (ANSWERED, True, True, False)),
        # The act is told by the release results alone, whatever the update says.
        (PROCESS, put_says(QUEUED, success=False), (ANSWERED, False, True, False)),
        (PROCESS, put_says(QUEUED, success=None), (ANSWERED, None, True, False)),
        (PROCESS, put_says(), (IN_DOUBT, True, None, False)),
        (PROCESS, reply({"leads": [], "quaratineReleaseResults": [QUEUED]}), (ANSWERED, None, True, False)),
        (PROCESS, reply({"leads": [lead_says()], "quarantineReleaseResults": [QUEUED]}), (ANSWERED, True, True, False)),
        (PROCESS, put_says("quarantine id  ' 2932682 '  QUEUED for\nProcessing."), (ANSWERED, True, True, False)),
        (PROCESS, put_says("Quarantine ID '2932682' queued for rejection"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says("Quarantine ID '999' queued for processing"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says("Quarantine ID '29326821' queued for processing"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says(QUEUED, "Quarantine ID '2932682' on hold"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says("Quarantine ID '2932682' on hold"), (ANSWERED, True, False, False)),
        (
            PROCESS,
            put_says("Quarantine ID '2932682' could not be queued for processing"),
            (ANSWERED, True, False, False),
        ),
        (PROCESS, put_says("Quarantine ID '2932682' was not processed: cap"), (ANSWERED, True, False, False)),
        (PROCESS, put_says("Quarantine ID '2932682' not found in quarantine"), (ANSWERED, True, False, True)),
        (PROCESS, put_says("Quarantine ID '2932682' already queued for processing"), (ANSWERED, True, False, True)),
        (
            PROCESS,
            put_says("Quarantine ID '2932682' on hold", success=False, message="Lead not found"),
            (ANSWERED, False, False, True),
        ),
        (
            PROCESS,
            reply({"quaratineReleaseResults": ["Quarantine ID '1' on hold"], "quarantineReleaseResults": [QUEUED]}),
            (ANSWERED, None, True, False),
        ),
        # A success in words we do not know must not be sent again, and must not be believed.
        (PROCESS, put_says("Quarantine ID '2932682' released"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says("Quarantine ID '2932682' will be queued for processing"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says(message="Quarantine lead already processed"), (IN_DOUBT, True, None, False)),
        # Said of the update alone.
        (UPDATE, put_says(success=False, message="Invalid postcode"), (REFUSED, False, None, False)),
        (PROCESS, put_says(success=False, message="Invalid postcode"), (REFUSED, False, False, False)),
        (UPDATE, put_says(success=False, message="Quarantine lead not found"), (ANSWERED, False, None, True)),
        (PROCESS, put_says(success=False, message="Lead is no longer in quarantine"), (ANSWERED, False, False, True)),
        (UPDATE, put_says(success=False, message="Failed", errors=["Lead not found"]), (ANSWERED, False, None, True)),
        (UPDATE, put_says(success=False, message="Field data13 not found"), (REFUSED, False, None, False)),
        (UPDATE, put_says(success="1"), (ANSWERED, True, None, False)),
        (UPDATE, put_says(success="perhaps"), (IN_DOUBT, None, None, False)),
        (UPDATE, reply({"leads": [lead_says(), lead_says(success=False)]}), (IN_DOUBT, None, None, False)),
        (UPDATE, reply({"leads": [lead_says() | {"quarantineId": 2932682}]}), (ANSWERED, True, None, False)),
        (UPDATE, reply({"leads": {"0": lead_says()}}), (ANSWERED, True, None, False)),
        # An id that is missing is never overlooked.
        (UPDATE, reply({"status": "Success", "message": "OK", "leads": []}), (IN_DOUBT, None, None, False)),
        (UPDATE, reply({"status": "Success", "leads": None}), (IN_DOUBT, None, None, False)),
        (UPDATE, reply({"status": "Success", "leads": ["2932682"]}), (IN_DOUBT, None, None, False)),
        (PROCESS, reply({}), (IN_DOUBT, None, None, False)),
    ],
)
def test_a_put_proves_of_a_lead_what_its_entry_and_its_release_result_say(
    request_: LeadRequest, given: Reply, expected: tuple[Certainty, bool | None, bool | None, bool]
) -> None:
    """Update and act are read apart: neither implies the other."""
    assert proven(put_one(request_, given)) == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"8419715": "Queued for processing"}, (ANSWERED, None, True, False)),
        ({"8419715": "queued for  processing."}, (ANSWERED, None, True, False)),
        ({"8419715": "Queued for rejection"}, (IN_DOUBT, None, None, False)),
        ({"8419715": "Cap reached"}, (ANSWERED, None, False, False)),
        ({"8419715": "Not found"}, (ANSWERED, None, False, True)),
        ({"8419715": "Already processed"}, (ANSWERED, None, False, True)),
        ({"8419715": "Processed"}, (IN_DOUBT, None, None, False)),
        ({"8419715": None}, (IN_DOUBT, None, None, False)),
        ({"8419715": True}, (IN_DOUBT, None, None, False)),
        ({"999": "Queued for processing"}, (IN_DOUBT, None, None, False)),
        ([], (IN_DOUBT, None, None, False)),
    ],
)
@pytest.mark.parametrize("status", ["Success", "Error"])
def test_a_post_proves_what_the_detail_of_its_lead_says(
    details: object, status: str, expected: tuple[Certainty, bool | None, bool | None, bool]
) -> None:
    """The detail of the lead outweighs the status; an Error without any detail proves nothing."""
    assert proven(judge_act(POSTED, reply({"status": status, "message": "As said", "details": details}))) == expected


def test_the_documented_post_is_answered() -> None:
    """The literal answer of the documentation is a lead queued for processing."""
    answer = judge_act(POSTED, reply(POSTED_ANSWER))
    expected = Answer("8419715", ANSWERED, acted=True, http_status=200, message="Queued for processing")
    assert answer == expected


TRANSIENT, PERMANENT = True, False


@pytest.mark.parametrize(
    ("given", "transient"),
    [
        (Reply(sent=False, problem="no connection"), TRANSIENT),
        *[(Reply(status), TRANSIENT) for status in (301, 302, 307, 308, 402, 404, 405, 407, 408, 425, 429)],
        (Reply(503, retry_at=SOON), TRANSIENT),
        *[(Reply(status), PERMANENT) for status in (400, 409, 410, 413, 415, 422)],
        (reply({"status": "Error", "message": "No such campaign"}, 404), PERMANENT),
    ],
)
@pytest.mark.parametrize("request_", [UPDATE, PROCESS, POSTED])
def test_what_was_provably_not_applied_is_refused_as_a_whole(
    given: Reply, transient: bool, request_: LeadRequest
) -> None:
    """Nothing was updated and nothing was done; only what says nothing about the lead is transient."""
    answer = judge_act(request_, given) if request_ is POSTED else put_one(request_, given)
    assert (answer.certainty, answer.whole_request, answer.transient) == (REFUSED, True, transient)
    assert answer.updated is (False if request_.update else None)
    assert answer.acted is (False if request_.action else None)
    assert (answer.http_status, answer.retry_at) == (given.status, given.retry_at)
    assert answer.message


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
    answer = judge_act(request_, reply(body)) if request_ is POSTED else put_one(request_, reply(body))
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
    answer = judge_act(request_, given) if request_ is POSTED else put_one(request_, given)
    assert proven(answer) == (IN_DOUBT, None, None, False)
    assert not answer.whole_request
    assert answer.message


def test_a_batch_is_answered_in_the_order_it_was_asked() -> None:
    """Answers are matched by id, not by place; a lead the answer forgets is in doubt."""
    requests = [LeadRequest(lead_id, {"c1": "a"}, Action.PROCESS) for lead_id in ("1", "2", "3", "12")]
    body = {
        "leads": [{"quarantineId": lead_id, "success": True, "message": "ok"} for lead_id in (12, 3, "1")],
        "quaratineReleaseResults": [f"Quarantine ID '{lead_id}' queued for processing" for lead_id in (12, 1)],
    }
    assert [(a.lead_id, a.certainty, a.acted) for a in judge_put(requests, reply(body))] == [
        ("1", ANSWERED, True),
        ("2", IN_DOUBT, None),
        ("3", IN_DOUBT, None),
        ("12", ANSWERED, True),
    ]


def test_an_error_that_names_some_leads_leaves_the_others_in_doubt() -> None:
    """HTTP 200 with status Error: named leads are judged by themselves, and the rest may have been applied."""
    requests = [LeadRequest("1", {"c1": "a"}), LeadRequest("2", {"c1": "b"})]
    body = {"status": "Error", "message": "Some failed", "leads": [{"quarantineId": "1", "success": False}]}
    for status in (200, 400):
        first, second = judge_put(requests, reply(body, status))
        assert (first.certainty, first.whole_request) == (REFUSED, False)
        assert second.certainty is IN_DOUBT


def test_a_release_result_that_names_two_leads_proves_nothing_of_either() -> None:
    """Half of such a sentence may be about the other lead."""
    requests = [LeadRequest(lead_id, action=Action.PROCESS) for lead_id in ("1", "2")]
    body = {"quaratineReleaseResults": ["Quarantine ID '1' failed, Quarantine ID '2' queued for processing"]}
    assert [a.certainty for a in judge_put(requests, reply(body))] == [IN_DOUBT, IN_DOUBT]


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


def test_messages_show_field_names_instead_of_the_values_that_were_sent() -> None:
    """LeadByte may repeat a person's data in its errors; answers are stored and logged."""
    request = LeadRequest(LEAD, {"postcode": "TN25 6QD", "phone1": 447700900123, "gender": "M"})
    errors = [{"field": "phone1", "message": "447700900123 is no phone", "value": "447700900123"}, "tn25 6qd is wrong"]
    answer = put_one(request, put_says(success=False, message="Max. 2 errors", errors=errors))
    assert answer.message == "Max. 2 errors; field: phone1, message: [phone1] is no phone; [postcode] is wrong"
    whole = reply({"status": "Error", "message": "Bad value TN25 6QD"}, 400)
    for answer in judge_put([LeadRequest("7", {"c1": "a"}), request], whole):
        assert answer.message == "LeadByte refused the request (HTTP 400 Bad Request); Bad value [postcode]"


def test_messages_are_short_and_tell_warnings() -> None:
    """A page of errors does not fill the ledger."""
    assert put_one(UPDATE, put_says(warnings=["Postcode was moved"])).message == (
        "Quarantine lead updated; warnings: Postcode was moved"
    )
    assert len(put_one(UPDATE, put_says(success=False, errors=["wrong"] * 1000)).message) == 500


def test_a_lead_that_was_not_sent_is_refused_for_itself() -> None:
    """It is neither transient nor the batch's fault."""
    answer = refuse_unsent(PROCESS, "the value of c1 is not a finite number")
    assert answer == Answer(LEAD, REFUSED, updated=False, acted=False, message="the value of c1 is not a finite number")
