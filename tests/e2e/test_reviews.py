"""Reviews at the keyboard: the list, many leads at once, and one clear answer to whatever is wrong."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.output import FINE, WRONG
from leadgate.ledger.people import LONGEST_NAME
from leadgate.ledger.schema import ENTRY, entries
from leadgate.model import State
from leadgate.wiring.ledger import ledger_of
from tests.e2e.test_policy_commands import GOOD, decide_all
from tests.support.command import Finished, leadgate
from tests.support.pipelines import Practice

RULE = "{name: low, when: enrichment.score < 0.2, then: review, because: 'Score {score}.'}"
LOW = f"    - {RULE}\n    - name: never-enriched"
LINK = "review: {link: 'https://crm.example/leads/{id}', within: 0s}\n"
WORDS = ("--reason", "Called.", "--by", "ann")


@pytest.fixture(params=["sqlite", "postgresql"])
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Practice]:
    """Three leads in review by otherwise and two by a rule, on each kind of database; nobody is at LeadByte's."""
    urls = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        urls = {"database_url": url, "ledger_url": url}
    practice = Practice(tmp_path, "http://127.0.0.1:1", **urls)
    practice.edit("    - name: never-enriched", LOW)
    with practice.file.open("a", encoding="utf-8") as file:
        file.write(LINK)
    practice.quarantine(1, 2, 3, 4, 5)
    practice.enrich(1, 2, 3, **GOOD | {"score": 0.3})
    practice.enrich(4, 5, **GOOD | {"score": 0.1})
    decide_all(practice)
    yield practice
    practice.close()


def review(pipeline: Practice, *words: object, typed: str | bytes = "") -> Finished:
    """Type `leadgate review ...`, with something on standard input."""
    arguments = ["review", *map(str, words), "--config", str(pipeline.file)]
    result = CliRunner().invoke(app, arguments, prog_name="leadgate", input=typed)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)


def in_review(pipeline: Practice) -> list[str]:
    """The ids that are in review still."""
    return sorted(lead_id for lead_id, state in pipeline.states().items() if state == "review")


ALL = ["1", "2", "3", "4", "5"]


def test_the_list_counts_first_and_says_what_to_type(pipeline: Practice) -> None:
    """By rule and reason, then the leads with their facts and links, then the commands."""
    lines = review(pipeline, "list", "--limit", 2).stdout.splitlines()
    assert lines[:3] == [
        "5 leads need a person:",
        "        3  otherwise: No rule matched.",
        "        2  low: Score 0.1.",
    ]
    why = "No rule matched. (verified: `enrichment.score >= 0.6` is false) [score=0.3]"
    assert lines[3].startswith(f"1: since 0 s ago OVERDUE: {why}")
    assert lines[3].endswith(" https://crm.example/leads/1")
    assert lines[5:] == [
        "Shown are 2, the longest open first: --limit shows more, --rule NAME and --since fewer.",
        "",
        "To see one: `leadgate review show 1`.",
        "To decide: `leadgate review process 1 --reason TEXT`, or reject, or wait.",
        "All of a rule at once: `leadgate review process --rule otherwise --reason TEXT`; it asks for their count.",
    ]
    found = review(pipeline, "list", "--rule", "low", "--json").json()
    assert (found["total"], found["older_rules"], [each["lead_id"] for each in found["reviews"]]) == (2, 0, ["4", "5"])
    assert found["counts"] == [{"sent_by": "rule", "rule": "low", "reason": "Score 0.1.", "leads": 2}]
    assert found["reviews"][0]["unmatched"] == [], "a rule has sent it there"
    assert found["reviews"][0]["link"] == "https://crm.example/leads/4"
    assert review(pipeline, "list", "--since", "1h", "--json").json()["total"] == 5
    assert review(pipeline, "list", "--since", "0s").stdout == "No such lead is in review.\n"


@pytest.mark.parametrize(
    ("chosen", "typed", "decided"),
    [
        (["1", "2"], "", ["1", "2"]),
        (["-"], "1, 2;4\n\n 5\t3\n", ALL),
        (["--rule", "low", "--yes", "2"], "", ["4", "5"]),
        (["--rule", "otherwise", "--yes", "3"], "", ["1", "2", "3"]),
        (["--all", "--yes", "5"], "", ALL),
    ],
)
def test_leads_are_chosen_by_id_by_rule_or_all(
    pipeline: Practice, chosen: list[str], typed: str, decided: list[str]
) -> None:
    """Each is recorded, with who decided and why."""
    finished = review(pipeline, "process", *chosen, *WORDS, "--json", typed=typed)
    assert finished.code == FINE
    assert sorted(finished.json()["resolved"]) == decided
    assert in_review(pipeline) == sorted(set(ALL) - set(decided))
    assert "Called." in leadgate("explain", decided[0], config=pipeline.file).stdout


