"""How values are written into LeadByte's fields, and how leniently its JSON is read."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadgate.leadbyte.wire import ReplyBody, body_bytes, field_value, lead_item, prose, read_body
from leadgate.model import Action, LeadRequest


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("TN25 6QD", '"TN25 6QD"'),
        ("Zoë", '"Zoë"'),
        ("007", '"007"'),
        ("", '""'),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (0.6, "0.6"),
        (Decimal("12.50"), '"12.50"'),
        (Decimal("1E+3"), '"1000"'),
        (date(2026, 3, 1), '"2026-03-01"'),
        (datetime(2026, 3, 1, 12, 30, 15, 999, tzinfo=UTC), '"2026-03-01T12:30:15+00:00"'),
        (datetime(2026, 3, 1, 12, 30), '"2026-03-01T12:30:00"'),  # noqa: DTZ001 - a source may have such columns
        (time(9, 5), '"09:05:00"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Action.PROCESS, '"process"'),
    ],
)
def test_a_value_is_written_as_a_lead_form_would_say_it(value: object, written: str) -> None:
    """Numbers and booleans stay what they are; decimals, dates and times are text."""
    assert body_bytes({"v": field_value(value)}).decode() == f'{{"v":{written}}}'


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), b"x", ["x"], {"x": 1}, timedelta(1), "\ud800"],
)
def test_a_value_that_no_field_takes_is_refused_by_name_and_not_shown(value: object) -> None:
    """The message says which field, and what can be done about it."""
    with pytest.raises(ValueError, match=r"the value of c1 .*in the source") as refused:
        lead_item(LeadRequest("1", {"c1": value}))
    assert repr(value) not in str(refused.value)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.decimals(), st.booleans(), st.none()))
def test_whatever_is_written_is_valid_json(value: object) -> None:
    """NaN, Infinity and half characters never pass."""
    try:
        item = lead_item(LeadRequest("1", {"c1": value}))
    except ValueError:
        return
    json.loads(body_bytes(item), parse_constant=pytest.fail)


def test_nulls_and_empty_updates_are_left_out() -> None:
    """An act without anything to write has no `update`."""
    request = LeadRequest("1", {"c1": None}, Action.REJECT)
    assert lead_item(request) == {"quarantineId": "1", "action": "reject"}
    assert lead_item(LeadRequest("1", {"c1": None, "c2": "x"})) == {"quarantineId": "1", "update": {"c2": "x"}}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, ""),
        ("  two\nlines ", "two lines"),
        (["a", "", None, "b"], "a; b"),
        ([{"field": "phone1", "message": "wrong", "value": "0123"}], "field: phone1, message: wrong"),
        ({"phone1": ["too short", "no digits"]}, "phone1: too short; no digits"),
        (42, "42"),
    ],
)
def test_errors_of_any_shape_become_one_line(value: object, told: str) -> None:
    """Strings, objects and lists of either have been seen; what was sent is not repeated."""
    assert prose(value) == told


@pytest.mark.parametrize("text", ["", "null", "[]", '"Success"', "<html>", '{"leads": [', "Warning: x {}"])
def test_what_is_no_json_object_is_no_answer(text: str) -> None:
    """Whatever the status was."""
    assert read_body(text) is None


def test_a_byte_order_mark_does_not_hide_an_answer() -> None:
    """PHP files that were saved with one send it along."""
    body = read_body('\ufeff\n{"status": "Success"}')
    assert body
    assert body.status == "Success"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
_KEYS = ["status", "message", "errors", "leads", "details", "quaratineReleaseResults", "quarantineReleaseResults"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(_KEYS),
        _JSON
        | st.lists(
            st.dictionaries(st.sampled_from(["quarantineId", "success", "message", "errors", "warnings"]), _JSON)
        ),
    )
)
def test_no_oddity_makes_an_object_unreadable(body: dict[str, Any]) -> None:
    """One strange field must not put a whole batch in doubt."""
    assert isinstance(read_body(json.dumps(body)), ReplyBody)


ODD = {
    "half a character": b'"\\ud83d"',
    "no UTF-8": b'"caf\xe9"',
    "a number without end": b"9" * 5_000,
    "no number": b"NaN",
    "a control character": b'"caf\x00\x1b"',
    "a line break": b'"a\nb"',
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", [b'"message": %s', b'"quarantineId": %s', b'"colour": %s'])
def test_an_odd_value_costs_itself_alone(odd: bytes, place: bytes) -> None:
    """In what is said of one lead, or for its id: what is said of the others is read."""
    entries = [b'{"quarantineId": "1", "success": true, %s}' % (place % odd), b'{"quarantineId": "2", "success": true}']
    body = read_body(b'{"status": "Success", "message": "OK", "leads": [%s]}' % b", ".join(entries))
    assert body is not None
    assert (body.leads[1].lead_id, body.leads[1].success) == ("2", True)
    assert all(character.isprintable() for entry in body.leads for character in entry.text())


def test_half_a_character_makes_another_id() -> None:
    """What is said of `1` and half a character is not said of lead 1."""
    body = read_body(b'{"leads": [], "quaratineReleaseResults": ["Quarantine ID \'1\\ud800\' queued for processing"]}')
    assert body is not None
    assert body.releases == ["Quarantine ID '1\ufffd' queued for processing"]
