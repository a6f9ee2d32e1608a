"""LeadByte's sentences: two are documented, an account may be taught more, and what is not understood is unknown."""

import pytest

from leadgate.leadbyte.wording import Said, Sentences, says_key_is_wrong, shape_of
from leadgate.model import Action

DOCUMENTED = Sentences()
LEAD = "2932682"


def said(text: str, sentences: Sentences = DOCUMENTED, action: Action = Action.PROCESS) -> Said:
    """What a sentence says of an act on LEAD."""
    return sentences.of_act(text, LEAD, action)


@pytest.mark.parametrize(
    "start", ["Quarantine ID '2932682' queued", "Queued", "queued", "QUARANTINE ID ' 2932682 ' Queued"]
)
@pytest.mark.parametrize("end", ["", ".", "; postcode was moved", ", cap: 3 left", ": in 5 minutes", " (position 7)"])
@pytest.mark.parametrize("action", Action)
def test_the_documented_sentence_is_believed_with_a_remark_behind_it(start: str, end: str, action: Action) -> None:
    """Of the act that was asked; of the other one it says that the opposite was queued."""
    done, other = {Action.PROCESS: ("processing", "rejection"), Action.REJECT: ("rejection", "processing")}[action]
    assert said(f"{start} for {done}{end}", action=action) is Said.TAKEN
    assert said(f"{start} for {other}{end}", action=action) is Said.OPPOSITE


@pytest.mark.parametrize(
    "text",
    [
        "Quarantine ID '2932682' has been queued for processing",
        "Successfully queued for processing!",
        "Not queued for processing",
        "Failed: queued for processing",
        "Queued for processing failed",
        "Queued for processing is off",
        "Queued for processing? No",
        "Queued for processing - not now",
        "Queued for processings",
        "Quarantine ID '29326821' queued for processing",
        "Quarantine ID '999' queued for processing",
        "Quarantine ID '999' queued for rejection",
        "Quarantine ID 2932682 queued for processing",
        "Quarantine ID '2932682' added to the delivery queue",
        "Couldn't be queued for processing",
        "Quarantine ID '2932682' could not be queued for processing",
        "Processing failed",
        "Release denied: daily cap",
        "Daily cap reached",
        "Scheduled",
        "Sold",
        "On hold",
        "Released",
        "Processed, but not sold",
        "Processed",
        "Queued",
        "OK",
        "",
    ],
)
@pytest.mark.parametrize("action", Action)
def test_a_sentence_in_other_words_proves_nothing(text: str, action: Action) -> None:
    """Neither that the act was taken nor that it was not, however plainly it seems to say so."""
    assert said(text, action=action) is Said.UNKNOWN


@pytest.mark.parametrize(
    "text",
    ["Already queued for processing", "Quarantine ID '2932682' has already been rejected", "Not found", "Not found."],
)
def test_a_sentence_of_an_act_may_say_that_the_lead_is_gone(text: str) -> None:
    """It is about one lead, so that a bare "Not found" counts."""
    assert said(text) is Said.GONE


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Quarantine ID '2932682' added to the delivery queue", "quarantine id {id} added to the delivery queue"),
        ("Lead 2932682 sold for 12.50 to Bob Example", "lead {id} sold for {n} to …"),
        ("Quarantine ID '{id}' scheduled in {n} minutes", "quarantine id {id} scheduled in {n} …"),
        ("Call 07700 900123", "… {n} {n}"),
        ("Ann's e-mail ann@example.com!", "…"),
        ("SCHEDULED,   as requested.", "scheduled as requested"),
        ("", ""),
    ],
)
def test_the_shape_of_a_sentence_holds_its_known_words_alone(text: str, shape: str) -> None:
    """The id and numbers by what they are, the rest as one mark: names and contacts of a person are not in it."""
    assert shape_of(text, LEAD) == shape


