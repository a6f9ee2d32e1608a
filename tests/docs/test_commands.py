"""Every verb and option is on docs/commands.md, and what README and docs tell people to type can be typed."""

import importlib
import re
import shlex
from pathlib import Path

import prefect.settings
import pytest
import typer
from prefect.cli._app import _app as prefect_app

from cli.verbs import VERBS
from leadgate.health import ALARMS
from leadgate.ledger.alarms import Alarm
from tests.docs.pages import PAGES, ROOT, page, rows, typed
from tests.docs.typer_tree import options, refusal, verbs


def sections() -> dict[str, str]:
    """The rows below each verb in bold, by the verb. Verbs in one row share them; each may have others of its own."""
    found: dict[str, str] = {}
    for part in page("commands.md").partition("\n## Errors\n")[0].split("\n| **")[1:]:
        names, _, below = part.partition(" | ")
        for verb in names.removesuffix("**").split("**, **"):
            name = verb.removeprefix("leadgate ")
            found[name] = found.get(name, "") + below.partition("\n## ")[0] + "\n"
    return found


SECTIONS = sections()
READ_ELSEWHERE = {"PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER", "PREFECT_SERVER_ENCRYPTION_KEY"}
"""Variables that Prefect reads, and keeps out of its settings: one overrides its logging.yml, one is a secret."""
EVERYWHERE = {"--config, -c", "--json"}
ON_ITS_OWN_PAGE = {"sandbox"}
"""docs/sandbox.md has its options, held by tests/sandbox/test_docs.py."""


def test_every_verb_has_a_row() -> None:
    """In the order of `leadgate --help`, with its sub-verbs."""
    assert list(SECTIONS) == list(verbs())
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [verb for verb in VERBS if not re.search(rf"leadgate {verb}\b|make {verb}\b", readme)] == []


@pytest.mark.parametrize("verb", sorted(verbs().keys() - ON_ITS_OWN_PAGE))
def test_every_option_has_a_row_in_its_own_words(verb: str) -> None:
    """The words of `--help`; what every verb takes is told once, at the head of the page."""
    told = {name: cells[0] for name, cells in rows(SECTIONS[verb]).items()}
    assert told == {name: text for name, text in options(verbs()[verb]).items() if name not in EVERYWHERE}
    assert rows(page("commands.md").partition("\n## ")[0]).keys() >= EVERYWHERE


def test_every_command_of_leadgate_can_be_typed() -> None:
    """Verbs, options and arguments are those of the real command."""
    commands = list(typed("leadgate"))
    assert len(commands) > 50
    refused = [(each.where, each.words, refusal(each.words, is_whole=each.is_whole)) for each in commands]
    assert [each for each in refused if each[2]] == []


def test_a_wrong_command_is_refused() -> None:
    """What the test above rests on."""
    assert refusal(["rum"])
    assert refusal(["review", "lost"])
    assert refusal(["run", "--wach", "1h"], is_whole=False)
    assert refusal(["explain"])
    assert refusal(["explain"], is_whole=False) is None


def test_every_target_of_make_is_there() -> None:
    """By the name before the colon."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {each.words[0] for each in typed("make") if each.words}
    assert named - targets <= {"what"}  # CONTRIBUTING begins its list with a bare `make`, and what that does


def run_by_python(module: str) -> Path:
    """The file that `python -m` runs: the module, or the package's __main__."""
    path = ROOT / module.replace(".", "/")
    return path / "__main__.py" if path.is_dir() else path.with_suffix(".py")


def test_every_module_that_python_runs_can_be_run() -> None:
    """`python -m NAME` names a file that does something then."""
    named = {(each.where, each.words[1]) for each in typed("python") if each.words[:1] == ["-m"]}
    assert named
    for where, module in named:
        assert '__name__ == "__main__"' in run_by_python(module).read_text("utf-8"), (where, module)


def test_every_option_for_a_benchmark_or_for_chaos_is_one() -> None:
    """`make bench BENCH_ARGS="..."`, read by the parser of the module that make runs."""
    target = re.compile(r"^([a-z-]+):.*\n\t\$\(BIN\)/python -m ([a-z.]+) \$\([A-Z]+_ARGS\)", re.MULTILINE)
    modules = dict(target.findall((ROOT / "Makefile").read_text("utf-8")))
    told = [
        (each.where, modules[each.words[0]], shlex.split(word.partition("=")[2]))
        for each in typed("make")
        for word in each.words
        if re.match("(BENCH|CHAOS)_ARGS=", word)
    ]
    told += [(each.where, each.words[1], each.words[2:]) for each in typed("python") if each.words[2:3] == ["run"]]
    assert len(told) > 5
    for where, module, words in told:
        name = ".".join(run_by_python(module).relative_to(ROOT).with_suffix("").parts)
        root = typer.main.get_command(importlib.import_module(name).app)
        assert refusal(words, root=root) is None, (where, words)
        assert refusal([*words, "--no-such-option"], root=root)


def test_every_command_of_prefect_is_there() -> None:
    """Prefect's own command knows the words, up to the first that is an argument."""
    named = {(each.where, tuple(each.words[:2])) for each in typed("prefect") if len(each.words) > 1}
    assert named
    for where, words in named:
        assert words[0] in prefect_app, where
        assert words[1] in prefect_app[words[0]], where


def test_every_setting_of_prefect_is_there() -> None:
    """The variables that the docs set are those that Prefect reads."""
    named = {name for path in PAGES for name in re.findall(r"\bPREFECT_[A-Z_]+[A-Z]\b", path.read_text("utf-8"))}
    assert len(named) > 5
    assert {name for name in named if not hasattr(prefect.settings, name)} == READ_ELSEWHERE


def test_every_alarm_that_status_names_has_its_heading() -> None:
    """What `status` says of an alarm begins as the heading in docs/operations.md does."""
    assert ALARMS.keys() == set(Alarm)
    headings = re.findall(r"^### (.*)$", page("operations.md"), re.MULTILINE)
    assert {said.partition(";")[0].partition(",")[0] for said in ALARMS.values()} - set(headings) == set()
