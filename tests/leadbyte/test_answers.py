"""What each answer proves about a lead: the table of docs/leadbyte.md, line by line."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from leadgate.leadbyte.answers import Reply, judge_act, judge_put, refuse_unsent
from leadgate.leadbyte.wording import Sentences
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
    judged,
    lead_says,
    proven,
    put_one,
    put_says,
    reply,
)

ANSWERED, REFUSED, IN_DOUBT = Certainty.ANSWERED, Certainty.REFUSED, Certainty.IN_DOUBT
QUEUED = "Quarantine ID '2932682' queued for processing"
SOON = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)


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
        # Only the documented sentences are believed: one that seems to say no may be said of an act that was taken.
        (PROCESS, put_says("Quarantine ID '2932682' on hold"), (IN_DOUBT, True, None, False)),
        (
            PROCESS,
            put_says("Quarantine ID '2932682' could not be queued for processing"),
            (IN_DOUBT, True, None, False),
        ),
        (PROCESS, put_says("Quarantine ID '2932682' was not processed: cap"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says("Quarantine ID '2932682' on hold", success=False), (IN_DOUBT, False, None, False)),
        (PROCESS, put_says("Quarantine ID '2932682' not found in quarantine"), (ANSWERED, True, False, True)),
        (PROCESS, put_says("Quarantine ID '2932682' already queued for processing"), (ANSWERED, True, False, True)),
        (
            PROCESS,
            put_says("Quarantine ID '2932682' on hold", success=False, message="Lead not found"),
            (IN_DOUBT, False, None, False),
        ),
        (
            PROCESS,
            reply({"quaratineReleaseResults": ["Quarantine ID '1' on hold"], "quarantineReleaseResults": [QUEUED]}),
            (ANSWERED, None, True, False),
        ),
        # A success in words we do not know must not be sent again, and must not be believed.
        (PROCESS, put_says("Quarantine ID '2932682' released"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says("Quarantine ID '2932682' added to the delivery queue"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says("Quarantine ID '2932682' scheduled"), (IN_DOUBT, True, None, False)),
        (PROCESS, put_says("Quarantine ID '2932682' sold"), (IN_DOUBT, True, None, False)),
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
        ({"8419715": "Queued for processing (position 7)"}, (ANSWERED, None, True, False)),
        ({"8419715": "Cap reached"}, (IN_DOUBT, None, None, False)),
        ({"8419715": "Scheduled"}, (IN_DOUBT, None, None, False)),
        ({"8419715": "Quarantine ID '999' queued for processing"}, (IN_DOUBT, None, None, False)),
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


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 422])
def test_an_update_that_was_refused_is_proof_of_its_act_in_a_200_alone(status: int) -> None:
    """Of an error nobody knows what was applied before it."""
    given = reply({"status": "Error", "message": "Some failed", "leads": [lead_says(success=False)]}, status)
    assert put_one(PROCESS, given).certainty is (REFUSED if status == 200 else IN_DOUBT)
    assert put_one(UPDATE, given).certainty is REFUSED


@pytest.mark.parametrize(
    ("request_", "given", "opposite"),
    [
        (PROCESS, put_says("Quarantine ID '2932682' queued for rejection"), True),
        (REJECT, put_says(QUEUED), True),
        (PROCESS, put_says(QUEUED, "Quarantine ID '2932682' queued for rejection"), True),
        (PROCESS, put_says("Quarantine ID '2932682' rejected"), False),
        (POSTED, reply({"details": {"8419715": "Queued for rejection"}}), True),
        (POSTED, reply({"details": {"8419715": "Rejected"}}), False),
    ],
)
def test_the_opposite_act_is_told_apart(request_: LeadRequest, given: Reply, opposite: bool) -> None:
    """It is in doubt like the others, but nothing is to be found out: a person looks at once."""
    answer = judged(request_, given)
    assert (answer.certainty, answer.acted, answer.opposite) == (IN_DOUBT, None, opposite)
    if opposite:
        assert "opposite" in answer.message


def test_an_unknown_sentence_is_kept_by_its_shape() -> None:
    """So that it can be taught; what is understood, or not said at all, has none."""
    answer = put_one(PROCESS, put_says("Quarantine ID '2932682' sold to Bob for 12.50"))
    assert answer.shape == "quarantine id {id} sold to … for {n}"
    assert judge_act(POSTED, reply({"details": {"8419715": "Scheduled"}})).shape == "scheduled"
    for given in (put_says(QUEUED), put_says(), Reply(500)):
        assert put_one(PROCESS, given).shape == ""
    assert len(put_one(PROCESS, put_says(f"Quarantine ID '2932682' {'not ' * 500}")).shape) == 200


def test_a_taught_sentence_is_believed_like_a_documented_one() -> None:
    """Of acts and of leads that are gone, in each place where LeadByte may say it."""
    taught = Sentences.taught(process=["Lead '{id}' scheduled"], reject=[], gone=["Lead '{id}' was sold"])
    (taken,) = judge_put([PROCESS], put_says(f"Lead '{LEAD}' scheduled"), taught)
    assert proven(taken) == (ANSWERED, True, True, False)
    (opposite,) = judge_put([REJECT], put_says(f"Lead '{LEAD}' scheduled"), taught)
    assert opposite.opposite
    posted = judge_act(POSTED, reply({"details": {POSTED.lead_id: f"Lead '{POSTED.lead_id}' scheduled"}}), taught)
    assert proven(posted) == (ANSWERED, None, True, False)
    sold = f"Lead '{LEAD}' was sold"
    for request in (UPDATE, PROCESS):
        for given in (put_says(success=False, message=sold), reply({"status": "Error", "message": sold}, 404)):
            (gone,) = judge_put([request], given, taught)
            assert gone.gone
            assert not put_one(request, given).gone
    (gone,) = judge_put([PROCESS], put_says(sold), taught)
    assert proven(gone) == (ANSWERED, True, False, True)


@pytest.mark.parametrize("request_", [UPDATE, PROCESS, POSTED])
@pytest.mark.parametrize("given", [reply(PROCESSED_ANSWER), reply(POSTED_ANSWER), Reply(400), Reply(429), Reply(502)])
def test_every_answer_says_when_it_was_given(request_: LeadRequest, given: Reply) -> None:
    """By LeadByte's clock, where its server told: the age of an act in doubt is measured by it."""
    assert judged(request_, replace(given, their_time=SOON)).their_time == SOON
    assert judged(request_, given).their_time is None


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


