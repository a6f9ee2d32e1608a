"""Rules rehearsed at the keyboard: `check` advises, `test` tries examples, `backtest` tries other rules on the past."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cli.blocks import read_block
from leadgate.clock import utc_now
from leadgate.delivery import Preparation
from leadgate.intake import look_for_arrivals, register_leads
from leadgate.ledger import sending
from leadgate.model import Conclusion, State
from leadgate.sandbox import Sandbox
from leadgate.wiring.pipeline import open_pipeline
from tests.support.command import leadgate
from tests.support.pipelines import Practice

EXAMPLES = """\
examples:
  - name: a good lead
    given: {phone_verified: true, score: 0.9, opted_out: false}
    expect: {verdict: process, rule: verified}
  - given: {opted_out: true}
    expect: {verdict: reject}
"""
WRONG = """\
  - name: a low score
    given: {phone_verified: true, score: 0.5}
    expect: {verdict: process}
"""
GOOD: dict[str, Any] = {"postcode": "N1", "phone_verified": True, "score": 0.9, "opted_out": False}


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Practice]:
    """A pipeline with an empty source; nobody answers at its LeadByte's address."""
    practice = Practice(tmp_path, "http://127.0.0.1:1")
    yield practice
    practice.close()


def decide_all(pipeline: Practice) -> None:
    """Let a run decide what is due, without sending anything: each lead is left to a person."""
    with open_pipeline(pipeline.file, read_block) as opened:
        opened.ledger.their_now = None  # nobody is there to say what time it is
        register_leads(opened.source, opened.ledger, opened.config, now=utc_now())
        look_for_arrivals(opened.source, opened.ledger, opened.config, now=utc_now())
        preparation = Preparation(
            config=opened.config, source=opened.source, ledger=opened.ledger, policy=opened.policy
        )
        concluded = [
            Conclusion(d.claim, d.decision, State.REVIEW, note=d.decision.reason, seen=d.see())
            for d in preparation.claim_wave(100)
        ]
        sending.conclude(opened.ledger, concluded, now=utc_now())


def other_file(pipeline: Practice, old: str, new: str) -> Path:
    """Another pipeline file beside the first, with one change."""
    other = pipeline.file.with_name("other.yaml")
    written = pipeline.file.read_text("utf-8")
    assert old in written
    other.write_text(written.replace(old, new), "utf-8")
    return other


def add(pipeline: Practice, *parts: str) -> None:
    """Write more at the end of the file."""
    with pipeline.file.open("a", encoding="utf-8") as file:
        file.writelines(parts)


def test_examples_that_pass_are_counted(pipeline: Practice) -> None:
    """And the rules that none covers are named; it is fine to have some."""
    add(pipeline, EXAMPLES)
    finished = leadgate("test", config=pipeline.file)
    assert (finished.code, finished.stderr) == (0, "")
    assert finished.stdout.splitlines() == [
        "2 of 2 examples decided as expected, by the types of the source.",
        "No example covers: not-sure-yet, never-enriched.",
    ]


def test_an_example_that_fails_says_why(pipeline: Practice) -> None:
    """With what was decided in its place, and the condition that failed; the same for machines."""
    add(pipeline, EXAMPLES, WRONG)
    finished = leadgate("test", config=pipeline.file)
    assert (finished.code, finished.stderr) == (1, "")
    assert finished.stdout.splitlines()[:3] == [
        "examples[3] 'a low score': expected process, decided hold by not-sure-yet: The score may still rise.",
        "    opted-out did not match: no answer: enrichment.opted_out is missing",
        "    verified did not match: `enrichment.score >= 0.6` is false (score=0.5)",
    ]
    finished = leadgate("test", "--json", config=pipeline.file)
    document = finished.json()
    assert (finished.code, document["ok"], document["examples"]) == (1, False, 3)
    assert document["failures"][0]["tried"][0]["rule"] == "opted-out"
    assert document["uncovered"] == ["never-enriched"]


def test_an_example_that_cannot_be_is_a_fault_of_the_file(pipeline: Practice) -> None:
    """Each with its place and the nearest right name."""
    add(pipeline, EXAMPLES.replace("score", "scor").replace("rule: verified", "rule: verifed"))
    finished = leadgate("test", config=pipeline.file)
    assert (finished.code, finished.stdout) == (2, "")
    place = f"leadgate: {pipeline.file}: examples[1] 'a good lead'"
    assert finished.stderr.splitlines() == [
        f"{place}, given: unknown column enrichment.scor; did you mean enrichment.score?",
        f"{place}, expect.rule: no rule is called verifed; did you mean verified?",
    ]


def test_a_file_without_examples_is_fine(pipeline: Practice) -> None:
    """It is told where to read how to write some."""
    finished = leadgate("test", config=pipeline.file)
    assert (finished.code, finished.stderr) == (0, "")
    assert finished.stdout == f"{pipeline.file}: there are no examples; docs/rules.md shows how to write some.\n"


