"""The command used wrongly: one message that says what to type instead, exit code 2, and nothing is changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.output import ATTENTION
from leadgate.sandbox import Sandbox
from tests.e2e.test_policy_commands import decide_all
from tests.support.command import leadgate
from tests.support.pipelines import Practice

VERBS = [
    "demo",
    "init",
    "ledger",
    "check",
    "plan",
    "run",
    "status",
    "explain",
    "report",
    "review",
    "failed",
    "retry",
    "discard",
    "forget",
    "pause",
    "resume",
]
VERBS += ["test", "backtest", "waits", "schema", "sandbox"]


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox) -> Practice:
    """A pipeline with an empty source."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.close()
    return practice


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, flag: str) -> None:
    """`--help` says what the verb does and what each of its options means."""
    finished = leadgate(verb, flag)
    assert (finished.code, finished.stderr) == (0, "")
    assert finished.stdout.startswith(f"Usage: leadgate {verb} ")
    told = [line for line in finished.stdout.splitlines() if line.startswith(("  -", "  list "))]
    assert told, finished.stdout


def test_the_command_names_its_verbs() -> None:
    """`leadgate --help` lists every verb."""
    told = leadgate("--help").stdout.split("Commands:")[1]
    assert [line.split()[0] for line in told.splitlines() if line.strip()] == VERBS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "Error: No such command 'frobnicate'."),
        (["run", "--frobnicate"], "Error: No such option: --frobnicate"),
        (
            ["run", "--watch", "soon"],
            (
                "Error: Invalid value for '--watch': 'soon' is not a duration: "
                "write a whole number and s, m, h or d, such as 90s, 15m, 24h or 7d"
            ),
        ),
        (
            ["run", "--watch", "999999999d"],
            (
                "Error: Invalid value for '--watch': '999999999d' is longer than a hundred years, "
                "which no calendar is sure to hold: write 36500d at most"
            ),
        ),
        (["run", "--limit", "0"], "Error: Invalid value for '--limit': Input should be greater than or equal to 1"),
        (["explain"], "Error: Missing argument 'ID'."),
        (
            ["demo", "--seconds", "1"],
            "Error: Invalid value for '--seconds': Input should be greater than or equal to 5",
        ),
    ],
)
def test_a_wrong_command_line_is_told(arguments: list[str], message: str) -> None:
    """The last line names the option and what it takes."""
    finished = leadgate(*arguments)
    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr.splitlines()[-1] == message


def test_a_lead_that_is_not_known_cannot_be_explained(pipeline: Practice) -> None:
    """The message says where leads come from."""
    finished = leadgate("explain", "4711", config=pipeline.file)
    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr == (
        f"leadgate: {pipeline.file}: the pipeline 'acme' knows no lead '4711'. Leads are registered by a run; "
        "`leadgate status` counts those it knows, and `leadgate plan` names rows that are passed over.\n"
    )


def test_init_replaces_no_file_unless_told(pipeline: Practice) -> None:
    """What somebody has written is not overwritten by accident."""
    written = pipeline.file.read_text("utf-8")
    finished = leadgate("init", pipeline.file)
    assert finished.code == 2
    assert finished.stderr == (
        f"leadgate: {pipeline.file}: is there already. Name another path, or --force to replace it.\n"
    )
    assert pipeline.file.read_text("utf-8") == written
    assert leadgate("init", pipeline.file, "--force").code == 0
    assert pipeline.file.read_text("utf-8") != written


def test_init_says_where_it_cannot_write(tmp_path: Path) -> None:
    """A folder that is not there is told in one line."""
    finished = leadgate("init", tmp_path / "no" / "leadgate.yaml")
    assert finished.code == 2
    assert finished.stderr == (
        f"leadgate: {tmp_path}/no/leadgate.yaml: cannot be written (there is no folder {tmp_path}/no): "
        "name another file\n"
    )


