"""People who are made up, how somebody may write what is known of them, and the search for it in what was kept."""

import html
import json
import random
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote, unquote

_SYLLABLES = "bra dok fen gul hin jor kel lum mip nov pry quil ros sud tam vex wyn yor zan øst çel ñir".split()  # noqa: SIM905
_STREETS = ("Street", "Road", "Lane", "Gate")
_ESCAPED = re.compile(r"(?:\\|%)u([0-9a-fA-F]{4})")
_NUMBER = re.compile(r"\d(?:[ ().+/_-]{0,3}\d){6,}")
_DATE = re.compile(r"(?=(\d{4}-\d\d-\d\d|\d\d[/.]\d\d[/.]\d{4}))")
_SHORTEST = 6
"""Characters of a value that is searched for: shorter ones stand in other words by chance."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody, by column; of each kind a value that is nobody else's."""

    values: Mapping[str, str]


def make_person(number: int) -> Person:
    """Make somebody up, the same for the same number."""
    chance = random.Random(number)  # noqa: S311 - no secret

    def word(syllables: int) -> str:
        return "".join(chance.choice(_SYLLABLES) for _ in range(syllables)).capitalize()

    first, last = word(2), word(3)
    prefix = chance.choice(["", "O'", "d'", "Mc"])
    mark = f"{number:x}".translate(str.maketrans("0123456789abcdef", "ghijklmnopqrstuv"))
    # Before 1970-01-01, which Prefect itself writes.
    born = date(1930, 1, 1) + timedelta(days=chance.randrange(14_000))
    return Person(
        {
            "full_name": f"{first} {prefix}{last}{mark}",
            "email": f"{first}.{last}+{mark}@{word(2)}.example".lower(),
            "mobile": f"0{chance.randrange(7000000000, 7999999999)}",
            "street": f"{chance.randrange(1, 300)} {word(3)}{mark} {chance.choice(_STREETS)}",
            "born": born.isoformat(),
        }
    )


def ways(value: str) -> list[str]:
    """A value in other cases and spacing, and in every escaping, once and twice."""
    in_json = json.dumps(value)[1:-1]
    return [
        value,
        value.upper(),
        *(value.replace(" ", blank) for blank in ("  ", "\n", "", "-")),
        html.escape(value),
        html.escape(html.escape(value)),
        *(
            "".join(form.format(ord(each)) for each in value)
            for form in ("&#{:03};", "&#x{:x};", "%u{:04x}", "\\u{:04x}")
        ),
        quote(value),
        quote(quote(value)),
        in_json,
        in_json.replace("\\", "\\\\"),
        value.replace("/", "\\/"),
        unicodedata.normalize("NFD", value),
    ]


def spell(chance: random.Random, column: str, value: str) -> str:
    """Write a value as somebody may who means it, in one of many ways."""
    if column == "mobile":
        rest = value[1:]
        separated = [f"+44 {rest[:4]} {rest[4:]}", f"(0{rest[:4]}) {rest[4:7]}-{rest[7:]}", f"0{rest[:4]}.{rest[4:]}"]
        value = chance.choice([value, f"+44{rest}", f"tel{value}", f"2026-11-26 {value}", *separated])
    if column == "born":
        year, month, day = value.split("-")
        value = chance.choice([value, f"{day}/{month}/{year}", f"{day}.{month}.{year}", f"{year}{month}{day}"])
    return (
        chance.choice(["", "x", "'", '"', "for ", "= "])
        + chance.choice(ways(value))
        + chance.choice(["", "'", '"', "!", " is bad"])
    )


def readable(text: str) -> str:
    """Undo the escapes of JSON, HTML and addresses, of which there may be two."""
    for _ in range(2):
        text = unquote(html.unescape(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text.replace("\\\\", "\\"))))
    return text


def normal(text: str) -> str:
    """Small letters and digits alone."""
    folded = unicodedata.normalize("NFKD", readable(text)).casefold()
    return "".join(each for each in folded if each.isalnum())


class Search:
    """Looks for people's values in texts, in whatever spelling; the values are prepared once."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._phones: dict[str, str] = {}
        self._dates: dict[str, str] = {}
        self._words: dict[str, dict[str, str]] = {}
        for person in people:
            for column, value in person.values.items():
                told = f"{column}: {value}"
                if column == "mobile":
                    self._phones[value[-10:]] = told
                elif column == "born":
                    year, month, day = value.split("-")
                    self._dates |= dict.fromkeys((value, f"{day}/{month}/{year}", f"{day}.{month}.{year}"), told)
                elif len(form := normal(value)) >= _SHORTEST:
                    self._words.setdefault(form[:_SHORTEST], {})[form] = told

    def __call__(self, content: str) -> list[str]:
        """Which columns of which values stand in a text."""
        plain, found = readable(content), set()
        for written in (*_DATE.findall(content), *_DATE.findall(plain)):
            found |= {self._dates[written]} if written in self._dates else set()
        for number in _NUMBER.findall(plain):
            digits = re.sub(r"\D", "", number)
            found |= {told for at in range(len(digits) - 9) if (told := self._phones.get(digits[at : at + 10], ""))}
        flat = normal(content)
        for at in range(len(flat) - _SHORTEST + 1):
            if begins := self._words.get(flat[at : at + _SHORTEST]):
                found |= {told for form, told in begins.items() if flat.startswith(form, at)}
        return sorted(found)
