"""The pages that people read, taken apart: headings, tables, fenced blocks, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SHELLS = {"", "sh", "console"}


class Block(NamedTuple):
    """A fenced block: where it begins, its language, and what it holds."""

    where: str
    language: str
    text: str


class Typed(NamedTuple):
    """A command as a reader would type it, without the variables set before it."""

    where: str
    words: list[str]
    is_whole: bool
    """In a block it can be typed as it stands; between words it may be named without its arguments."""


def page(name: str) -> str:
    """The text of a page of docs/."""
    return (ROOT / "docs" / name).read_text("utf-8")


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", path.read_text("utf-8"))


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = path.read_text("utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{path.relative_to(ROOT)}:{line}", found[1], found[2])


def rows(text: str) -> dict[str, list[str]]:
    """Every table row that begins with a name in backticks: the name, and the other cells."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in re.split(r"(?<!\\)\|", rest)] for name, rest in found}


def typed(program: str) -> Iterator[Typed]:
    """Every command of a program: in blocks of a shell, and in backticks between words."""
    for path in PAGES:
        for block in blocks(path):
            if block.language in _SHELLS:
                yield from _commands(program, block.where, block.text.replace("\\\n", " "), is_whole=True)
        for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(path)):
            yield from _commands(program, str(path.relative_to(ROOT)), span, is_whole=False)


def _commands(program: str, where: str, text: str, *, is_whole: bool) -> Iterator[Typed]:
    for line in text.splitlines():
        try:
            words = shlex.split(line.removeprefix("$ "), comments=True)
        except ValueError:  # an apostrophe in what a command printed
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words and words[0].removeprefix(".venv/bin/") == program:
            yield Typed(where, [word.strip(";,.") if len(word) > 1 else word for word in words[1:]], is_whole)
