"""Many leads at once: by rule, by count, in one transaction, or not at all."""

from functools import partial

import pytest

from leadgate.errors import ConfigError
from leadgate.ledger import Ledger
from leadgate.ledger.reviews import count_meant, count_reviews, read_left, read_reviews
from leadgate.model import Chosen, Resolution, SentBy, State
from tests.ledger.together import together
from tests.people.runs import Runs, Sections

RULES: Sections = {
    "policy": {
        "rules": [
            {"name": "low", "when": "enrichment.score < 0.2", "then": "review", "because": "Score {score}."},
            {"name": "bad", "when": "enrichment.score > 5.0", "then": "reject", "because": "Bad."},
        ],
        "keep_facts": ["score"],
    },
    "safety": {"budgets": {"reject": "0/hour"}},
}
PROCESS = Resolution.PROCESS


def review(runs: Runs, **scores: float) -> None:
    """Put leads into review, by the score of each; they are called l1, l2 and so on."""
    for name, score in scores.items():
        lead_id = int(name.removeprefix("l"))
        runs.pipeline.quarantine(lead_id)
        runs.pipeline.arrive(lead_id, score=score)
    runs.run(sections=RULES)


def test_reviews_are_counted_by_what_sent_them_there(runs: Runs) -> None:
    """With the reason of each, the most first; a reject too many stands apart."""
    review(runs, l1=0.1, l2=0.1, l3=0.15, l4=0.5, l5=9.0)
    reason = "Bad. (For a person: safety.budgets.reject, 0/hour, is used up.)"
    assert [(g.sent_by, g.rule, g.reason, g.leads) for g in count_reviews(runs.pipeline.ledger)] == [
        (SentBy.RULE, "low", "Score 0.1.", 2),
        (SentBy.CAP, "bad", reason, 1),
        (SentBy.RULE, None, "No rule matched.", 1),
        (SentBy.RULE, "low", "Score 0.15.", 1),
    ]


@pytest.mark.parametrize(
    ("rule", "ids"), [("low", ["1", "2"]), ("otherwise", ["3"]), ("bad", ["4"]), (None, ["1", "2", "3", "4"])]
)
def test_all_of_a_rule_are_decided_and_no_others(runs: Runs, rule: str | None, ids: list[str]) -> None:
    """Those that were one reject too many by it, too; each has an override of its own."""
    review(runs, l1=0.1, l2=0.1, l3=0.5, l4=9.0)
    ledger = runs.pipeline.ledger
    assert count_meant(ledger, PROCESS, rule) == len(ids)
    assert [each.lead_id for each in read_reviews(ledger, rule=rule)] == ids
    assert runs.resolve(chosen=Chosen(rule=rule, count=len(ids)), verdict="process").ids == ids
    assert [row[1] for row in runs.pipeline.rows("leadgate_overrides")] == ids
    runs.run(sections=RULES)
    assert runs.acted() == {lead_id: ["process"] for lead_id in ids}


@pytest.mark.parametrize("count", [0, 1, 3, None])
def test_a_count_that_is_not_right_decides_nothing(runs: Runs, count: int | None) -> None:
    """The message has the right one."""
    review(runs, l1=0.1, l2=0.1)
    with pytest.raises(ConfigError, match=rf"2 leads are meant now by low, not {count}, and nothing was done"):
        runs.resolve(chosen=Chosen(rule="low", count=count))
    assert runs.pipeline.states() == {"1": State.REVIEW, "2": State.REVIEW}
    assert runs.pipeline.rows("leadgate_overrides") == []


def test_a_lead_in_doubt_is_in_no_such_count(runs: Runs) -> None:
    """Whoever decides all of a rule has not looked it up in LeadByte; it is named as left."""
    review(runs, l1=0.1, l2=0.1)
    runs.resolve(2)
    runs.sandbox.faults.change({"drop-before": 1})
    runs.run(sections={**RULES, "delivery": {"mode": "combined", "unknown": "review"}})
    ledger = runs.pipeline.ledger
    assert [count_meant(ledger, verdict, None) for verdict in (PROCESS, Resolution.NOT_TAKEN)] == [1, 1]
    assert runs.resolve(chosen=Chosen(count=1)).ids == ["1"]
    assert read_left(ledger) == {SentBy.DOUBT: ["2"]}


def test_of_two_people_who_decide_all_at_once_one_is_told_another_count(runs: Runs, rival: Ledger) -> None:
    """Nothing is half done: the second finds none left."""
    review(runs, **{f"l{n}": 0.1 for n in range(1, 31)})
    chosen = Chosen(rule="low", count=30)

    def decide(verdict: str, ledger: Ledger | None) -> int | str:
        try:
            return len(runs.resolve(chosen=chosen, verdict=verdict, ledger=ledger).ids)
        except ConfigError as error:
            return str(error)

    found = together(partial(decide, "process", None), partial(decide, "reject", rival))
    assert sorted(map(type, found), key=str) == [int, str]
    assert 30 in found
    assert any(
        str(each).startswith("no lead is meant now by low, not 30, and nothing was done: others were faster")
        for each in found
    )
    assert len({row[3] for row in runs.pipeline.rows("leadgate_overrides")}) == 1


def test_a_hundred_thousand_ids_at_once_are_one_transaction(runs: Runs) -> None:
    """More than a statement has parameters: unknown ones are a mistake, and none is decided."""
    review(runs, l1=0.1)
    ids = [str(number) for number in range(1, 100_001)]
    with pytest.raises(ConfigError, match=r"'acme': 2, 3, 4, 5, 6 and 99994 more\. Nothing was done"):
        runs.resolve(chosen=Chosen(ids))
    assert runs.resolve(chosen=Chosen(["1"] * 100_000)).ids == ["1"]


def test_the_longest_open_is_first_and_a_limit_and_a_time_hold(runs: Runs) -> None:
    """By when the last decision or answer sent it to a person."""
    for number in (3, 1, 2):
        review(runs, **{f"l{number}": 0.5})
        runs.pipeline.clock.advance(hours=1)
    ledger, now = runs.pipeline.ledger, runs.pipeline.clock()
    opened = read_reviews(ledger)
    assert [each.lead_id for each in opened] == ["3", "1", "2"]
    assert [each.lead_id for each in read_reviews(ledger, limit=2)] == ["3", "1"]
    assert [each.lead_id for each in read_reviews(ledger, since=opened[1].since)] == ["1", "2"]
    assert opened[0].facts == {"score": 0.5}
    assert now > opened[-1].since
