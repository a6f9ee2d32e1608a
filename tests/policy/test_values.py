"""Values that come from the database as another type than their column's."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from leadgate.model import Decision
from leadgate.policy.deciding import Policy

Compile = Callable[..., Policy]
Decide = Callable[..., Decision]

LAST = "timestamp('9999-12-31T23:59:59Z')"


@pytest.mark.parametrize(
    ("column", "value", "when"),
    [
        ("opted_out", 1, "enrichment.opted_out"),
        ("opted_out", 0, "!enrichment.opted_out"),
        ("opted_out", Decimal(1), "enrichment.opted_out"),
        ("opted_out", b"\x01", "enrichment.opted_out"),
        ("opted_out", "No", "!enrichment.opted_out"),
        ("opted_out", "true", "enrichment.opted_out"),
        ("age", "12", "enrichment.age == 12"),
        ("age", "12\x1f", "enrichment.age == 12"),
        ("age", 12.0, "enrichment.age == 12"),
        ("age", Decimal("12.00"), "enrichment.age == 12"),
        ("age", True, "enrichment.age == 1"),
        ("score", 1, "enrichment.score == 1"),
        ("score", Decimal("0.6"), "enrichment.score == 0.6"),
        ("score", "0.6\x1f", "enrichment.score == 0.6"),
        ("postcode", 501, "enrichment.postcode == '501'"),
        ("postcode", UUID(int=1), "enrichment.postcode.endsWith('0001')"),
        ("postcode", b"N1", "enrichment.postcode == 'N1'"),
        ("postcode", ["N1"], "enrichment.postcode == '[\"N1\"]'"),
        ("postcode", True, "enrichment.postcode == 'true'"),
        ("postcode", "Zürich 😀", "size(enrichment.postcode) == 8"),
        ("seen_at", date(2024, 2, 29), "enrichment.seen_at == timestamp('2024-02-29T00:00:00Z')"),
        ("seen_at", datetime(2024, 2, 29, 1), "enrichment.seen_at == timestamp('2024-02-29T01:00:00Z')"),  # noqa: DTZ001
        (
            "seen_at",
            datetime(2024, 2, 29, 1, tzinfo=timezone(timedelta(hours=5))),
            "enrichment.seen_at == timestamp('2024-02-28T20:00:00Z')",
        ),
        ("seen_at", "2024-02-29T01:00:00+01:00", "enrichment.seen_at == timestamp('2024-02-29T00:00:00Z')"),
        ("seen_at", 1709164800, "enrichment.seen_at == timestamp('2024-02-29T00:00:00Z')"),
        ("seen_at", datetime.max.replace(tzinfo=UTC), f"enrichment.seen_at == {LAST}"),
        ("seen_at", datetime.min.replace(tzinfo=UTC), "enrichment.seen_at < now"),
    ],
)
def test_a_value_of_another_type_is_taken_where_nothing_is_lost(
    compile_rules: Compile, decide: Decide, column: str, value: object, when: str
) -> None:
    """Drivers' habits (0 and 1, Decimal, dates, numbers as text) do not change what a rule says."""
    decision = decide(compile_rules(when), {column: value})
    assert (decision.rule, decision.unanswered) == ("r1", ())


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("opted_out", 2, "bool"),
        ("opted_out", Decimal("sNaN"), "bool"),
        ("age", 12.5, "whole number"),
        ("age", "twelve", "whole number"),
        ("age", 2**63, "whole number"),
        ("age", Decimal("Infinity"), "whole number"),
        ("score", float("inf"), "decimal number"),
        ("score", float("nan"), "decimal number"),
        ("score", Decimal("sNaN"), "decimal number"),
        ("score", Decimal("1e999"), "decimal number"),
        ("score", 2**53 + 1, "decimal number"),
        ("postcode", b"\xff", "string"),
        ("postcode", float("nan"), "string"),
        ("postcode", "N1\0", "string"),
        ("postcode", "N1\ud800", "string"),
        ("seen_at", "yesterday", "timestamp"),
        ("seen_at", True, "timestamp"),
    ],
)
def test_a_value_that_does_not_fit_counts_as_missing_and_is_said(
    compile_rules: Compile, decide: Decide, column: str, value: object, kind: str
) -> None:
    """The value itself is not quoted; what is said names the column and the type it should have."""
    decision = decide(compile_rules(f"missing.{column}", keep_facts=[column]), {column: value})
    assert (decision.rule, decision.facts) == ("r1", {column: None})
    assert decision.unanswered == (f"enrichment.{column} does not hold a {kind}, so it counts as missing",)
