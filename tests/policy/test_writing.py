"""What is written onto leads: columns as the source has them, calculations, texts, and what becomes of no value."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from leadgate.config import FieldConfig
from leadgate.config.update import UpdateConfig
from leadgate.errors import PolicyError
from leadgate.model import Columns, Decision, Enrichment, Lead, Verdict
from leadgate.policy.writing import Update, Written, hold_for_values
from tests.policy.conftest import NOW

_FIELDS = TypeAdapter(UpdateConfig)


def fields(**update: Any) -> dict[str, FieldConfig]:  # noqa: ANN401 - as in the file
    """The section as the file has it."""
    return _FIELDS.validate_python(update)


def written(
    columns: Columns, field: object, enrichment: dict[str, Any] | None = None, lead: dict[str, Any] | None = None
) -> Written:
    """What one field makes of a lead."""
    arrived = None if enrichment is None else Enrichment("7", NOW, enrichment)
    return Update(fields(data1=field), columns).write(Lead("7", NOW, lead or {}), arrived)


@pytest.mark.parametrize(
    ("field", "enrichment", "lead", "expected"),
    [
        ("postcode", {"postcode": "N1"}, {}, {"data1": "N1"}),
        ("postcode", {"postcode": None}, {}, {}),
        ("postcode", None, {}, {}),
        ({"from": "lead.campaign"}, None, {"campaign": "solar"}, {"data1": "solar"}),
        ("lead.campaign", {"campaign": "x"}, {}, {}),
        ({"text": "leadgate"}, None, {}, {"data1": "leadgate"}),
        ({"from": "postcode", "when_null": "blank"}, {"postcode": None}, {}, {"data1": ""}),
        ({"from": "postcode", "when_null": "blank"}, {"postcode": "N1"}, {}, {"data1": "N1"}),
        ({"value": "enrichment.score * 100.0"}, {"score": 0.5}, {}, {"data1": 50.0}),
        ({"value": "int(enrichment.score * 100.0)"}, {"score": 0.5}, {}, {"data1": 50}),
        (
            {"value": "enrichment.phone_verified && !enrichment.opted_out"},
            {"phone_verified": False},
            {},
            {"data1": False},
        ),
        ({"value": "enrichment.phone_verified"}, {"phone_verified": True}, {}, {"data1": True}),
        ({"value": "enrichment.seen_at"}, {"seen_at": NOW}, {}, {"data1": NOW}),
        (
            {"value": "lead.campaign + ' ' + enrichment.postcode"},
            {"postcode": "N1"},
            {"campaign": "A"},
            {"data1": "A N1"},
        ),
        ({"value": "enrichment.postcode.replace(' ', '')"}, {"postcode": "N1 7AA"}, {}, {"data1": "N17AA"}),
        ({"value": "enrichment.score > 0.5 ? 'hot' : 'cold'"}, {"score": 0.9}, {}, {"data1": "hot"}),
        # No answer is no value: a column is missing, a calculation fails, a number is none, a text is blank.
        ({"value": "enrichment.score * 100.0"}, {"age": 1}, {}, {}),
        ({"value": "100 / enrichment.age"}, {"age": 0}, {}, {}),
        ({"value": "1.0 / enrichment.score"}, {"score": 0.0}, {}, {}),
        ({"value": "int(enrichment.postcode)"}, {"postcode": "N1"}, {}, {}),
        ({"value": "enrichment.postcode.trim()"}, {"postcode": " \t"}, {}, {}),
        ({"value": "enrichment.age + 1", "when_null": "blank"}, {}, {}, {"data1": ""}),
    ],
)
def test_what_is_written(
    columns: Columns, field: object, enrichment: dict[str, Any] | None, lead: dict[str, Any], expected: dict[str, Any]
) -> None:
    """A column, a calculation or a text; what has no value is left out, or blank where that is asked for."""
    found = written(columns, field, enrichment, lead)
    assert (found.fields, list(found.held_by)) == (expected, [])


def test_columns_are_written_as_the_source_has_them(columns: Columns) -> None:
    """A date as that date, a number with all its digits, though rules see an instant and a fraction."""
    seen = {"seen_at": datetime(1985, 6, 15, tzinfo=UTC), "score": 0.1}
    own = {"seen_at": date(1985, 6, 15), "score": Decimal("0.10")}
    update = Update(fields(dob="seen_at", data2="score"), columns)
    found = update.write(Lead("7", NOW), Enrichment("7", NOW, seen, own))
    assert found.fields == {"dob": date(1985, 6, 15), "data2": Decimal("0.10")}


@pytest.mark.parametrize("field", [{"from": "score"}, {"value": "enrichment.score * 100.0"}, {"from": "lead.attempts"}])
def test_only_what_the_source_says_is_empty_is_written_empty(columns: Columns, field: dict[str, str]) -> None:
    """Not for a lead without the row, nor for a value that could not be read: that says nothing of the lead."""
    update = Update(fields(data1=field | {"when_null": "blank"}), columns)
    lead = Lead("7", NOW, {"campaign": "solar"})
    seen, unread = {"score": None, "age": 1}, Enrichment("7", NOW, {"score": None}, unfit={"score": ""})
    assert update.write(lead, Enrichment("7", NOW, seen)).fields == {"data1": ""}
    of_lead = field.get("from") == "lead.attempts"
    assert update.write(lead, None).fields == ({"data1": ""} if of_lead else {})
    assert update.write(lead, unread).fields == ({"data1": ""} if of_lead else {})
    assert update.write(Lead("7", NOW), None).fields == {}
    assert update.write(Lead("7", NOW, {"attempts": None}, unfit={"attempts": ""}), None).fields == {}


@pytest.mark.parametrize(
    "value",
    [
        "enrichment.postcode.substring(0, 20)",
        "int(enrichment.postcode)",
        "lead.campaign + ' ' + enrichment.postcode",
        "missing.age ? lead.`Phone Type` : enrichment.postcode",
    ],
)
def test_a_calculation_that_fails_empties_nothing(columns: Columns, value: str) -> None:
    """The source has something, which the calculation could not use; or there is no row that says that it has not."""
    update = Update(fields(data1={"value": value, "when_null": "blank"}), columns)
    assert update.write(Lead("7", NOW, {"id": 7}), Enrichment("7", NOW, {"postcode": "N1"})).fields in (
        {},
        {"data1": "N1"},
    )
    assert update.write(Lead("7", NOW, {"id": 7}), None).fields == {}


def test_hold_names_the_fields_that_wait(columns: Columns) -> None:
    """Those with a value are written meanwhile."""
    update = Update(fields(phone1={"from": "postcode", "when_null": "hold"}, data2="score"), columns)
    found = update.write(Lead("7", NOW), Enrichment("7", NOW, {"score": 0.1}))
    assert found == Written({"data2": 0.1}, ["phone1"])


@pytest.mark.parametrize(("verdict", "expected"), [("process", "hold"), ("reject", "reject"), ("review", "review")])
def test_only_what_would_be_processed_is_held(verdict: str, expected: str) -> None:
    """A reject needs no value, and a person decides for themself."""
    decision = Decision(Verdict(verdict), "good", "A good score.", "v1")
    held = hold_for_values(decision, Written({}, ["phone1"]))
    assert held.verdict == expected
    if expected == "hold":
        told = "Held: update.phone1 has no value, and `when_null: hold`. Otherwise it would be process: A good score."
        assert held.reason == told


def test_a_person_is_not_overruled_by_a_missing_value() -> None:
    """Whoever says process knows the lead."""
    decision = Decision(Verdict.PROCESS, None, "I called.", "v1", decided_by="ann")
    assert hold_for_values(decision, Written({}, ["phone1"])) is decision


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("postcod", "update.data1: source.enrichment has no column `postcod`; did you mean postcode?"),
        ("lead.campain", "update.data1: source.leads has no column `campain`; did you mean lead.campaign?"),
        ("tags", "update.data1: column `tags` of source.enrichment is ARRAY, which cannot be read: say under"),
        ({"value": "enrichment.scor"}, "update.data1.value: unknown column enrichment.scor; did you mean"),
        ({"value": "42"}, "update.data1.value: is the same for all leads: write `text:` in place of `value:`"),
        ({"value": "days(3)"}, "update.data1.value: gives a duration, which no field of LeadByte takes"),
        ({"value": "now - enrichment.seen_at"}, "update.data1.value: gives a duration, which no field of LeadByte"),
        ({"value": "now"}, "update.data1.value: `now` is not used here: what is written goes by the lead's data alone"),
        ({"value": "days_since(enrichment.seen_at)"}, "update.data1.value: `days_since()` is not used here"),
        ({"value": "enrichment.score + 'x'"}, "update.data1.value: `+` cannot take a decimal number and a string"),
        (
            {"from": "postcode", "when_null": "hold"},
            "update.data1.when_null: `hold` never holds a lead: wait.require waits for postcode already, and no rule",
        ),
    ],
)
def test_faults_are_named_with_their_place(columns: Columns, field: object, told: str) -> None:
    """Before anything runs: unknown columns, types that no field takes, and what can have no effect."""
    with pytest.raises(PolicyError) as caught:
        Update(fields(data1=field), columns, ["postcode"])
    (problem,) = caught.value.problems
    assert problem.startswith(told)
