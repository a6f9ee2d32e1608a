"""What people decided, as examples for the rules, and held against other rules by a backtest."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from cli.review_examples import gather_examples, missing_facts
from leadgate.backtest import Backtest, run_backtest
from leadgate.backtest.verdicts import Flip
from leadgate.ledger.reviews import read_overridden
from tests.intake.pipeline import RULES
from tests.people.runs import HOLD_FOR, Runs, Sections

FACTS: Sections = {"policy": {"keep_facts": ["score"]}}
OTHER = [{"name": "fair", "when": "enrichment.score >= 0.25", "then": "process", "because": "Fair."}]


def backtest(runs: Runs, rules: list[dict[str, str]] = OTHER) -> Backtest:
    """Try other rules on what was decided."""
    pipeline = runs.pipeline
    wait, now = pipeline.config().wait, pipeline.clock()
    policy = pipeline.policy(policy={"rules": rules})
    return run_backtest(
        pipeline.source,
        pipeline.ledger,
        policy=policy,
        old_wait=wait,
        new_wait=wait,
        since=now - timedelta(days=1),
        now=now,
    )


def send_to_people(runs: Runs, scores: dict[int, float]) -> None:
    """Let leads come to a person, each with its score as a fact."""
    runs.pipeline.quarantine(*scores)
    for lead_id, score in scores.items():
        runs.pipeline.arrive(lead_id, score=score)
    runs.run(sections=FACTS)


def test_reviews_are_held_against_what_people_did(runs: Runs) -> None:
    """Each lead has a decision by the person that stands by now: the one before it, which asked, is tried anew."""
    send_to_people(runs, {1: 0.3, 2: 0.3, 3: 0.1, 4: 0.1})
    runs.resolve(1, 3)
    runs.resolve(2, verdict="reject")
    runs.run(sections=FACTS)
    assert runs.acted() == {"1": ["process"], "2": ["reject"], "3": ["process"]}
    found = backtest(runs)
    assert found.verdicts.old == {"review": 4}
    assert (found.reviews.leads, found.reviews.as_people, found.reviews.review) == (3, 1, 1)
    assert found.reviews.otherwise == [Flip("2", "reject", None, "process", "fair", "Fair.", "row")]


def test_a_person_who_lets_a_lead_wait_has_not_decided_it(runs: Runs) -> None:
    """Only the review that ended by process or reject counts, with its own data."""
    runs.review(1, 2)
    runs.resolve(1, 2, verdict="wait")
    runs.pipeline.arrive(1, score=0.1)
    runs.pipeline.clock.advance(seconds=HOLD_FOR.total_seconds() + 1)
    runs.run()
    runs.resolve(1, verdict="reject")
    runs.run()
    found = backtest(runs).reviews
    assert (found.leads, found.review, found.otherwise) == (1, 1, [])


def test_a_word_about_a_lost_act_is_no_review_of_the_rules(runs: Runs) -> None:
    """The rules had decided that lead themselves."""
    runs.pipeline.complete(1)
    runs.sandbox.faults.change({"drop-before": 1})
    runs.run(sections={"delivery": {"mode": "combined", "unknown": "review"}})
    assert runs.resolve(1, verdict="reject", still_in_quarantine=True).ids == ["1"]
    runs.pipeline.clock.advance(minutes=2)
    runs.run()
    assert runs.acted() == {"1": ["reject"]}
    assert backtest(runs).reviews.leads == 0


def test_a_review_whose_data_is_not_what_it_was_goes_by_its_facts(runs: Runs) -> None:
    """A row that has changed since, or is gone, is known by the kept facts, if the other rules read nothing else."""
    send_to_people(runs, {1: 0.3, 2: 0.3})
    runs.resolve(1, 2)
    runs.run(sections=FACTS)
    runs.pipeline.run_sql("DELETE FROM enrichment WHERE id = 1", "UPDATE enrichment SET score = 0.1 WHERE id = 2")
    found = backtest(runs).reviews
    assert (found.leads, found.as_people, found.changed) == (2, 2, 0)
    by_more = [OTHER[0] | {"when": "enrichment.score >= 0.25 && enrichment.postcode != ''"}]
    found = backtest(runs, by_more).reviews
    assert (found.leads, found.undecided, found.review, found.changed) == (2, 1, 1, 1)


def test_examples_that_contradict_each_other_stand_together(runs: Runs) -> None:
    """The same facts and people decided differently; who agrees, or knew something else, does not contradict."""
    send_to_people(runs, {1: 0.3, 2: 0.2, 3: 0.3, 4: 0.2, 5: 0.3, 6: 0.1})
    runs.resolve(1, 2, 4, 5)
    runs.resolve(3, verdict="reject")
    runs.resolve(6, verdict="wait")
    found = gather_examples(read_overridden(runs.pipeline.ledger, limit=10))
    names = [(group.names, group.contradicts) for group in found]
    assert names == [(["lead 1", "lead 3", "lead 5"], True), (["lead 2", "lead 4"], False), (["lead 6"], False)]
    assert found[0].comment == "# These 3 contradict each other: the same facts, 2 process and 1 reject.\n"


def test_facts_without_a_value_say_nothing(runs: Runs) -> None:
    """A column that is kept and was missing is no fact; one example with a value is enough to go on."""
    kept: Sections = {"policy": {"keep_facts": ["mobile"]}}
    runs.pipeline.quarantine(1, 2)
    runs.pipeline.arrive(1, score=0.3, mobile=None)
    runs.pipeline.arrive(2, score=0.3)
    runs.run(sections=kept)
    runs.resolve(1)
    found = read_overridden(runs.pipeline.ledger, limit=10)
    assert [warning.split(",")[0] for warning in missing_facts(["mobile"], found)] == ["no example holds a fact"]
    runs.resolve(2)
    assert missing_facts(["mobile"], read_overridden(runs.pipeline.ledger, limit=10)) == []


def test_late_tells_examples_apart(runs: Runs) -> None:
    """Rules can read it, so two that differ in it do not contradict each other."""
    late: Sections = {"policy": {"rules": RULES[:1], "keep_facts": ["score"]}, "wait": {"require": ["mobile"]}}
    runs.pipeline.quarantine(1, 2)
    runs.pipeline.arrive(1, score=0.3)
    runs.pipeline.arrive(2, score=0.3, mobile=None)
    runs.run(sections=late)
    runs.pipeline.clock.advance(hours=25)
    runs.run(sections=late)
    assert (runs.resolve(1).ids, runs.resolve(2, verdict="reject").ids) == (["1"], ["2"])
    found = gather_examples(read_overridden(runs.pipeline.ledger, limit=10))
    assert [group.examples[0]["given"] for group in found] == [{"score": 0.3}, {"score": 0.3, "late": True}]


@pytest.mark.parametrize("verdict", ["process", "reject", "wait"])
def test_other_words_of_people_are_no_examples(runs: Runs, verdict: str) -> None:
    """The ledger may hold words that no rule could have said; they take no place of those that count."""
    runs.review(1, 2)
    runs.resolve(1, 2, verdict=verdict)
    with runs.pipeline.ledger.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        else:
            name = "leadgate_overrides_verdict_is_known"
            connection.execute(text(f"ALTER TABLE leadgate_overrides DROP CONSTRAINT {name}"))
        connection.execute(text("UPDATE leadgate_overrides SET verdict = 'ask' WHERE lead_id = '1'"))
        connection.commit()
    (found,) = read_overridden(runs.pipeline.ledger, limit=1)
    assert (found.lead_id, found.override.verdict) == ("2", verdict)