def test_what_init_writes_lacks_only_what_init_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is right as it stands, once the two variables are set."""
    file = tmp_path / "leadgate.yaml"
    for name in ("LEADBYTE_API_KEY", "SOURCE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert "export LEADBYTE_API_KEY and SOURCE_URL" in leadgate("init", file).stdout
    finished = leadgate("plan", config=file)
    assert finished.code == 2
    assert finished.stderr.splitlines() == [
        (
            f"leadgate: {file}: leadbyte.api_key: the environment variable LEADBYTE_API_KEY is not set: "
            "export LEADBYTE_API_KEY=..."
        ),
        f"leadgate: {file}: source.url: the environment variable SOURCE_URL is not set: export SOURCE_URL=...",
    ]


def test_the_demo_empties_no_folder_but_its_own(tmp_path: Path) -> None:
    """A folder with a source and a pipeline of somebody's is left alone, whatever the files are called."""
    (tmp_path / "source.db").write_text("mine", "utf-8")
    (tmp_path / "leadgate.yaml").write_text("mine", "utf-8")
    finished = leadgate("demo", "--folder", tmp_path)
    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr == (
        f"leadgate: {tmp_path}: is not empty and holds no earlier demo. Name another folder with --folder.\n"
    )
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["mine", "mine"]


def test_the_demo_needs_a_folder(tmp_path: Path) -> None:
    """A file in its place is told in one line."""
    file = tmp_path / "demo"
    file.touch()
    finished = leadgate("demo", "--folder", file)
    assert finished.code == 2
    assert finished.stderr == f"leadgate: {file}: cannot be used (File exists). Name another folder with --folder.\n"


def test_an_id_with_zeros_before_it_is_looked_for_without_them(lone_lead: Practice) -> None:
    """As another system shows it."""
    decide_all(lone_lead)
    assert (
        "knows no lead '001'. Did you mean '1'? Leads are" in leadgate("explain", "001", config=lone_lead.file).stderr
    )


def test_forgetting_offers_only_what_it_takes(pipeline: Practice) -> None:
    """Neither a rule nor all: what is erased is named."""
    assert leadgate("forget", config=pipeline.file).stderr == (
        "leadgate: say which leads: their ids (- reads them from standard input)\n"
    )


@pytest.mark.parametrize(("old", "new"), [("policy:", "polcy:"), ("deadline: 24h", "deadline: 24 hours")])
def test_a_fault_elsewhere_in_the_file_keeps_nobody_from_pausing(pipeline: Practice, old: str, new: str) -> None:
    """A brake goes by the pipeline's name and its ledger alone, as far as the ledger knows the name."""
    leadgate("resume", config=pipeline.file)
    wrong = pipeline.file.read_text("utf-8").replace(old, new)
    pipeline.file.write_text(wrong, "utf-8")
    paused = leadgate("pause", "--by", "ann", "--reason", "Look.", config=pipeline.file)
    assert (paused.code, paused.stdout.startswith("acme is paused since ")) == (0, True), paused.stderr
    assert leadgate("resume", config=pipeline.file).stdout.startswith("acme goes on; it had been paused")
    pipeline.file.write_text(wrong.replace("pipeline: acme", "pipeline: acne"), "utf-8")
    refused = leadgate("pause", config=pipeline.file)
    assert refused.code == 2
    assert "nothing was paused or resumed: name a file that is right by --config" in refused.stderr


def test_a_second_pause_says_that_the_first_one_holds(pipeline: Practice) -> None:
    """Its reason is not taken over, and nobody is left to think so."""
    leadgate("pause", "--reason", "A look.", "--by", "ann", config=pipeline.file)
    said = leadgate("pause", "--reason", "Another.", "--by", "bob", config=pipeline.file).stdout.splitlines()
    assert said[0].endswith("): A look.")
    assert said[1] == "That pause goes on, and what you have typed now is not recorded."


def test_a_pause_in_a_hurry_gets_its_reason_later(pipeline: Practice) -> None:
    """By the second command; a third does not change it."""
    leadgate("pause", "--by", "ann", config=pipeline.file)
    said = leadgate("pause", "--reason", "Too many rejects.", "--by", "ann", config=pipeline.file).stdout.splitlines()
    assert said[0].endswith("): Too many rejects.")
    assert said[1] == "That pause goes on, with this reason."
    again = leadgate("pause", "--reason", "Another.", config=pipeline.file).stdout.splitlines()
    assert (again[0].endswith("): Too many rejects."), "not recorded" in again[1]) == (True, True)


def test_whoever_reads_the_output_may_have_enough(pipeline: Practice) -> None:
    """As `head` does: no word of Python's about it."""
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "leadgate", "status", "--config", str(pipeline.file)]
    run = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, timeout=100, check=False)
    os.close(writer)
    assert (run.returncode, run.stderr) == (ATTENTION, b"")