@pytest.mark.parametrize(
    "result",
    [
        "Quarantine ID 1 is being released",
        "Quarantine IDs '1' and '2' queued for processing",
        "All leads queued for processing",
        "Quarantine ID '999' queued for processing",
    ],
)
def test_a_release_result_that_may_be_about_any_lead_leaves_all_acts_in_doubt(result: str) -> None:
    """That an update was not taken is no proof then that its act was not either; of an update alone it still is."""
    requests = [LeadRequest(lead_id, {"c1": "a"}, Action.PROCESS) for lead_id in ("1", "2")]
    refused = [{"quarantineId": lead_id, "success": False, "message": "Invalid value"} for lead_id in ("1", "2")]
    told, silent = ({"leads": refused, "quaratineReleaseResults": results} for results in ([result], []))
    assert [a.certainty for a in judge_put(requests, reply(told))] == [IN_DOUBT, IN_DOUBT]
    assert [a.certainty for a in judge_put(requests, reply(silent))] == [REFUSED, REFUSED]
    assert put_one(LeadRequest("1", {"c1": "a"}), reply(told)).certainty is REFUSED


def test_a_release_result_that_names_two_leads_proves_nothing_of_either() -> None:
    """Half of such a sentence may be about the other lead."""
    requests = [LeadRequest(lead_id, action=Action.PROCESS) for lead_id in ("1", "2")]
    body = {"quaratineReleaseResults": ["Quarantine ID '1' failed, Quarantine ID '2' queued for processing"]}
    assert [a.certainty for a in judge_put(requests, reply(body))] == [IN_DOUBT, IN_DOUBT]


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
