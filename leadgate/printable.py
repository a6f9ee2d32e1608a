"""Texts from elsewhere, made safe to show: none moves the cursor, reverses a line or begins a new one."""

import re

_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_SEPARATORS = r"\u2028\u2029"
_DIRECTIONS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SURROGATES = r"\ud800-\udfff"
_HIDDEN = re.compile(f"[{_CONTROLS}{_SEPARATORS}{_DIRECTIONS}{_SURROGATES}]")
_MARKUP = re.compile(r"([\\*<\[\]|])")


def on_one_line(text: str) -> str:
    r"""Write every character that a terminal would obey or hide as its escape, such as \x1b, \n or \u202e."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def on_their_lines(text: str) -> str:
    """Do so in every line of a text of our own that has several."""
    return "\n".join(map(on_one_line, text.split("\n")))


def in_markdown(text: str) -> str:
    """Give a text as part of one line of Markdown: it makes no link, no tag and no column. Code in backticks stays."""
    return _MARKUP.sub(r"\\\1", on_one_line(text))


def in_cell(text: str) -> str:
    """Give a text as a cell of Prefect's tables, which shows a Markdown link as a link and anything else as it is."""
    return on_one_line(text).replace("](", "] (")


def in_short(text: str, longest: int | None) -> str:
    """Give the beginning of a long text, and say how long it is; without a `longest`, all of it."""
    return text if longest is None or len(text) <= longest else f"{text[:longest]}... ({len(text):,} characters)"