WRONG_USES: Mapping[str, tuple[list[str], str | bytes, str]] = {
    "nothing chosen": (
        [],
        "",
        "say which leads: their ids (- reads them from standard input), or --rule NAME, or --all",
    ),
    "two ways": (["1", "--all"], "", "give one of these: ids, --rule NAME, or --all"),
    "a count for ids": (["1", "--yes", "1"], "", "--yes COUNT goes with --rule or --all: leads that are named need no"),
    "no count": (["--all"], "", "5 leads would be processed: say that you mean so many with --yes 5. Nothing was done"),
    "a wrong count": (
        ["--rule", "low", "--yes", "3"],
        "",
        "2 leads are meant now by low, not 3, and nothing was done: look with `leadgate review list`, and say the new",
    ),
    "a rule there is not": (["--rule", "lwo", "--yes", "2"], "", "no rule is called 'lwo'; did you mean low?"),
    "a rule with a line break": (
        ["--rule", "a\nb"],
        "",
        r"no rule is called 'a\\nb'; known here: low, never-enriched, ",
    ),
    "ids that nobody knows": (
        ["1", "77", "78"],
        "",
        "not known to the pipeline 'acme': 77, 78. Nothing was done: correct the ids, or leave those out",
    ),
    "a hundred thousand ids": (
        ["-"],
        "\n".join(map(str, range(1, 100_001))),
        "not known to the pipeline 'acme': 6, 7, 8, 9, 10 and 99990 more. Nothing was done: correct the ids, or leave",
    ),
    "nothing on standard input": (["-"], " \n", "there is no id on standard input"),
    "an id that is none": (["-"], "1\n" + "9" * 201, "number 2 of the ids is none: it is longer than 200 characters,"),
    "standard input that is no text": (["-"], b"1\n\xff\xfe\n", "number 2 of the ids is none: it is longer than 200"),
    "ids beside standard input": (["1", "-"], "2", "- reads all ids from standard input: name no others beside it"),
    "a name with a line break": (
        ["1", "--by", "ann\nbob"],
        "",
        "the name of who decides holds a line break or another",
    ),
    "a name that is too long": (
        ["1", "--by", "x" * 101],
        "",
        f"the name of who decides must have 1 to {LONGEST_NAME} ",
    ),
    "a reason with a line break": (["1", "--reason", "a\nb"], "", "the reason holds a line break or another control"),
}


@pytest.mark.parametrize("name", WRONG_USES)
def test_what_is_wrong_has_one_clear_answer_and_nothing_is_done(pipeline: Practice, name: str) -> None:
    """No lead is decided, and the exit code is 2."""
    chosen, typed, message = WRONG_USES[name]
    finished = review(pipeline, "process", *WORDS, *chosen, typed=typed)
    assert (finished.code, finished.stdout) == (WRONG, "")
    assert finished.stderr.startswith(f"leadgate: {message}")
    assert finished.stderr.count("\n") == 1
    assert len(finished.stderr) < 400
    assert in_review(pipeline) == ALL


def test_what_a_rule_that_rejects_leaves_to_a_person_is_offered_as_a_reject(pipeline: Practice) -> None:
    """To process all of them at once would be the opposite of the rule."""
    pipeline.edit(RULE, "{name: low, when: enrichment.score < 0.2, then: reject, because: Low, on_missing: review}")
    pipeline.edit("  otherwise: review", "  otherwise: reject")
    told = review(pipeline, "list", "--rule", "otherwise").stdout
    assert "All of a rule at once: `leadgate review reject --rule otherwise --reason TEXT`; it asks for" in told
    told = review(pipeline, "list", "--rule", "low").stdout
    assert "To decide: `leadgate review reject 4 --reason TEXT`, or process, or wait." in told
    assert "All of a rule at once: `leadgate review reject --rule low --reason TEXT`; it asks for their count." in told


def test_a_lead_that_somebody_else_decided_is_named_and_the_others_are_decided(pipeline: Practice) -> None:
    """With who did; leads with the same answer stand on one line."""
    review(pipeline, "reject", "1", "2", *WORDS)
    finished = review(pipeline, "process", "1", "2", "3", "--reason", "Late.", "--by", "bob")
    assert (finished.code, finished.stdout.splitlines()[0]) == (WRONG, "Leads that the next run processes: 1.")
    assert finished.stderr.startswith("leadgate: 1, 2: is not in review: it is ready, since ann (login ")
    assert finished.stderr.endswith(") decided reject (`leadgate review undo` takes that back).\n")
    assert in_review(pipeline) == ["4", "5"]


