"""What stands in somebody else's text reaches a terminal, Prefect's log and Prefect's pages as letters alone."""

import json
from datetime import UTC, datetime

import pytest

from cli.output import say, say_json, say_lines, warn
from leadgate.model import Fault, Faults, Pause
from leadgate.printable import as_link, in_code, in_table, on_one_line
from leadgate.summary import Account
from tasks.observed import quoted
from tasks.report import as_markdown

NOW = datetime(2026, 9, 1, tzinfo=UTC)
HOSTILE = [
    ("\x1b[2J", r"\x1b[2J"),
    ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
    ("\x9b31m", r"\x9b31m"),
    ("a\nb\r\tc", r"a\nb\r\tc"),
    ("\x85\u2028\u2029", r"\x85\u2028\u2029"),
    ("evil\u202etxt.exe\u202c", r"evil\u202etxt.exe\u202c"),
    ("\u2066a\u2069\u200e\u200f\u061c", r"\u2066a\u2069\u200e\u200f\u061c"),
    ("\ud800", r"\ud800"),
    ("\x7f\0", r"\x7f\x00"),
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_a_line_for_people_holds_nothing_that_a_terminal_obeys(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither on standard output nor on standard error: the escape is shown, on the one line."""
    say(f"1: {text}")
    warn(f"2: {text}")
    assert capsys.readouterr() == (f"1: {shown}\n", f"2: {shown}\n")


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_json_for_machines_holds_nothing_that_a_terminal_obeys(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says the same text."""
    say_json({"reason": text})
    told = capsys.readouterr().out
    assert told.removesuffix("\n").isprintable()
    assert json.loads(told) == {"reason": text}


def test_letters_of_every_language_stay(capsys: pytest.CaptureFixture[str]) -> None:
    """Accents, other scripts, emoji made of several characters, and the joiners that some scripts need."""
    text = "Zoë Łódź Привет 東京 שלום مرحبا में\u200d 👩\u200d👧 \\x1b"
    assert on_one_line(text) == text
    say_lines(f"{text}\n{text}")
    assert capsys.readouterr().out == f"{text}\n{text}\n"


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_a_value_in_prefects_log_stays_on_its_line(text: str, shown: str) -> None:
    """In quotes, and without anything that turns the line round."""
    assert quoted(text).isprintable(), shown


def test_the_summary_on_prefects_page_is_not_changed_by_what_it_quotes() -> None:
    """No id, reason or problem of the source makes a heading, a row, a tag or a link."""
    hostile = "a\n\n# b | c\n<script>x</script> [d](javascript:e)"
    faults = Faults()
    faults.add(Fault("source.leads", "of a kind", "Correct them."), [hostile])
    account = Account(NOW, lead_faults=faults, inferred=[hostile], skipped={hostile: hostile}, trouble=hostile)
    account.tally.note(hostile)
    summary = account.summarize(remaining={}, pause=Pause(NOW, hostile, hostile))
    told = as_markdown("acme", account, summary, {})
    assert told.count(r"a\\n\\n# b \| c\\n\<script>x\</script> \[d\](javascript:e)") == 8
    assert [line for line in told.splitlines() if line.startswith(("# ", "|"))] == [
        "# acme",
        "| in this run | leads |",
        "|---|---:|",
        "| inferred | 1 |",
        "| in the ledger now | leads |",
        "|---|---:|",
    ]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a | b [d](javascript:e) <b>\n", r"a \| b \[d\](javascript:e) \<b\>\\n"),
        ("see https://evil.example, www.evil.example", "see https:\u2060//evil.example, w\u2060ww.evil.example"),
        ("ann@evil.example", "ann\u2060@evil.example"),
        ("&#x202e; `x` *y* _z_ \\|", r"\&#x202e; \`x\` \*y\* \_z\_ \\\|"),
    ],
)
def test_a_cell_of_a_markdown_table_holds_text_alone(text: str, cell: str) -> None:
    """It makes no column, tag, code or link; not even of a bare address, as both UIs of Prefect would."""
    assert in_table(text) == cell


def test_code_in_a_cell_ends_where_it_should() -> None:
    """Whatever characters it holds."""
    assert in_code("a`b|c\\ https://evil.example\n") == "`a'b\u00a6c\\ https://evil.example\\n`"


def test_a_link_leads_where_it_should() -> None:
    """What could end an address early is written otherwise, and the text can be anything."""
    assert as_link("x](y) | 1", "https://crm.example/(a)|b?c=%20") == (
        r"[x\](y) \| 1](https://crm.example/%28a%29%7Cb?c=%20)"
    )
