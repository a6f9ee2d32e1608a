"""What LeadByte's words may not carry: sent values, others' contacts; and what is left as it is."""

import pytest

from leadgate.leadbyte.hiding import without_values
from leadgate.model import LeadRequest

ASKED = [LeadRequest("293268200017", {"phone1": "07700900123", "name": "Ann Example", "age": 7})]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("phone1 07700900123 is taken by ANN EXAMPLE", "phone1 [phone1] is taken by [name]"),
        ("+447700900123, +44 7700 900 123 or (07700) 900-124", "[number], [number] or [number]"),
        ("Duplicate of bob.example+x@mail.example.com.", "Duplicate of [e-mail]"),
        ("lead 293268200017 of 2932682: HTTP 422, 7 errors", "lead 293268200017 of 2932682: HTTP 422, 7 errors"),
        ("since 2026-03-01 12:00:00", "since 2026-03-01 12:00:00"),
        ("Quarantine ID '2932682' queued for processing", "Quarantine ID '2932682' queued for processing"),
    ],
)
def test_values_go_and_the_rest_stays(message: str, told: str) -> None:
    """Whatever their spelling, as long as they look like what they are."""
    assert without_values(message, ASKED) == told
