"""Other rules beside people: what they would have said of leads that the rules sent to a person who then decided."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from leadgate.backtest.verdicts import Evidence, Flip, Rejudge, Reviews
from leadgate.ledger.past_decisions import PastLead
from leadgate.model import Columns, Enrichment, fingerprint
from leadgate.policy.deciding import Policy
from tests.policy.conftest import NOW

Compile = Callable[..., Policy]
ROW = {"score": 0.9, "age": 30}
THEN = NOW - timedelta(days=365)


@pytest.fixture
def hold_against(columns: Columns) -> Callable[..., Reviews]:
    """What a rule makes of one lead in review a year ago, which a person processed, with the row the source has now."""

    def hold_against_(policy: Policy, row: Mapping[str, Any] | None = ROW, **more: Any) -> Reviews:  # noqa: ANN401
        usual: dict[str, Any] = {"verdict": "review", "override": "process", "late": False, "facts": {}}
        past = PastLead(
            lead_id="7",
            quarantined_at=THEN - timedelta(days=2),
            arrived_at=THEN,
            data_hash=fingerprint(ROW),
            decided_at=THEN,
            policy_version="v1",
            rule=None,
            **usual | more,
        )
        enrichment = None if row is None else Enrichment("7", None, row)
        judge = Rejudge(policy, columns)
        judge.add(Evidence(past, None, enrichment, None if row is None else fingerprint(row)))
        return judge.reviews

    return hold_against_


@pytest.mark.parametrize("person", ["process", "reject"])
@pytest.mark.parametrize("then", ["process", "reject", "hold", "review"])
def test_a_review_is_counted_by_what_people_did(
    compile_rules: Compile, hold_against: Callable[..., Reviews], then: str, person: str
) -> None:
    """As people did, otherwise, or still a person's; a hold decides neither as they did nor leaves it to them."""
    found = hold_against(
        compile_rules({"name": "new", "when": "enrichment.score > 0.5", "then": then}), override=person
    )
    otherwise = [] if then in {person, "review"} else [Flip("7", person, None, then, "new", "Because.", "row")]
    assert found == Reviews(as_people=int(then == person), review=int(then == "review"), otherwise=otherwise)
    assert found.leads == 1


@pytest.mark.parametrize(
    "more", [{"override": None}, {"verdict": "hold"}, {"verdict": "process"}], ids=["open", "held", "act in doubt"]
)
def test_only_what_the_rules_sent_to_a_person_who_decided_is_counted(
    compile_rules: Compile, hold_against: Callable[..., Reviews], more: dict[str, Any]
) -> None:
    """Not a review that is open, nor a word about an act that got no answer."""
    assert hold_against(compile_rules("enrichment.score > 0.5"), **more) == Reviews()


@pytest.mark.parametrize(
    ("row", "facts", "came_to"),
    [
        (ROW, {"score": 0.1}, Reviews(as_people=1)),
        (ROW | {"score": 0.1}, {"score": 0.9}, Reviews(as_people=1)),
        (ROW | {"age": 31}, {}, Reviews(as_people=1, changed=1)),
        (None, {"score": 0.9}, Reviews(as_people=1)),
        (None, {"age": 30}, Reviews(undecided=1)),
    ],
)
def test_the_data_is_that_of_the_review(
    compile_rules: Compile,
    hold_against: Callable[..., Reviews],
    row: Mapping[str, Any] | None,
    facts: Mapping[str, Any],
    came_to: Reviews,
) -> None:
    """The row as it was, else the kept facts, else a changed row, which is counted; else it cannot be known."""
    assert hold_against(compile_rules("enrichment.score > 0.5"), row, facts=facts) == came_to


@pytest.mark.parametrize("when", ["late", "waited == days(2)", "now < timestamp('2025-06-30T00:00:00Z')"])
def test_a_review_is_decided_as_at_its_time(
    compile_rules: Compile, hold_against: Callable[..., Reviews], when: str
) -> None:
    """Late if it was late, after the time it had waited then."""
    assert hold_against(compile_rules(when), late=True) == Reviews(as_people=1)