def test_at_a_terminal_the_count_is_typed(pipeline: Practice) -> None:
    """Another number does nothing, and the right one goes on."""
    for typed, code, left in (("4", WRONG, ALL), ("5", FINE, [])):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "leadgate", "review", "wait", "--all", *WORDS, "--config", str(pipeline.file)]
        with subprocess.Popen(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            os.write(ours, f"{typed}\n".encode())
            out, err = process.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        assert process.returncode == code, err
        assert "5 leads would wait again. Type 5 to go on" in err
        assert ("Leads that wait again: 5." in out) is (code == FINE)
        assert in_review(pipeline) == left


def test_again_is_by_todays_rules_and_counts_them(pipeline: Practice) -> None:
    """`review list`, `status` and `backtest` say how many older rules have asked for."""
    pipeline.edit("enrichment.score < 0.2", "enrichment.score < 0.25")
    again = "`leadgate review again --all`"
    older = f"5 of them were decided by older rules: {again} has today's decide them"
    assert older in leadgate("status", config=pipeline.file).stdout
    assert f"5 were decided by older rules: {again} has today's decide them." in review(pipeline, "list").stdout
    tried = leadgate("backtest", "--policy", pipeline.file, config=pipeline.file).stdout
    assert f"5 leads are in review by older rules than those of {pipeline.file}:" in tried
    planned = leadgate("plan", config=pipeline.file).stdout
    assert f"5 more are in review by older rules: {again} lets the file's rules decide them." in planned
    finished = review(pipeline, "again", "--all", "--yes", 5)
    assert finished.code == FINE
    assert finished.stdout.startswith("Leads that the next run decides anew, by its rules: 5.\n")
    assert in_review(pipeline) == []
    found = leadgate("plan", "--json", config=pipeline.file).json()
    assert ({lead["lead_id"] for lead in found["leads"]}, found["older_rules"]) == (set(ALL), 0)


def test_plan_shows_what_changed_data_would_decide_anew(pipeline: Practice) -> None:
    """And changes nothing itself."""
    pipeline.enrich(1, **GOOD | {"score": 0.9})
    planned = leadgate("plan", "--json", config=pipeline.file).json()
    assert [(lead["lead_id"], lead["verdict"]) for lead in planned["leads"]] == [("1", "process")]
    assert in_review(pipeline) == ALL


def test_a_decision_is_taken_back_by_its_id_or_by_its_rule(pipeline: Practice) -> None:
    """The first line after a decision says how; what was sent is refused with where it is."""
    assert review(pipeline, "process", 1, 2, 4, *WORDS).stdout.splitlines() == [
        "Leads that the next run processes: 3.",
        "Until a run has done it, `leadgate review undo ID` takes it back.",
    ]
    again = review(pipeline, "reject", 1, *WORDS).stderr
    assert again.startswith("leadgate: 1: is not in review: it is ready, since ann (")
    assert again.endswith(") decided process (`leadgate review undo` takes that back).\n")
    assert review(pipeline, "undo", 1).stdout == "Leads that are in review again: 1.\n"
    assert review(pipeline, "undo", "--rule", "low", "--yes", 1).stdout == "Leads that are in review again: 1.\n"
    assert in_review(pipeline) == ["1", "3", "4", "5"]
    refused = review(pipeline, "undo", 3)
    assert (refused.code, refused.stdout) == (WRONG, "")
    assert refused.stderr == "leadgate: 3: has nothing to take back: it is in review.\n"


def test_the_list_names_the_unknown_leads_too(pipeline: Practice) -> None:
    """They are with runs and not with a person; whoever knows what became of one can say so."""
    lost = {
        "state": State.UNKNOWN,
        "doubt_action": "process",
        "doubt_since": ENTRY.registered_at,
        "due_at": ENTRY.registered_at,
    }
    with ledger_of(pipeline.file) as (_, ledger), ledger.transaction() as connection:
        connection.execute(entries.update().where(ENTRY.lead_id.in_(["1", "2"])).values(**lost))
    lines = review(pipeline, "list", "--limit", 1).stdout.splitlines()
    assert lines[-4] == "2 leads are unknown: the act may have been taken. Runs look for evidence:"
    assert lines[-3].startswith("  1: its process was sent ")
    assert lines[-2:] == [
        "  ... and 1 more: --limit shows them.",
        "Wait; or say what you know: `leadgate review settle ID --was processed|rejected|not-taken`.",
    ]
    found = review(pipeline, "list", "--json").json()
    assert [(each["lead_id"], each["act"]) for each in found["unknown"]] == [("1", "process"), ("2", "process")]
    assert "unknown" not in review(pipeline, "list", "--rule", "low", "--json").json()