def test_check_names_faults_of_rules_and_of_rows_in_one_go(tmp_path: Path, leadbyte: Sandbox) -> None:
    """A slip in a rule hides nothing of what the rows would do."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.quarantine(1, 2)
    practice.enrich(1, **GOOD)
    practice.close()
    practice.edit("enrichment.phone_verified &&", "enrichment.phone_verifid &&")
    finished = leadgate("check", config=practice.file)
    assert finished.code == 2
    assert "unknown column enrichment.phone_verifid; did you mean enrichment.phone_verified?" in finished.stderr
    assert "wait.require: 1 of 2 sampled leads are complete now" in finished.stdout


def test_check_tries_the_examples_and_advises(tmp_path: Path, leadbyte: Sandbox) -> None:
    """A failing example is a fault; what is only odd is advice, given where all is well."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.close()
    practice.edit("otherwise: review", "otherwise: hold")
    add(practice, EXAMPLES)
    finished = leadgate("check", "--json", config=practice.file)
    assert finished.code == 0
    assert (
        "policy.rules[1] 'opted-out': reads enrichment.opted_out, which wait.require does not wait for:"
        " if it is missing, the rule is skipped."
    ) in finished.json()["advice"]
    add(practice, WRONG)
    finished = leadgate("check", config=practice.file)
    assert finished.code == 2
    assert finished.stderr.startswith(
        f"leadgate: {practice.file}: examples[3] 'a low score': expected process, decided"
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "requests_per_second: 0",
            "requests_per_second: 5",
            "a request each, 5 a second (leadbyte.requests_per_second)",
        ),
        ("requests_per_second: 0", "requests_per_second: 0\n  concurrency: 3", "a request each, 3 at once"),
        (
            "policy:\n",
            "delivery: {mode: separate}\npolicy:\n",
            "delivery.mode: `separate` makes every act a request each",
        ),
        ("update:\n", "update:\n  data20: {text: leadgate}\n", ""),
    ],
)
@pytest.mark.parametrize("offline", [False, True])
def test_check_says_which_acts_are_a_request_each(
    tmp_path: Path, leadbyte: Sandbox, old: str, new: str, told: str, offline: bool
) -> None:
    """Leads with nothing to write go one by one, so many a second; with a field of `text:` no lead has nothing."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.close()
    practice.edit(old, new)
    if offline:
        assert leadgate("check", "--write-types", tmp_path / "leadgate.types.yaml", config=practice.file).code == 0
    finished = leadgate("check", "--json", *(["--offline"] if offline else []), config=practice.file)
    assert finished.code == 0
    advice = [line for line in finished.json()["advice"] if "request each" in line]
    assert (told in advice[0]) if told else not advice


def test_what_init_writes_passes_its_own_examples(pipeline: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    """They cover every rule."""
    monkeypatch.setenv("LEADBYTE_API_KEY", "key")
    monkeypatch.setenv("SOURCE_URL", f"sqlite:///{pipeline.file.with_name('source.db')}")
    assert leadgate("init", pipeline.file, "--force").code == 0
    finished = leadgate("test", config=pipeline.file)
    assert (finished.code, finished.stdout) == (0, "3 of 3 examples decided as expected, by the types of the source.\n")


def test_a_backtest_tells_whose_verdict_flips(pipeline: Practice) -> None:
    """By verdict, and lead by lead with the old and the new rule; the ledger is left as it was."""
    pipeline.quarantine(1, 2, 3)
    pipeline.enrich(1, **GOOD)
    pipeline.enrich(2, **GOOD | {"score": 0.7})
    pipeline.enrich(3, **GOOD | {"score": 0.1})
    decide_all(pipeline)
    other = other_file(pipeline, ">= 0.6", ">= 0.8")
    before = pipeline.states()
    finished = leadgate("backtest", "--policy", other, config=pipeline.file)
    assert (finished.code, finished.stderr) == (0, "")
    first, *told = finished.stdout.splitlines()
    assert first.startswith("3 leads were decided by rules since ")
    assert told == [
        "  process        2 -> 1",
        "  hold           0 -> 1",
        "  review         1 -> 1",
        "2: process by verified -> hold by not-sure-yet: The score may still rise.",
        "Each lead was decided as at its time, and late if it was late then. Nothing was sent.",
    ]
    document = leadgate("backtest", "--policy", other, "--json", config=pipeline.file).json()
    assert (document["leads"], document["wait"], document["changed"]) == (3, None, 0)
    assert document["flips"] == [
        {
            "lead_id": "2",
            "old": {"verdict": "process", "rule": "verified"},
            "new": {"verdict": "hold", "rule": "not-sure-yet", "reason": "The score may still rise."},
            "known": "row",
        }
    ]
    assert pipeline.states() == before
    with open_pipeline(pipeline.file, read_block) as opened, opened.ledger.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM leadgate_policies")) == 1


def test_a_backtest_is_honest_about_rows_that_are_not_what_they_were(pipeline: Practice) -> None:
    """Kept facts where they suffice, else the present row, marked; else the lead is not decided at all."""
    pipeline.quarantine(1, 2, 3)
    pipeline.enrich(1, 2, 3, **GOOD)
    decide_all(pipeline)
    with pipeline.source.begin() as connection:
        connection.execute(text("DELETE FROM lead_enrichment WHERE quarantine_id = 1"))
        connection.execute(text("UPDATE lead_enrichment SET score = 0.5 WHERE quarantine_id = 2"))
    by_all = leadgate("backtest", "--policy", pipeline.file, "--json", config=pipeline.file).json()
    assert [by_all[key] for key in ("leads", "changed", "gone", "undecided")] == [3, 2, 1, 1]
    assert [(flip["lead_id"], flip["known"]) for flip in by_all["flips"]] == [("2", "changed")]
    assert by_all["verdicts"] == {"old": {"process": 3}, "new": {"process": 1, "hold": 1}}
    # These rules read the score alone, and its value was kept.
    other = other_file(pipeline, "when: enrichment.opted_out", 'when: "false"')
    other.write_text(other.read_text("utf-8").replace("enrichment.phone_verified && ", ""), "utf-8")
    by_score = leadgate("backtest", "--policy", other, "--json", config=pipeline.file).json()
    assert (by_score["verdicts"]["new"], by_score["undecided"], by_score["flips"]) == ({"process": 3}, 0, [])
    told = leadgate("backtest", "--policy", other, config=pipeline.file).stdout
    assert "2 were decided by their kept facts, 0 by the present row, 0 could not be.\n" in told
    told = leadgate("backtest", "--policy", pipeline.file, config=pipeline.file).stdout
    assert (
        "2: process by verified -> hold by not-sure-yet: The score may still rise. (its row has changed since)" in told
    )
    assert (
        "The source row of 2 leads has changed, or is gone (1): 0 were decided by their kept "
        "facts, 1 by the present row, 1 could not be.\n"
    ) in told


def test_a_backtest_of_the_wait_tells_who_would_have_been_late(pipeline: Practice) -> None:
    """And how much sooner the others would have gone; nothing of one that was complete when a run first looked."""
    pipeline.quarantine(1, 2, 4, hours_ago=30)
    pipeline.enrich(4, **GOOD)
    pipeline.quarantine(3, hours_ago=2)
    pipeline.enrich(3, **GOOD)
    with open_pipeline(pipeline.file, read_block) as opened:  # while nobody says what time it is, no lead is late
        register_leads(opened.source, opened.ledger, opened.config, now=utc_now())
        look_for_arrivals(opened.source, opened.ledger, opened.config, now=utc_now())
    pipeline.enrich(1, **GOOD)
    decide_all(pipeline)
    other = other_file(pipeline, "deadline: 24h", "deadline: 12h")
    told = leadgate("backtest", "--policy", other, config=pipeline.file).stdout
    assert "Wait: 1 lead was late; 1 more would be, 0 would not.\n" in told
    wait = leadgate("backtest", "--policy", other, "--json", config=pipeline.file).json()["wait"]
    assert [wait[key] for key in ("late_before", "newly_late", "no_longer_late", "open")] == [1, 1, 0, 1]
    assert wait["sooner"]["leads"] == 2


def test_rejects_beyond_the_cap_count_as_rejects(pipeline: Practice) -> None:
    """A person got them because of their number: other rules have no part in that."""
    add(pipeline, "safety: {budgets: {reject: 1/hour}}\n")
    pipeline.quarantine(1, 2)
    pipeline.enrich(1, 2, **GOOD | {"opted_out": True})
    decide_all(pipeline)
    found = leadgate("backtest", "--policy", pipeline.file, "--json", config=pipeline.file).json()
    assert (found["capped"], found["flips"], found["verdicts"]["old"]) == (1, [], {"reject": 2})


@pytest.mark.parametrize(
    ("since", "message"),
    [("soon", "'soon' is not a duration"), ("36500d", None), ("0s", None)],
)
def test_how_far_back_is_a_duration(pipeline: Practice, since: str, message: str | None) -> None:
    """Nothing decided in that time is no error."""
    finished = leadgate("backtest", "--policy", pipeline.file, "--since", since, config=pipeline.file)
    assert finished.code == (2 if message else 0)
    assert (message or "0 leads were decided") in finished.stderr + finished.stdout


def test_a_fault_of_the_other_file_names_that_file(pipeline: Practice) -> None:
    """Its rules are checked against the source of the first."""
    other = other_file(pipeline, "enrichment.score >= 0.4", "enrichment.scor >= 0.4")
    finished = leadgate("backtest", "--policy", other, config=pipeline.file)
    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr.splitlines()[0] == (
        f"leadgate: {other}: policy.rules[3] 'not-sure-yet', when: unknown column enrichment.scor;"
        " did you mean enrichment.score?"
    )
