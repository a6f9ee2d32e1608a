"""An error that nobody foresaw: its text, which may quote a person, is nowhere; its type and place are."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from leadgate.errors import SourceError, UnexpectedError
from leadgate.unexpected import guarded
from tests.support.command import leadgate, start_leadgate, wait_for


def raise_at_depth(depth: int, value: str) -> None:
    """Fail with somebody's name in the text, some calls deep."""
    if depth:
        raise_at_depth(depth - 1, value)
    raise KeyError(value)


@guarded
def fail(value: str) -> None:
    """A task that meets what nobody foresaw."""
    int(value)


@guarded
async def fail_later(value: str) -> None:
    """The same, in a coroutine."""
    await asyncio.sleep(0)
    raise_at_depth(3, value)


def test_what_a_flow_raises_says_nothing_of_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the error nor what it was raised from; with LEADGATE_TRACEBACK it goes on as it is."""
    monkeypatch.delenv("LEADGATE_TRACEBACK", raising=False)
    with pytest.raises(UnexpectedError, match="unexpected ValueError at") as caught:
        fail("Jane Doe")
    with pytest.raises(UnexpectedError, match="unexpected KeyError at") as later:
        asyncio.run(fail_later("Jane Doe"))
    for error in (caught.value, later.value):
        assert "Jane" not in f"{error} {error.__cause__}"
        assert error.__suppress_context__
    monkeypatch.setenv("LEADGATE_TRACEBACK", "1")
    with pytest.raises(ValueError, match="Jane Doe"):
        fail("Jane Doe")


def test_an_error_of_ours_goes_on_as_it_is() -> None:
    """Its text is ours."""

    @guarded
    def refuse() -> None:
        raise SourceError("source.leads: nothing is there")

    with pytest.raises(SourceError, match="nothing is there"):
        refuse()


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_command_that_meets_it_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    """It names the last line of ours that was reached and exits with 1; under --json with its object."""
    broken = "import leadgate.wiring.ledger as at\ndef open_ledger(*a, **b): raise RuntimeError('Jane Doe')\n"
    (tmp_path / "sitecustomize.py").write_text(broken + "at.open_ledger = open_ledger\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("LEADGATE_TRACEBACK", raising=False)
    file = tmp_path / "leadgate.yaml"
    assert leadgate("init", file).code == 0
    ended = wait_for(start_leadgate("status", *flags, config=file))
    assert (ended.code, ended.stderr.count("\n")) == (1, 1)
    assert re.match(r"leadgate: unexpected RuntimeError at leadgate\.wiring\.ledger:\d+\. ", ended.stderr)
    assert "Jane" not in ended.stderr + ended.stdout
    if flags:
        assert ended.json()["problems"] == [ended.stderr.removeprefix("leadgate: ").strip()]


@pytest.mark.parametrize(
    "arguments", [["plan", "--no-such"], ["nothing"], ["explain"], ["run", "--limit", "\x1b[31m"]], ids=str
)
def test_wrong_use_is_an_object_too(arguments: list[str]) -> None:
    """Whatever is typed: under --json there is one object on standard output, and no terminal obeys what is said."""
    ended = wait_for(start_leadgate(*arguments, "--json"))
    assert ended.code == 2
    assert ended.json()["problems"]
    assert "\x1b" not in ended.stderr