TAUGHT = Sentences.taught(
    process=["Quarantine ID '{id}' added to the delivery queue", "Scheduled in {n} minutes"],
    reject=["Lead {id} was deleted"],
    gone=["Lead {id} was sold", "Queued for processing"],
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Quarantine ID '2932682' added to the delivery queue", Said.TAKEN),
        ("quarantine id 2932682 added to the delivery queue.", Said.TAKEN),
        ("Scheduled in 15 minutes", Said.TAKEN),
        ("Lead 2932682 was deleted", Said.OPPOSITE),
        ("Lead 2932682 was sold", Said.GONE),
        # Not the lead's id, other words, more words.
        ("Quarantine ID '7' added to the delivery queue", Said.UNKNOWN),
        ("Scheduled in 15 minutes: not yet", Said.UNKNOWN),
        ("Not scheduled in 15 minutes", Said.UNKNOWN),
        ("Lead 2932682 was not sold", Said.UNKNOWN),
        # What is documented wins.
        ("Queued for processing", Said.TAKEN),
        ("Quarantine ID '2932682' queued for rejection", Said.OPPOSITE),
    ],
)
def test_a_taught_sentence_says_what_it_was_taught_for(text: str, expected: Said) -> None:
    """Of the account it was taught for; without it, it proves nothing."""
    assert said(text, TAUGHT) is expected
    if not text.lower().startswith(("queued", "quarantine id '2932682' queued")):
        assert said(text) is Said.UNKNOWN


def test_a_kept_shape_says_what_the_sentence_said() -> None:
    """A lead that is in doubt by now is settled by a sentence that is taught later."""
    kept = shape_of("Quarantine ID '2932682' added to the delivery queue", LEAD)
    assert TAUGHT.of_shape(kept, Action.PROCESS) is Said.TAKEN
    assert TAUGHT.of_shape(kept, Action.REJECT) is Said.OPPOSITE
    assert DOCUMENTED.of_shape(kept, Action.PROCESS) is Said.UNKNOWN
    assert TAUGHT.of_shape(shape_of("Lead 2932682 was sold", LEAD), Action.PROCESS) is Said.GONE


def test_a_taught_sentence_says_that_a_lead_is_gone_after_an_update_too() -> None:
    """Every probe rests on it."""
    assert TAUGHT.says_gone("Lead 2932682 was sold", of_one_lead=False, lead_id=LEAD)
    assert not TAUGHT.says_gone("Lead 7 was sold", of_one_lead=False, lead_id=LEAD)
    assert not DOCUMENTED.says_gone("Lead 2932682 was sold", of_one_lead=False, lead_id=LEAD)


@pytest.mark.parametrize(
    "text",
    [
        "Quarantine lead not found",
        "Quarantine ID '2932682' not found in quarantine",
        "Quarantine ID 2932682 was not found.",
        "Lead could not be found",
        "Quarantined lead does not exist",
        "Lead 2932682 no longer exists",
        "Lead is not in quarantine",
        "This lead is no longer quarantined",
        "No such quarantine lead",
        "Lead already processed",
        "Update failed; Already released",
        "Unknown quarantine ID",
    ],
)
def test_a_lead_is_gone_if_the_sentence_is_about_the_lead(text: str) -> None:
    """Guesses: none is confirmed by a live account."""
    assert DOCUMENTED.says_gone(text, of_one_lead=False)


@pytest.mark.parametrize(
    "text",
    [
        "Field not found",
        "Lead field data13 not found",
        "Campaign does not exist",
        "Lead already exists",
        "Phone number already processed",
        "Quarantine lead updated",
        "Quarantine lead not updated",
        "Not found",
        "Page not found",
    ],
)
def test_no_lead_is_taken_for_gone_because_something_else_is_missing(text: str) -> None:
    """A lead taken for gone is never looked at again."""
    assert not DOCUMENTED.says_gone(text, of_one_lead=False)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Invalid API key", True),
        ("The api_key has expired", True),
        ("Missing X_KEY header", True),
        ("Invalid key", True),
        ("Invalid key 'keyword' in update", False),
        ("leads is required", False),
    ],
)
def test_a_refusal_is_about_the_api_key_only_if_it_says_so(text: str, wrong: bool) -> None:
    """A refused key stops everything, so a field called key must not."""
    assert says_key_is_wrong(text) is wrong
