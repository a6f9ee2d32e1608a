"""The one form in which values are looked for, and the ways in which a message may spell them. Pure.

A text is read as it stands, and again with its escapes (HTML's, of addresses, of JSON and JavaScript) undone as often
as there are any. Each character of a reading knows the characters of the message that it was made of.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import product

_ROUNDS = 4
"""Nobody escapes more often without something to hide."""
_ESCAPE = re.compile(
    r"""(?P<html>&(?:\#\d{1,10}|\#x[\da-f]{1,8}|[a-z][a-z\d]{1,31});?)
      | (?P<octets>(?:[%=][\da-f]{2})+)
      | (?P<octal>(?:\\[0-3][0-7]{2})+)
      | (?P<codes>(?:(?:\\|%)(?-i:u)[\da-f]{4})+)
      | (?P<code>\\u\{[\da-f]{1,8}\}|\\(?-i:U)[\da-f]{8}|\\x[\da-f]{2})
      | (?P<character>\\[\\/'"nrtbfv0])
      | (?P<tag></?[a-z][^<>]{0,200}>)""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_MAY_BE_ESCAPED = re.compile(r"[&%=\\<]")
_DATE = re.compile(r"(?P<first>\d{1,4})[-/. ](?P<second>\d{1,2})[-/. ](?P<third>\d{1,4})(?!\d)", re.ASCII)
_COMPACT_DATE = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)", re.ASCII)
_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_LONGEST_DATE = 35
_LATIN = str.maketrans("øłđðħıŋŧ", "olddhint") | str.maketrans({"æ": "ae", "œ": "oe", "þ": "th"})
"""Letters with a stroke and the like, which are no letters with an accent to Unicode."""
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})

_Piece = tuple[str, int, int]
"""A character, and where that which it was made of begins and ends in the message."""


class Spelt:
    """One reading of a message in small letters without accents: `text`, and `plain`, its letters and digits alone."""

    def __init__(self, pieces: Sequence[_Piece]) -> None:
        folded = [(each, start, end) for character, start, end in pieces for each in _fold(character)]
        self._folded = folded
        self._letters = [piece for piece in folded if piece[0].isalnum()]
        self.text = "".join(piece[0] for piece in folded)
        self.plain = "".join(piece[0] for piece in self._letters)

    def where(self, start: int, end: int) -> tuple[int, int]:
        """Where in the message a part of `text` stands."""
        return self._folded[start][1], self._folded[end - 1][2]

    def where_plain(self, start: int, end: int) -> tuple[int, int]:
        """Where in the message a part of `plain` stands."""
        return self._letters[start][1], self._letters[end - 1][2]


def readings(message: str) -> list[Spelt] | None:
    """Read a message as it stands and with its escapes undone; None if there seems to be no end of them."""
    pieces: list[_Piece] = [(character, at, at + 1) for at, character in enumerate(message)]
    read = [Spelt(pieces)]
    text = message
    for _ in range(_ROUNDS):
        if not _MAY_BE_ESCAPED.search(text):
            return read
        pieces = list(_unescaped(text, pieces))
        undone = "".join(piece[0] for piece in pieces)
        if undone == text:
            return read
        text = undone
        read.append(Spelt(pieces))
    return None if _MAY_BE_ESCAPED.search(text) and _ESCAPE.search(text) else read


def plain(text: str) -> str:
    """Write a text in the one form that values are looked for in: small letters without accents, and digits, alone."""
    if text.isascii():
        return "".join(filter(str.isalnum, text.lower()))
    return "".join(each for character in text for each in _fold(character) if each.isalnum())


def spellings(text: str) -> set[str]:
    """Every spelling of a value that is looked for, in the one form."""
    forms = {plain(text), *_dates(text), *map(plain, _numbers(text)), *map(plain, _damaged(text))}
    if _MAY_BE_ESCAPED.search(text):
        forms |= {spelt.plain for spelt in readings(text) or ()}
    return forms


def _damaged(text: str) -> Iterator[str]:
    """Write a text as those do who take its UTF-8 for another encoding, or who have no letters but those of ASCII."""
    if not text.isascii():
        for encoding in ("latin-1", "cp1252"):
            yield text.encode(errors="ignore").decode(encoding, "replace")
        yield text.encode("ascii", "ignore").decode()
        yield text.casefold().translate(_TWO_LETTERS)


def _numbers(text: str) -> Iterator[str]:
    """Write a decimal number without zeros at its end, with two places, and rounded to none if it is whole."""
    if found := re.fullmatch(r"([+-]?\d+)(?:\.(\d*?)(0*))?", text, re.ASCII):
        whole, places = found[1], found[2] or ""
        yield from (f"{whole}.{places}", f"{whole}.{places:0<2}")


def _dates(text: str) -> Iterator[str]:
    """Write a text that begins with a date in the other orders that dates are written in."""
    if not text[:1].isdigit() or len(text) > _LONGEST_DATE:
        return
    for year, month, day in _dates_of(text):
        name = _MONTHS[month - 1]
        years = (f"{year}", f"{year % 100:02}")
        for y, m, d in product(years, {f"{month:02}", f"{month}"}, {f"{day:02}", f"{day}"}):
            yield from (y + m + d, d + m + y, m + d + y)
        for y, m, d in product(years, (name, name[:3]), (f"{day:02}", f"{day}", f"{day}{_ordinal(day)}")):
            yield from (y + m + d, d + m + y, m + d + y)
        yield from (f"{year}{month:02}{day:02}", f"{day}{_ordinal(day)}of{name}{year}")


def _dates_of(text: str) -> Iterator[tuple[int, int, int]]:
    found = _DATE.match(text) or _COMPACT_DATE.fullmatch(text)
    if not found:
        return
    first, second, third = map(int, found.groups())
    lasts = (third,) if third > 99 else (1900 + third, 2000 + third)  # noqa: PLR2004 - a year in two digits
    orders = {
        (first, second, third),
        *((last, second, first) for last in lasts),
        *((last, first, second) for last in lasts),
    }
    for year, month, day in orders:
        if year >= 1000:  # noqa: PLR2004 - in four digits
            try:
                date(year, month, day)
            except ValueError:
                continue
            yield year, month, day


def _ordinal(day: int) -> str:
    return "th" if day in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """One character in small letters and digits of ASCII where there are such, without its accents."""
    if character.isascii():
        return character.lower()
    split = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold()).translate(_LATIN)
    return "".join(
        str(unicodedata.decimal(each)) if each.isdecimal() else each
        for each in split
        if not unicodedata.category(each).startswith("M")
    )


def _unescaped(text: str, pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    """Undo the outermost escapes."""
    at = 0
    for found in _ESCAPE.finditer(text):
        yield from pieces[at : found.start()]
        at = found.end()
        start, end = pieces[found.start()][1], pieces[at - 1][2]
        for character in _meaning(found):
            yield character, start, end
    yield from pieces[at:]


def _meaning(found: re.Match[str]) -> str:  # noqa: PLR0911 - a table of escapes
    text = found[0]
    match found.lastgroup:
        case "html":
            return html.unescape(text)
        case "octets":
            return _decoded(bytes.fromhex(re.sub("[%=]", "", text)))
        case "octal":
            return _decoded(bytes(int(code, 8) for code in text.split("\\")[1:]))
        case "codes":
            units = bytes.fromhex(re.sub(r"[\\%]u", "", text, flags=re.IGNORECASE))
            return units.decode("utf-16-be", "replace")
        case "code":
            number = int(text.strip("\\uxUX{}"), 16)
            return chr(number) if number <= 0x10FFFF else " "  # noqa: PLR2004 - Unicode's last
        case "character":
            return text[1] if text[1] in "\\/'\"" else " "
        case _:
            return " "


def _decoded(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
