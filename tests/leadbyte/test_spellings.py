"""A value is found in LeadByte's words in every spelling that people, forms and encodings give it."""

import pytest

from leadgate.leadbyte.hiding import Hiding
from leadgate.model import LeadRequest


@pytest.mark.parametrize(
    ("value", "said", "kept"),
    [
        # Figures of few digits, and what separates them.
        (0.75, "score 0.75 is low", "score [f] is low"),
        ("1,5", "rate 1,5 is low", "rate [f] is low"),
        ("5'9", "height 5'9 is wrong", "height [f] is wrong"),
        ("1/2", "flat 1/2 is unknown", "flat [f] is unknown"),
        (7, "score 7.5 is low", "score [f].5 is low"),
        # Letters that are no letters with an accent.
        ("Jørgen", "not Jorgen", "not [f]"),
        ("Łukasz", "not lukasz", "not [f]"),
        ("Đorđe", "not Dorde", "not [f]"),
        ("Æther", "not AETHER", "not [f]"),
        ("Müller", "not Mueller", "not [f]"),
        # What encodings make of them.
        ("Müller-Straße", "not MÃ¼ller-StraÃŸe", "not [f]"),
        ("René Dupré", "not Ren? Dupr?", "not [f]?"),
        ("Zoltán", "not Zolt\ufffdn", "not [f]"),
        ("Zoltán", "not Zolt=C3=A1n", "not [f]"),
        ("Smith", "not Smi\\164h", "not [f]"),
        # Parts of a text of several words, from four letters on.
        ("Jane Smith", "not Smith, Jane", "not [f], [f]"),
        ("12 High Street", "not 12 High St", "not 12 [f] St"),
        ("jane-smith@example.com", "not Smith", "not [f]"),
        ("Smi\u0301th", "not \\U00000053mith, \\u{00000053}mith", "not [f], [f]"),
        # Numbers and dates, written anew.
        ("25000.00", "not 25000", "not [f]"),
        ("1000.50", "not 1000.5", "not [f]"),
        (123456.0, "not 123,456", "not [f]"),
        ("17/05/80", "not 17 May 1980", "not [f]"),
        ("17/05/80", "not 1980-05-17", "not [f]"),
        ("+44 7700 900456", "not 7700 (900) - 456", "not [number]"),
    ],
)
def test_a_value_is_found_however_it_is_written(value: object, said: str, kept: str) -> None:
    """In a message about its own lead."""
    assert Hiding().of([LeadRequest("1", {"f": value})]).hide(said, "1") == kept


def test_an_answer_of_many_long_complaints_is_not_read_for_long() -> None:
    """Beyond what an account says in earnest only shapes are kept; what was read before stays as it is."""
    values = Hiding().of([LeadRequest(str(number), {"f": f"Somebody{number}"}) for number in range(1000)])
    kept = [values.hide(f"{number} a@a" + "@a" * 990, str(number)) for number in range(1000)]
    assert kept[0].startswith("0 [e-mail]")
    assert "@" not in "".join(kept)
    assert "[e-mail]" not in kept[-1]


@pytest.mark.parametrize("said", ["postcode is required", "already processed", "Invalid email address", "no database"])
def test_words_of_a_value_are_found_as_words_alone(said: str) -> None:
    """Among a thousand leads there is nearly every word, and complaints are to be read all the same."""
    values = ["Ann Post", "Lee Code", "Jo Read", "Mail Order Ltd", "Max Data", "1 Numb Road", "Base Camp"]
    requests = [LeadRequest(str(number), {"f": value}) for number, value in enumerate(values, 1)]
    assert Hiding().of(requests).hide(said, "1") == said


def test_values_that_begin_alike_are_not_compared_without_end() -> None:
    """People fill in what they like; beyond a bound the shape is kept, whose known words are harmless."""
    values = Hiding().of([LeadRequest(str(number), {"f": "a" * (4 + number)}) for number in range(1000)])
    assert values.hide("the lead is not valid " + "a" * 1900, "1") == "the lead is not valid …"
