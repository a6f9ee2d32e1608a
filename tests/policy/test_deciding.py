"""What a decision holds: the first rule that matches, times, numbers, reasons, facts, the version."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from leadgate.model import Columns, ColumnType, Decision
from leadgate.policy.deciding import Policy

Compile = Callable[..., Policy]
Decide = Callable[..., Decision]


def test_the_first_rule_that_holds_decides(compile_rules: Compile, decide: Decide) -> None:
    """Later rules are not asked, and the decision carries the rule's verdict, name and reason."""
    policy = compile_rules(
        {"name": "opted-out", "when": "enrichment.opted_out", "then": "reject", "because": "The person opted out."},
        "true",
    )
    decision = decide(policy, {"opted_out": True}, late=True)
    assert (decision.verdict, decision.rule, decision.reason) == ("reject", "opted-out", "The person opted out.")
    assert (decision.late, decision.policy_version) == (True, policy.version)


@pytest.mark.parametrize(
    ("when", "late"),
    [
        ("late", True),
        ("waited > days(1)", False),
        ("waited < days( 3 )", False),
        ("waited == duration('48h')", False),
        ("now - enrichment.seen_at > days(30)", False),
        ("enrichment.seen_at < timestamp('2024-05-01T00:00:00Z')", False),
        ("now.getHours('Europe/London') == 13", False),
        ("enrichment.postcode != 'days(9)' && waited > days(1)", False),
    ],
)
def test_time_can_be_asked_for(compile_rules: Compile, decide: Decide, when: str, late: bool) -> None:
    """`late`, `waited`, `now`, days(), durations and timestamps mean what they say; strings are left alone."""
    row = {"seen_at": datetime(2024, 4, 1, tzinfo=UTC), "postcode": "N1"}
    assert decide(compile_rules(when), row, late=late).rule == "r1"


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run on a machine whose clock is not set to UTC."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_an_instant_without_a_zone_is_utc(compile_rules: Compile, decide: Decide) -> None:
    """`now` and column values that carry no zone are read as UTC wherever leadgate runs."""
    nine = datetime(2024, 6, 1, 9)  # noqa: DTZ001
    policy = compile_rules("enrichment.seen_at == now && now == timestamp('2024-06-01T09:00:00Z')")
    assert decide(policy, {"seen_at": nine}, now=nine).rule == "r1"


@pytest.mark.parametrize(
    "when",
    [
        "enrichment.age > 17.5",
        "enrichment.age == 18.0",
        "enrichment.score > 0",
        "enrichment.score == 1",
        "enrichment.score != 2",
        "enrichment.age in [17.5, 18]",
        "enrichment.score in [1, 2]",
        "enrichment.age > enrichment.score",
        "double(enrichment.age) * 1.5 == 27.0",
    ],
)
def test_whole_and_decimal_numbers_compare(compile_rules: Compile, decide: Decide, when: str) -> None:
    """Nobody has to know whether the database calls a number an integer or a double."""
    assert decide(compile_rules(when), {"age": 18, "score": 1.0}).rule == "r1"


@pytest.mark.parametrize(
    "when",
    [
        "enrichment.postcode.startsWith('N1') && !enrichment.postcode.contains('X')",
        "enrichment.postcode.lowerAscii().trim() == 'n1 5qq'",
        "enrichment.postcode.matches('^[A-Z]{1,2}[0-9]')",
        "enrichment.postcode.substring(0, 2) in ['N1', 'N2']",
        "size(enrichment.postcode) == 6",
        "lead.`Phone Type` == 'it\\'s a mobile'",
    ],
)
def test_texts_can_be_looked_into(compile_rules: Compile, decide: Decide, when: str) -> None:
    """The text functions rules have do what their names say; a column with a space is named in backticks."""
    assert decide(compile_rules(when), {"postcode": "N1 5QQ"}, {"Phone Type": "it's a mobile"}).rule == "r1"


