"""One normal form of an id for everybody who writes one: LeadByte, and somebody at the keyboard."""

import json
from pathlib import Path

import pytest

from leadgate.leadbyte.answers import judge_act, judge_put
from leadgate.leadbyte.refusals import Reply
from leadgate.leadbyte.wire import read_body
from leadgate.model import Action, LeadRequest
from tests.support.command import leadgate
from tests.support.pipelines import Practice

ODD = [" 17", "17 ", "17\n", "\ufeff17", "17\u00a0", "1\u200b7", "\u200e17"]
REQUEST = LeadRequest("17", {"postcode": "TN25 6QD"}, Action.PROCESS)


@pytest.mark.parametrize("odd", ODD)
def test_an_answer_is_of_the_lead_whatever_cannot_be_seen_in_its_id(odd: str) -> None:
    """In a list, in a sentence, and as a key."""
    entry = {"quarantineId": odd, "success": True, "message": "Quarantine lead updated"}
    said = f"Quarantine ID '{odd}' queued for processing"
    put = {"status": "Success", "message": "OK", "leads": [entry], "quaratineReleaseResults": [said]}
    (answer,) = judge_put([REQUEST], Reply(200, read_body(json.dumps(put))))
    assert (answer.updated, answer.acted) == (True, True)
    post = {"status": "Success", "message": "OK", "details": {odd: "Queued for processing"}}
    assert judge_act(REQUEST, Reply(200, read_body(json.dumps(post)))).acted is True


@pytest.mark.parametrize("odd", ODD)
def test_a_lead_is_found_by_what_was_copied(tmp_path: Path, odd: str) -> None:
    """From a spreadsheet, say: the message names the id as it is kept."""
    practice = Practice(tmp_path, "http://127.0.0.1:9")
    practice.close()
    ended = leadgate("explain", odd, config=practice.file)
    assert "knows no lead '17'" in ended.stderr
