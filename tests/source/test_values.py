"""One reading of values: the same text is the same value in a source, in a rule and in an example, or fits in none."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TIMESTAMP, Column, Integer, MetaData, Table, Text

from leadgate.config import ExampleConfig, PolicyConfig
from leadgate.model import Columns, ColumnType, Enrichment, Lead
from leadgate.model.values import fit
from leadgate.policy.compiling import compile_policy
from leadgate.policy.examples import example_faults
from leadgate.policy.reason import fact
from tests.source.conftest import NOON, OpenSource, UserDatabase

S, I, D, B, T = (ColumnType(name) for name in ("string", "int", "double", "bool", "timestamp"))  # noqa: E741
TYPES = {f"as_{column_type}": column_type for column_type in (S, I, D, B, T)}

# What a text is read as, besides itself as a string; it fits no type that is not named.
TEXTS: dict[str, dict[ColumnType, object]] = {
    "1": {I: 1, D: 1.0, B: True},
    "0": {I: 0, D: 0.0, B: False},
    "007": {I: 7, D: 7.0},
    " -12 ": {I: -12, D: -12.0},
    "0.6": {D: 0.6},
    "1.": {D: 1.0},
    "2e3": {D: 2000.0},
    "1_000": {},
    "1_0.5": {},
    "0,6": {},
    "seven": {},
    "nan": {},
    "inf": {},
    "1e999": {},
    "9223372036854775807": {I: 2**63 - 1, D: float(2**63)},
    "9223372036854775808": {D: float(2**63)},
    "\uff11\uff12": {},
    "on": {B: True},
    "OFF": {B: False},
    " Yes ": {B: True},
    "f": {B: False},
    "maybe": {},
    "2026-03-01": {T: datetime(2026, 3, 1, tzinfo=UTC)},
    "2026-03-01 12:00:00.5-05:00": {T: NOON + timedelta(hours=5, seconds=0.5)},
    "9999-12-31T23:59:59.999999Z": {T: datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)},
    "0000-00-00 00:00:00": {},
    "": {S: None},
    "  ": {S: None},
}


def test_sources_rules_and_examples_read_the_same_text_the_same_way(sqlite_url: str, open_source: OpenSource) -> None:
    """A value in one is the same value in the others; what does not fit in one is missing or a fault in the others."""
    columns = Columns(lead={}, enrichment=TYPES)
    rule = {"name": "never", "when": "false", "then": "process", "because": "Because."}
    rules = {"rules": [rule], "otherwise": "hold", "hold_for": "1h", "keep_facts": list(TYPES)}
    policy = compile_policy(PolicyConfig.model_validate(rules), columns)
    database = UserDatabase(sqlite_url)
    database.run("CREATE TABLE leads (id INTEGER, quarantined_at TIMESTAMP)")
    table = Table("enrichment", MetaData(), Column("id", Integer), Column("updated_at", TIMESTAMP))
    for name in TYPES:
        table.append_column(Column(name, Text))
    given = {str(number): dict.fromkeys(TYPES, text) for number, text in enumerate(TEXTS)}
    database.create(table, *({"id": int(lead_id), **row} for lead_id, row in given.items()))
    read = open_source(sqlite_url, enrichment={"types": TYPES}).enrichments(list(given))

    def faults(row: dict[str, Any]) -> set[str]:
        example = ExampleConfig.model_validate({"given": row, "expect": {"verdict": "hold"}})
        return {fault.split(": ")[1] for fault in example_faults([example], policy, columns)}

    for lead_id, (text, fitting) in zip(given, TEXTS.items(), strict=True):
        expected = {name: {S: text, **fitting}.get(column_type) for name, column_type in TYPES.items()}
        assert {name: read[lead_id].columns[name] for name in TYPES} == expected
        # Rules are not given blanks: sources and examples have taken them out.
        for seen in (given[lead_id] if text.strip() else expected, expected):
            decision = policy.decide(Lead("1", NOON, {}), Enrichment("1", NOON, seen), late=False, now=NOON)
            assert decision.facts == {name: fact(value) for name, value in expected.items()}
        unfit = {f"enrichment.{name}" for name, value in expected.items() if value is None} if text.strip() else set()
        assert faults(given[lead_id]) == unfit


@pytest.mark.parametrize(
    ("value", "column_type", "expected"),
    [
        (None, S, None),
        (Decimal("12.50"), S, "12.50"),
        (Decimal("1E-7"), S, "0.0000001"),
        (Decimal("sNaN"), S, None),
        (447700900123.0, S, "447700900123"),
        (1.0, S, "1"),
        (2**64 - 1, S, "18446744073709551615"),
        (date(2026, 3, 1), S, "2026-03-01"),
        (timedelta(hours=9, minutes=5), S, "09:05:00"),
        (-timedelta(hours=838, minutes=59, seconds=59, milliseconds=500), S, "-838:59:59.5"),
        (UUID(int=1), S, "00000000-0000-0000-0000-000000000001"),
        (b"caf\xc3\xa9", S, "café"),
        (b"\xff", S, None),
        (True, S, "true"),
        ({"a": "é"}, S, '{"a": "é"}'),
        (2**63 - 1, I, 2**63 - 1),
        (2**70, I, None),
        (-(2**63) - 1, I, None),
        (Decimal(2**63), I, None),
        (b"7", I, 7),
        (7.0, I, 7),
        (7.5, I, None),
        (Decimal("NaN"), I, None),
        (Decimal("0.5"), D, 0.5),
        (float("nan"), D, None),
        (float("inf"), D, None),
        (b"\x01", B, True),
        (Decimal(0), B, False),
        (2, B, None),
        (date(2026, 3, 1), T, datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 3, 1, 12), T, datetime(2026, 3, 1, 12, tzinfo=UTC)),  # noqa: DTZ001 - as drivers give it
        (1772366400, T, datetime(2026, 3, 1, 12, tzinfo=UTC)),
        (1772366400000, T, None),
        (True, T, None),
        ([], T, None),
    ],
)
def test_a_value_is_read_as_its_type_or_not_at_all(value: object, column_type: ColumnType, expected: object) -> None:
    """Nothing is guessed: a 2 is no boolean, and a number past the year 9999 is no time."""
    assert fit(value, column_type) == expected