def test_a_reason_may_quote_kept_columns_only_as_they_are(compile_rules: Compile, decide: Decide) -> None:
    """Each kept column is written in place of its name; a missing one reads `missing`."""
    because = "Score {score}, verified {phone_verified}, out {opted_out}, seen {seen_at}, from {campaign}."
    rule = {"when": "true", "because": because}
    policy = compile_rules(rule, keep_facts=["score", "phone_verified", "opted_out", "seen_at", "campaign"])
    row = {
        "score": Decimal("0.7"),
        "phone_verified": 1,
        "seen_at": datetime(2024, 4, 1, tzinfo=UTC),
        "opted_out": False,
    }
    told = "Score 0.7, verified true, out false, seen 2024-04-01T00:00:00+00:00, from missing."
    assert decide(policy, row).reason == told


def test_facts_are_the_kept_columns_as_json_holds_them(compile_rules: Compile, decide: Decide) -> None:
    """Facts are plain scalars, null where missing, whichever rule decided, and no other column is among them."""
    policy = compile_rules("enrichment.opted_out", keep_facts=["score", "seen_at", "age", "campaign", "größe"])
    row = {"score": 0.5, "seen_at": "2024-04-01", "postcode": "N1", "opted_out": True, "größe": 3}
    facts = decide(policy, row, {"campaign": "a"}).facts
    assert json.loads(json.dumps(facts, allow_nan=False)) == {
        "score": 0.5,
        "seen_at": "2024-04-01T00:00:00+00:00",
        "age": None,
        "campaign": "a",
        "größe": 3,
    }


def test_the_policy_says_which_columns_it_reads(compile_rules: Compile) -> None:
    """`reads` holds what conditions, `missing` and kept facts name, and nothing else."""
    policy = compile_rules("enrichment.score > 1 && missing.age && missing.campaign", keep_facts=["postcode"])
    assert policy.reads == Columns(
        lead={"campaign": ColumnType.STRING},
        enrichment={"score": ColumnType.DOUBLE, "age": ColumnType.INT, "postcode": ColumnType.STRING},
    )


def test_the_same_rules_have_the_same_version(compile_rules: Compile) -> None:
    """The version is a hash of the stored text, and neither depends on the run or on how long leads are held."""
    first = compile_rules("enrichment.score > 0.5", keep_facts=["score"])
    again = compile_rules("enrichment.score > 0.5", keep_facts=["score"], hold_for="9h")
    assert first.version == again.version == "f44c3897e594"
    assert first.text == again.text
    assert json.loads(first.text)["rules"][0]["when"] == "enrichment.score > 0.5"


@pytest.mark.parametrize(
    "changed",
    [
        {"rules": ["enrichment.score > 0.6"]},
        {"rules": ["enrichment.score > 0.5", "late"]},
        {"rules": [{"when": "enrichment.score > 0.5", "on_missing": "review"}]},
        {"rules": [{"when": "enrichment.score > 0.5", "because": "Other words."}]},
        {"otherwise": "reject"},
        {"keep_facts": []},
    ],
)
def test_other_rules_have_another_version(compile_rules: Compile, changed: dict[str, Any]) -> None:
    """Whatever can change a decision or its reason changes the version."""
    kept = {"otherwise": "hold", "keep_facts": ["score"]} | {k: v for k, v in changed.items() if k != "rules"}
    base = compile_rules("enrichment.score > 0.5", keep_facts=["score"])
    assert compile_rules(*changed.get("rules", ["enrichment.score > 0.5"]), **kept).version != base.version


def test_a_decision_does_not_disturb_the_next(compile_rules: Compile, decide: Decide) -> None:
    """The same policy gives the same decision for the same lead, whatever it decided in between."""
    policy = compile_rules("enrichment.score > 0.5 && waited < days(9)", keep_facts=["score"])
    first = decide(policy, {"score": 0.7})
    decide(policy, None, late=True, now=datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=1))
    assert decide(policy, {"score": 0.7}) == first
