"""What LeadByte's words may not carry: sent values in any spelling, others' contacts, the key; and what is left."""

import time
from base64 import b64encode
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from leadgate.leadbyte.answers import judge_act, judge_put
from leadgate.leadbyte.hiding import Hiding
from leadgate.leadbyte.refusals import Reply
from leadgate.leadbyte.spelling import plain
from leadgate.leadbyte.wording import Sentences, quoted, says_key_is_wrong, shape_of
from leadgate.model import Action, LeadRequest
from tests.fuzz.people import ways
from tests.leadbyte.exchanges import put_says, reply

KEY = "s3cret-Key/0123456789"
ANN = LeadRequest(
    "293268200017",
    {
        "phone1": "07700900123",
        "name": "Ann Example",
        "age": 7,
        "email": "jane@example.com",
        "postcode": "AB1 2CD",
        "dob": "1980-05-17",
    },
)
BOB = LeadRequest("2932683", {"name": "Séan O'Brien", "street": "1/2 Æon\\Road & Sons"})
BATCH = [ANN, BOB]


def kept(message: str, *, shapes_only: bool = False) -> str:
    """What is kept of a message about ANN in a request with BOB."""
    return Hiding(SecretStr(KEY), shapes_only=shapes_only).of(BATCH).hide(message, ANN.lead_id)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("phone1 07700900123 is taken by ANN  EXAMPLE", "phone1 [phone1] is taken by [name]"),
        ("+447700900123, (07700) 900-124", "+[number]"),
        ("+447700900123 or (07700) 900.124", "+[number] or ([number]"),
        ("Call 0770 091-0123 or tel07700910123", "Call [number] or tel[number]"),
        ("since 2026-11-26 07700910123!", "since [number]!"),
        ("Duplicate of bob.example+x@mail.example.com.", "Duplicate of [e-mail]"),
        ("by Ann\nExample, by ann-example, by AnnExample", "by [name], by [name], by [name]"),
        ("by Séan O&#039;Brien", "by [name]"),
        ("by Se\u0301an O&amp;#039;Brien", "by [name]"),
        ("by S\\u00e9an O\\u0027Brien", "by [name]"),
        ("by S%C3%A9an%20O%27Brien", "by [name]"),
        ("by S%E9an O'Brien", "by [name]"),
        ("by Sean <b>O'Brien</b>", "by [name]</b>"),
        ("by \uff33\uff45\uff41\uff4e \uff2f\uff07\uff22\uff52\uff49\uff45\uff4e", "by [name]"),
        ("at 1\\/2 Æon\\\\Road &amp; Sons", "at [street]"),
        ("mail jane%40example.com, bob%40example.net", "mail [email], [e-mail]"),
        ("mail jane&#64;example.com, bob\\u0040example.net", "mail [email], [e-mail]"),
        ("postcode AB12CD is wrong", "postcode [postcode] is wrong"),
        ("born 17/05/1980 or 5.17.80", "born [dob] or [dob]"),
        ("born on 17th May 1980; on May 17, 1980", "born on [dob]; on [dob]"),
        ("key s3cret-Key\\/0123456789", "key [hidden]"),
        ("key s3cret-Key\\u002f0123456789", "key [hidden]"),
        ("key S3CRET-KEY%2F0123456789", "key [hidden]"),
        ("key s3cret-Key&amp;#x2f;0123456789", "key [hidden]"),
        ("aged 7, not 17", "aged [age], not 17"),
        ("lead 293268200017 of 2932683: HTTP 422", "lead 293268200017 of 2932683: HTTP 422"),
        ("lead 293268200017 of 2932684: HTTP 422", "lead 293268200017 of [number]: HTTP 422"),
        ("Quarantine ID '2932683' queued for processing", "Quarantine ID '2932683' queued for processing"),
        ("Quarantine ID '07700910123' queued for processing", "Quarantine ID '[number]' queued for processing"),
    ],
)
def test_values_go_and_the_rest_stays(message: str, told: str) -> None:
    """Whatever their spelling, and whichever lead of the request they are of."""
    assert kept(message) == told


@pytest.mark.parametrize("before", ["", "X", "X_KEY: ", "12"])
def test_the_key_is_known_in_base64(before: str) -> None:
    """Wherever it begins among the bytes that were encoded."""
    said = b64encode(f"{before}{KEY}, of acme".encode()).decode()
    for core in (b64encode(bytes(shift) + KEY.encode()).decode()[4:-4] for shift in range(3)):
        assert core not in kept(f"not for {said}")


def test_what_is_escaped_without_end_leaves_its_shape_alone() -> None:
    """Nobody can say what else is in it."""
    text = "Ann Example"
    for _ in range(9):
        text = "".join(f"%{ord(each):02x}" if each in " %" else each for each in text)
    assert kept(f"Lead of {text} not found") == "lead of … {n} … not found"


@pytest.mark.parametrize("name", ["Al", "Bo", "Ann", "Li"])
def test_a_batch_with_a_very_short_name_keeps_known_words_alone(name: str) -> None:
    """It may be glued to any word, and stands in many by chance."""
    values = Hiding().of([LeadRequest("1", {"name": name}), LeadRequest("2", {"name": "Christopher"})])
    assert values.hide(f"Lead 1 of {name}Smith was not updated", "1") == "lead {id} of … was not updated"
    assert values.hide("Quarantine lead updated") == "Quarantine lead updated"


