"""While a verb works, standard error says what is being done; standard output stays the result alone."""

import os
import pty
import re
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from leadgate import sign_of_life
from leadgate.sandbox import Sandbox
from leadgate.sign_of_life import Sign, begin_sign, end_sign
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.http_server import Handler, serving
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[2]
_SECONDS = 30
"""Within which the first words come on a busy machine; what they are about takes until the test lets it end."""
_OF_SOURCE, _OF_LEDGER = "lead_enrichment", "leadgate_entries"


@pytest.fixture
def slow(tmp_path: Path, leadbyte: Sandbox, postgres_url: str) -> Iterator[Practice]:
    """A pipeline of three leads whose source and ledger are on PostgreSQL, where a table can be held."""
    practice = Practice(tmp_path, leadbyte.url, database_url=postgres_url, ledger_url=postgres_url)
    practice.quarantine(1, 2, 3)
    practice.enrich(1, 2, postcode="TN25 6QD", phone_verified=True, score=0.9)
    yield practice
    practice.close()


@contextmanager
def held(practice: Practice, table: str) -> Iterator[None]:
    """Let every statement that reads a table wait, until the body ends."""
    with practice.source.begin() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield


def first_words(stderr: int, *, until: str = "\n") -> str:
    """Read standard error until something stands in it; fail when it does not within the bound."""
    read = b""
    while until not in read.decode():
        ready, _, _ = select.select([stderr], [], [], _SECONDS)
        assert ready, f"nothing came on standard error within {_SECONDS} s but {read!r}"
        more = os.read(stderr, 1000)
        assert more, f"standard error ended with {read!r}"
        read += more
    return read.decode()


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["plain", "json"])
@pytest.mark.parametrize(
    ("verb", "table"),
    [
        (["check"], _OF_SOURCE),
        (["plan"], _OF_SOURCE),
        (["backtest", "--policy", "leadgate.yaml"], _OF_SOURCE),
        (["report"], _OF_LEDGER),
        (["waits"], _OF_LEDGER),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_words_come_while_one_statement_runs(
    slow: Practice, verb: list[str], table: str, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come before the verb has printed anything, and change nothing of what it prints."""
    monkeypatch.chdir(slow.file.parent)
    with held(slow, table):
        process = start_leadgate(*verb, *flags, config=slow.file)
        assert process.stderr
        words = first_words(process.stderr.fileno())
        assert process.poll() is None
    ended = wait_for(process)
    assert words.endswith(" ...\n")
    assert words[0].isupper()
    assert "\x1b" not in words
    fast = leadgate(*verb, *flags, config=slow.file)
    assert ended.code == fast.code
    assert without_times(ended.stdout) == without_times(fast.stdout)
    if flags:
        assert "error" not in ended.json()


def without_times(printed: str) -> str:
    """Leave out what differs between two runs: the instants from which they looked back."""
    return re.sub(r"\d{4}-\d\d-\d\d[ T][\d:.]+(Z|\+00:00)", "TIME", printed)


@pytest.mark.parametrize("no_color", [{}, {"NO_COLOR": "1"}], ids=["colours", "no colours"])
def test_a_terminal_is_redrawn_in_place_and_left_clean(slow: Practice, no_color: dict[str, str]) -> None:
    """The words are taken off before the result, and the cursor is back."""
    ours, theirs = pty.openpty()
    with held(slow, _OF_SOURCE):
        process = subprocess.Popen(
            [sys.executable, "-m", "leadgate", "plan", "--config", str(slow.file)],
            env=os.environ | {"TERM": "xterm"} | no_color,
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        os.close(theirs)
        shown = first_words(ours, until=" ...")
        assert process.poll() is None
    shown += first_words(ours, until="\x1b[?25h")
    stdout, _ = process.communicate(timeout=100)
    os.close(ours)
    assert "\x1b[?25l" in shown
    assert shown.endswith("\x1b[2K")
    assert stdout.startswith("2 leads would be decided now, 1 would go on waiting.")


def test_words_come_while_prefect_is_slow(pipeline: Practice) -> None:
    """Of `python -m deployments.apply`, whose server does not answer for a while; then its error comes last."""
    answers = threading.Event()

    class Slow(Handler):
        def respond(self) -> None:
            answers.wait(100)
            self.answer(422, b"{}")

    with serving(Slow) as place:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.apply", str(pipeline.file)],
            env=os.environ | {"PREFECT_API_URL": f"http://{place}/api"},
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        words = first_words(process.stderr.fileno())
        assert process.poll() is None
        answers.set()
        ended = wait_for(process)
    assert words in {"Loading Prefect ...\n", "Asking the Prefect server ...\n"}
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1].startswith("leadgate: The Prefect server at ")


def test_a_fast_verb_shows_nothing(lone_lead: Practice) -> None:
    """And no thread of it goes on."""
    for verb in ("check", "plan", "waits"):
        assert leadgate(verb, config=lone_lead.file).stderr == ""
    assert "sign-of-life" not in [thread.name for thread in threading.enumerate()]


def test_an_error_comes_after_the_words(lone_lead: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written after it."""
    monkeypatch.setattr(sign_of_life, "FIRST_AFTER", 0)
    ended = leadgate("plan", config=lone_lead.file.parent / "no-such.yaml")
    assert ended.code == 2
    assert ended.stderr.splitlines()[-1].startswith("leadgate: ")
    assert "no-such.yaml" in ended.stderr.splitlines()[-1]


def test_leads_are_counted(lone_lead: Practice) -> None:
    """What has a number says it."""
    sign = begin_sign("")
    try:
        # The command would begin its own, and end it.
        from cli.blocks import read_block  # noqa: PLC0415
        from leadgate.plan import plan_run  # noqa: PLC0415
        from leadgate.wiring.pipeline import open_pipeline  # noqa: PLC0415

        with open_pipeline(lone_lead.file, read_block) as opened:
            plan_run(opened.config, opened.source, opened.ledger, opened.policy, now=opened.clock())
    finally:
        end_sign()
    assert sign.text == "Looking at every lead: 1 done, 1 would be decided ..."


@pytest.mark.parametrize("kind", ["none", "closed", "nobody reads", "full"])
def test_a_standard_error_that_takes_nothing_breaks_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sign ends by itself; what it could not write fails at no exit."""
    monkeypatch.setattr(sign_of_life, "FIRST_AFTER", 0)
    monkeypatch.setattr(sign_of_life, "LINES_AFTER", 0)
    stream = None
    if kind == "full":
        stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closed below
    elif kind != "none":
        reader, writer = os.pipe()
        os.close(reader)
        stream = os.fdopen(writer, "w")
        if kind == "closed":
            stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    sign = Sign("Working ...")
    wait_until(lambda: not sign.is_alive, what="the sign has ended")
    sign.end()
    if stream:
        stream.close()  # what stood in its buffer would fail here
