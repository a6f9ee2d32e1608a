"""From reviews to rules at the keyboard: what people decided as examples, and held against new rules by `backtest`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.config import load_config
from tests.e2e.test_policy_commands import GOOD, add, decide_all, other_file
from tests.support.command import leadgate
from tests.support.pipelines import Practice

WRITE = "Write `policy.keep_facts: [all columns that people went by]`: decisions keep their values from then on."
NOT_TOLD_APART = f"3 examples contradict others with the same facts, so no rule can tell them apart. {WRITE}"
NO_COLUMN = f"policy.keep_facts names no column, so examples cannot say why people decided. {WRITE}"
NO_FACT = (
    "no example holds a fact, so none says why people decided: the columns of policy.keep_facts had no value when they "
    f"did, or were not kept yet. {WRITE}"
)
FAIR = "{name: fair, when: enrichment.score >= 0.2, then: process, because: 'Score {score}.'}"
KEPT = "  keep_facts: [score]\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Practice]:
    """A pipeline with an empty source, on each kind of database; nobody answers at its LeadByte's address."""
    urls = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        urls = {"database_url": url, "ledger_url": url}
    practice = Practice(tmp_path, "http://127.0.0.1:1", **urls)
    yield practice
    practice.close()


def say(pipeline: Practice, verdict: str, *ids: int) -> None:
    """Let a person decide leads in review."""
    said = leadgate("review", verdict, *ids, "--reason", "Called.", "--by", "ann", config=pipeline.file)
    assert said.code == 0, said


def review(pipeline: Practice, scores: dict[int, float]) -> None:
    """Let the rules send leads to a person, by their scores under 0.4."""
    pipeline.quarantine(*scores)
    for lead_id, score in scores.items():
        pipeline.enrich(lead_id, **GOOD | {"score": score})
    decide_all(pipeline)


def test_examples_that_contradict_each_other_are_pasted_side_by_side(pipeline: Practice) -> None:
    """A comment above them says how people decided; the file with all of it loads, and those that can pass, do."""
    review(pipeline, {1: 0.3, 2: 0.2, 3: 0.3, 4: 0.3})
    say(pipeline, "process", 1, 2)
    say(pipeline, "reject", 3)
    say(pipeline, "wait", 4)
    finished = leadgate("review", "examples", config=pipeline.file)
    assert (finished.code, finished.stderr) == (0, f"leadgate: {NOT_TOLD_APART}\n")
    assert finished.stdout.splitlines()[:2] == [
        "examples:",
        "# These 3 contradict each other: the same facts, 1 wait, 1 reject and 1 process.",
    ]
    assert finished.stdout.splitlines().count("- name: lead 2") == 1
    document = leadgate("review", "examples", "--json", config=pipeline.file).json()
    assert (document["contradictions"], document["warnings"]) == ([["lead 4", "lead 3", "lead 1"]], [NOT_TOLD_APART])
    add(pipeline, finished.stdout)
    pasted = load_config(pipeline.file).examples
    assert [(each.name, each.given.enrichment["score"], each.expect.verdict) for each in pasted] == [
        ("lead 4", 0.3, "hold"),
        ("lead 3", 0.3, "reject"),
        ("lead 1", 0.3, "process"),
        ("lead 2", 0.2, "process"),
    ]
    assert [example["name"] for example in document["examples"]] == [each.name for each in pasted]


def test_examples_that_agree_have_no_comment(pipeline: Practice) -> None:
    """Nothing is said where there is nothing to say."""
    review(pipeline, {1: 0.3, 2: 0.3})
    say(pipeline, "process", 1, 2)
    finished = leadgate("review", "examples", config=pipeline.file)
    assert (finished.stderr, "#" in finished.stdout, finished.stdout.count("lead ")) == ("", False, 2)
    document = leadgate("review", "examples", "--json", config=pipeline.file).json()
    assert (document["contradictions"], document["warnings"]) == ([], [])


def test_a_pipeline_that_keeps_no_facts_is_told_what_to_write(pipeline: Practice) -> None:
    """Before anybody has decided anything, since facts are kept from then on only; the exit code stays 0."""
    pipeline.edit(KEPT, "")
    pipeline.edit("a score of {score}", "a good score")
    finished = leadgate("review", "examples", config=pipeline.file)
    assert (finished.code, finished.stdout) == (0, "Nobody has decided a review yet.\n")
    assert finished.stderr == f"leadgate: {NO_COLUMN}\n"
    as_json = leadgate("review", "examples", "--json", config=pipeline.file)
    assert (as_json.stderr, as_json.json()["warnings"]) == ("", [NO_COLUMN])
    review(pipeline, {1: 0.3, 2: 0.3})
    say(pipeline, "process", 1)
    say(pipeline, "reject", 2)
    told = leadgate("review", "examples", config=pipeline.file)
    assert told.stderr == f"leadgate: {NO_COLUMN}\n"
    assert "# These 2 contradict each other: no facts at all, 1 reject and 1 process.\n" in told.stdout
    add(pipeline, told.stdout)
    assert [each.given.enrichment for each in load_config(pipeline.file).examples] == [{}, {}]


