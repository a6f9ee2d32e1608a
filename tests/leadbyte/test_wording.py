"""LeadByte's sentences: two are documented, the others are guesses, and what is not understood stays unclear."""

import pytest

from leadgate.leadbyte.wording import Told, says_gone, says_key_is_wrong, told_of_act
from leadgate.model import Action


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Quarantine ID '2932682' queued for processing", Told.TAKEN),
        ("Queued for processing", Told.TAKEN),
        ("Quarantine ID '2932682' has been queued for processing", Told.TAKEN),
        ("Successfully queued for processing!", Told.TAKEN),
        ("Queued for rejection", Told.OPPOSITE),
        ("Not queued for processing", Told.NOT_TAKEN),
        ("Couldn't be queued for processing", Told.NOT_TAKEN),
        ("Failed to be queued for processing", Told.NOT_TAKEN),
        ("Processing failed", Told.NOT_TAKEN),
        ("Release denied: daily cap", Told.NOT_TAKEN),
        ("Daily cap reached", Told.NOT_TAKEN),
        ("Already queued for processing", Told.GONE),
        ("Quarantine ID '2932682' has already been rejected", Told.GONE),
        ("Not found", Told.GONE),
        ("Queued for processing, then rejected", Told.UNCLEAR),
        ("Processed", Told.UNCLEAR),
        ("Queued", Told.UNCLEAR),
        ("OK", Told.UNCLEAR),
        ("Processed, but not sold", Told.UNCLEAR),
        ("", Told.UNCLEAR),
    ],
)
def test_only_what_is_plain_is_believed_of_an_act(text: str, told: Told) -> None:
    """A success in other words is neither a success nor a refusal."""
    assert told_of_act(text, Action.PROCESS) is told


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
    assert says_gone(text, of_one_lead=False)


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
    assert not says_gone(text, of_one_lead=False)


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
