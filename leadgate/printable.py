"""Texts from elsewhere, made safe to show: none moves the cursor, reverses a line or begins a new one."""

import re

_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_SEPARATORS = r"\u2028\u2029"
_DIRECTIONS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SURROGATES = r"\ud800-\udfff"
_HIDDEN = re.compile(f"[{_CONTROLS}{_SEPARATORS}{_DIRECTIONS}{_SURROGATES}]")
_MARKUP = re.compile(r"([\\*<\[\]|])")
_ALL_MARKUP = re.compile(r"([\\`*_~<>\[\]|&])")
_ADDRESS = re.compile(r"(:)(//)|(w)(ww\.)|(\S)(@)", re.IGNORECASE)
_JOINER = "\u2060"
"""Not seen, and no part of any address."""


def on_one_line(text: str) -> str:
    r"""Write every character that a terminal would obey or hide as its escape, such as \x1b, \n or \u202e."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def on_their_lines(text: str) -> str:
    """Do so in every line of a text of our own that has several."""
    return "\n".join(map(on_one_line, text.split("\n")))


def in_markdown(text: str) -> str:
    """Give a text as part of one line of Markdown: it makes no link, no tag and no column. Code in backticks stays."""
    return _MARKUP.sub(r"\\\1", on_one_line(text))


def in_table(text: str) -> str:
    """Give a text as part of a cell of a Markdown table, as it is read: nothing in it is marked up, and no address.

    Both UIs of Prefect make a link of an address that stands in a text, and one of them whatever is escaped.
    """
    return _ADDRESS.sub(_parted, _ALL_MARKUP.sub(r"\\\1", on_one_line(text)))


def _parted(found: re.Match[str]) -> str:
    before, after = filter(None, found.groups())
    return f"{before}{_JOINER}{after}"


def in_code(text: str) -> str:
    """Give a text as code in a cell of a Markdown table, without the two characters that would end one or the other."""
    return "`" + on_one_line(text).replace("`", "'").replace("|", "\u00a6") + "`"


def as_link(text: str, address: str) -> str:
    """Give a link in a cell of a Markdown table; the address is one of ours or of the pipeline file."""
    return f"[{in_table(text)}]({''.join(f'%{ord(each):02X}' if each in '()<>|`' else each for each in address)})"


def in_short(text: str, longest: int | None) -> str:
    """Give the beginning of a long text, and say how long it is; without a `longest`, all of it."""
    return text if longest is None or len(text) <= longest else f"{text[:longest]}... ({len(text):,} characters)"