def test_messages_may_be_withheld() -> None:
    """Shapes alone are kept then, so that a sentence can still be taught; what is documented stays as it is."""
    assert kept("Lead 293268200017 was sold to Zed for 12.50", shapes_only=True) == "lead {id} was sold to … for {n}"
    assert kept("Quarantine lead updated", shapes_only=True) == "Quarantine lead updated"
    sold = put_says("Quarantine ID '2932682' sold to Zed")
    (answer,) = judge_put([LeadRequest("2932682", action=Action.PROCESS)], sold, Sentences(), Hiding(shapes_only=True))
    assert "Zed" not in answer.message
    assert answer.shape == "quarantine id {id} sold to …"


QUOTING = "Not for SEAN  O&#039;BRIEN, jane%40example.com, 0770 091 0123, s3cret-Key\\/0123456789"
ENTRY = {"quarantineId": ANN.lead_id, "success": True, "message": "ok"}
QUEUED = f"Quarantine ID '{ANN.lead_id}' queued for processing"


@pytest.mark.parametrize(
    "given",
    [
        *[
            reply(body, status)
            for status in (200, 302, 400, 401, 404, 429, 500, 503)
            for body in (
                {"status": "Error", "message": QUOTING},
                {"status": "Error", "errors": [{"message": QUOTING}, {QUOTING: QUOTING}]},
                {"leads": [ENTRY | {"message": QUOTING}]},
                {"leads": [ENTRY | {"warnings": [QUOTING]}], "quaratineReleaseResults": [QUEUED]},
                {"leads": [ENTRY | {"success": False, "errors": {QUOTING: [QUOTING]}}]},
                {"leads": [ENTRY | {"success": "?", "errors": QUOTING}]},
                {"leads": [ENTRY | {"success": False, "message": f"Lead not found: {QUOTING}"}]},
                {"leads": [ENTRY], "quaratineReleaseResults": [f"{QUEUED}: {QUOTING}"]},
                {"leads": [ENTRY], "quaratineReleaseResults": [f"ID '{ANN.lead_id}' is with {QUOTING}"]},
                {"message": QUOTING, "details": {ANN.lead_id: QUOTING}},
            )
        ],
        Reply(sent=False, problem="LeadByte cannot be reached (ProxyError)", detail=QUOTING),
        Reply(problem="lost", detail=QUOTING),
    ],
)
@pytest.mark.parametrize("action", [None, Action.PROCESS])
def test_no_answer_of_any_kind_keeps_a_value(given: Reply, action: Action | None) -> None:
    """Successes, refusals, doubts and failures; of this lead or of another in the request."""
    requests = [LeadRequest(ANN.lead_id, ANN.update, action), BOB]
    hiding = Hiding(SecretStr(KEY))
    answers = judge_put(requests, given, Sentences(), hiding)
    if action:
        # Nothing else was sent with it: others' names are not known there.
        answers.append(judge_act(LeadRequest(ANN.lead_id, ANN.update, action), given, Sentences(), hiding))
    names = ["jane@example.com", "07700910123", KEY]
    for number, answer in enumerate(answers):
        for value in [*names, *(["Séan O'Brien"] if number < 2 else [])]:
            assert plain(value) not in plain(f"{answer.message} {answer.shape}"), answer


HOSTILE = [
    "@" * 16_000,
    "." * 16_000,
    "1." * 8_000,
    "'" * 16_000,
    "lead '" * 2_700,
    "lead-1-" * 2_300,
    "lead " * 3_200,
    "quarantine id ' " * 1_000,
    "&amp" * 4_000,
    "&" * 16_000,
    "%25" * 5_300,
    "\\u005c" * 2_700,
    "<b" * 8_000,
    "<" * 16_000,
    "no " * 5_300,
    "[" * 16_000,
    "1 " * 8_000,
    "(1)  " * 3_200,
    "0770" * 4_000,
    "a" * 16_000,
    "' " * 8_000,
    "ﷺ" * 16_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:7])
def test_no_message_holds_a_run_up(text: str) -> None:
    """Time grows with the text, not with its square; and no more than 2,000 characters of it are looked at."""
    requests = [LeadRequest(str(n), {"phone1": f"0770{n:07}"}, Action.PROCESS) for n in range(1000, 1100)]
    body = {"leads": [{"quarantineId": "1000", "success": False, "message": text}], "quaratineReleaseResults": [text]}
    given = reply(body | {"message": text, "status": "Error"})
    began = time.process_time()
    judge_put(requests, given)
    judge_act(requests[0], given)
    quoted(text)
    shape_of(text)
    says_key_is_wrong(text)
    Sentences().says_gone(text, of_one_lead=True)
    assert time.process_time() - began < 1.5


NAMES = st.text("abcdéñøçxyzABC '&-/%", min_size=5, max_size=20).filter(lambda text: len(plain(text)) >= 4)
PHONES = st.from_regex(r"0[1-9][0-9]{9}", fullmatch=True)
VALUES = NAMES | PHONES | st.dates(date(1930, 1, 1), date(2010, 1, 1)) | st.emails(domains=st.just("example.com"))


@settings(max_examples=150, deadline=None)
@given(st.data(), st.lists(VALUES, min_size=1, max_size=4))
def test_no_value_is_kept_in_any_spelling(data: st.DataObject, values: list[Any]) -> None:
    """Nor in a sentence that quotes several, glued to words or not."""
    requests = [LeadRequest(f"{number}", {"q": value}) for number, value in enumerate(values)]
    glue = st.sampled_from(["", " ", ": ", " und ", "'", '"', "%", "(", " 12 "])
    message = "".join(
        data.draw(glue) + data.draw(st.sampled_from(ways(str(value)))) + data.draw(glue) for value in values
    )
    told = Hiding().of(requests).hide(message)
    for value in values:
        if len(plain(str(value))) >= 4:
            assert plain(str(value)) not in plain(told.replace("[q]", "|")), (message, told)
