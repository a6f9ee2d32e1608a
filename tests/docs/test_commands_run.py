"""What the blocks of README and docs say to type is typed, in order, on a pipeline that has what they speak of."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.docs.pages import Typed, typed
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.pipelines import Practice
from tests.support.process import free_port

TOLD = [each for each in typed("leadgate") if each.is_whole]
SANDBOXES = [each for each in TOLD if each.words[0] == "sandbox" and each.words[1:]]
PAGES = sorted({each.where.partition(":")[0] for each in TOLD if each.words[0] != "sandbox"})
IN_REVIEW = [4711, 4712, 4713, 4714]
FAILED = 4715
WRITTEN = {"README.md": "new/leadgate.yaml", "docs/people.md": "plan.json", "docs/report.md": "acme.html"}
"""A file that a page's commands leave behind."""


@pytest.fixture
def pipeline(
    tmp_path: Path, leadbyte: Sandbox, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Practice]:
    """A pipeline after a run: leads that a person is asked about, and one that LeadByte has refused for good."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.edit("deadline: 24h", "deadline: 24h\ndelivery: {attempts: 1}")
    practice.quarantine(*IN_REVIEW, FAILED)
    practice.enrich(*IN_REVIEW, postcode="TN25 6QD", phone_verified=True, score=0.2)
    practice.enrich(FAILED, postcode="TN25 6QD", phone_verified=True, score=0.9)
    leadbyte.faults.change({"poison": [str(FAILED)]})
    assert leadgate("run", config=practice.file).code == 1
    assert practice.states() == dict.fromkeys(map(str, IN_REVIEW), "review") | {str(FAILED): "failed"}
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path)
    yield practice
    practice.audit(leadbyte)
    practice.close()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_type_works(page: str, pipeline: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 would be wrong use; 1 tells of the leads that need a person."""
    for command in (each for each in TOLD if each.where.startswith(page)):
        if command.words[0] == "sandbox":
            continue
        with monkeypatch.context() as here:
            if command.words == ["init"]:
                here.chdir("new")
            # Where there is no terminal nobody can be asked.
            sure = ["--yes"] if command.words[0] == "forget" else []
            ended = leadgate(*map(filled_in, command.words), *sure)
        assert ended.code in {0, 1}, (command, ended)
    assert (pipeline.file.parent / WRITTEN.get(page, "")).exists()


def filled_in(word: str) -> str:
    """A word with the id or the file that the page leaves open, and a place of the test for one of the machine."""
    return {"ID": str(FAILED), "FILE": "leadgate.yaml"}.get(word, word.replace("/srv/", ""))


@pytest.mark.parametrize("command", SANDBOXES, ids=lambda each: each.where)
def test_the_practice_leadbyte_starts_as_told(command: Typed) -> None:
    """On another port, and stopped as its first lines say."""
    port = str(free_port())
    process = start_leadgate(*(port if word == "8765" else word for word in command.words))
    assert process.stdout is not None
    assert f"http://127.0.0.1:{port}" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert wait_for(process).code == 0