def test_facts_that_are_kept_since_later_are_missing_too(pipeline: Practice) -> None:
    """The file names columns by now, and what people decided before holds none of them."""
    written = pipeline.file.read_text("utf-8")
    pipeline.edit(KEPT, "")
    pipeline.edit("a score of {score}", "a good score")
    review(pipeline, {1: 0.3})
    say(pipeline, "process", 1)
    pipeline.file.write_text(written, "utf-8")
    assert leadgate("review", "examples", config=pipeline.file).stderr == f"leadgate: {NO_FACT}\n"
    review(pipeline, {2: 0.3})
    say(pipeline, "process", 2)
    assert leadgate("review", "examples", config=pipeline.file).stderr == ""


def test_a_fact_that_no_example_can_give_is_left_out(pipeline: Practice) -> None:
    """A column called like a key of `given` would make the pasted file wrong."""
    written = pipeline.file.read_text("utf-8")
    with pipeline.source.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE lead_enrichment ADD COLUMN waited TEXT DEFAULT 'soon'")
    pipeline.file.write_text(written.replace("[score]", "[score, waited]"), "utf-8")
    review(pipeline, {1: 0.3})
    say(pipeline, "process", 1)
    add(pipeline, leadgate("review", "examples", config=pipeline.file).stdout)
    assert load_config(pipeline.file).examples[0].given.enrichment == {"score": 0.3}


def test_a_backtest_tells_which_reviews_come_out_as_people_did(pipeline: Practice) -> None:
    """In numbers, and lead by lead those that come out otherwise."""
    review(pipeline, {1: 0.3, 2: 0.3, 3: 0.3, 4: 0.1, 5: 0.3, 6: 0.3})
    say(pipeline, "process", 1, 4, 6)
    say(pipeline, "reject", 2, 3)
    say(pipeline, "wait", 5)
    last = "    - name: never-enriched"
    other = other_file(pipeline, last, f"    - {FAIR}\n{last}")
    with pipeline.source.begin() as connection:
        connection.exec_driver_sql("UPDATE lead_enrichment SET postcode = 'N2' WHERE quarantine_id = 3")
        connection.exec_driver_sql("DELETE FROM lead_enrichment WHERE quarantine_id = 1")
    finished = leadgate("backtest", "--policy", other, "--show", "1", config=pipeline.file)
    assert (finished.code, finished.stderr) == (0, "")
    told = finished.stdout.splitlines()
    first = told.index("Reviews: people decided 5 leads that the rules had sent to them. The new rules decide")
    assert told[first + 1 : first + 8] == [
        "        1  as people did",
        "        2  differently",
        "        1  not: a person would still decide",
        "        1  cannot be determined: their data is gone",
        "1 of these reviews were decided by a row that has changed since.",
        "2: reject by a person -> process by fair: Score 0.3.",
        "... and 1 more; --show lists more, --json lists all.",
    ]
    reviews = leadgate("backtest", "--policy", other, "--json", config=pipeline.file).json()["reviews"]
    listed = reviews.pop("decided_otherwise")
    assert reviews == {"leads": 5, "as_people": 1, "otherwise": 2, "review": 1, "undecided": 1, "changed": 1}
    new = {"verdict": "process", "rule": "fair", "reason": "Score 0.3."}
    assert listed == [
        {"lead_id": "2", "person": "reject", "new": new, "known": "row"},
        {"lead_id": "3", "person": "reject", "new": new, "known": "changed"},
    ]


def test_a_backtest_without_reviews_that_ended_says_nothing_of_them(pipeline: Practice) -> None:
    """A review that is open is nobody's decision yet."""
    review(pipeline, {1: 0.3})
    assert "Reviews:" not in leadgate("backtest", "--policy", pipeline.file, config=pipeline.file).stdout
    document = leadgate("backtest", "--policy", pipeline.file, "--json", config=pipeline.file).json()
    assert (document["reviews"]["leads"], document["reviews"]["decided_otherwise"]) == (0, [])
