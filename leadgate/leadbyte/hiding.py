"""What LeadByte's words may not carry into the ledger and the logs: values, whoever's they are, and the API key.

A complaint likes to quote what it complains about, in a spelling of its own, and may quote another lead of the same
request, or one that was never asked about. What was sent with the request is known, and is named by its field however
it is written; beyond that, what looks like an e-mail address or a long number is left out. What cannot be told apart
leaves the known words of the message alone. A name that was never sent cannot be told from any other word.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from leadgate.leadbyte.spelling import Spelt, plain, readings, spellings
from leadgate.leadbyte.wire import LONGEST_TEXT, field_value
from leadgate.leadbyte.wording import LONGEST_SHAPE, is_documented, is_known, shape_of
from leadgate.model import LeadRequest

_MOST_READ = 200_000
"""Characters of all messages of one answer, the same one counted once: beyond them only shapes are kept."""
_MOST_COMPARED = 1_000_000
"""Places times lengths of values that begin as what stands there; likewise. It takes about a second."""
_SHORTEST_LOOKED_FOR = 4
"""Characters, without blanks and punctuation: what is shorter stands in every other word by chance."""
_LONGEST_KEPT = 1500
"""Characters of a message that may be kept; those behind are read, so that no value is cut in two."""
_FEWEST_DIGITS = 7
"""Of a phone number."""
_EMAIL = re.compile(r"""[^\s"<>()\[\]{},;:=]+""")
_NUMBER = re.compile(rf"\d(?:[\W_]{{0,5}}\d){{{_FEWEST_DIGITS - 1},}}")
_END_OF_NAME = re.compile(r"\d{1,2}[\W_]+")
"""The number of a field, such as phone1, with what separates it from its value."""
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_FIGURES = re.compile(r"\d+(?:[.,:/'-]\d+)+")
"""A number with what separates its digits, such as 0.75."""

_Span = tuple[int, int, str]
"""Where something to hide begins and ends in a message, and what is written in its place."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """What is kept of an account's messages: never its API key, and with `shapes_only` nothing but known words."""

    api_key: SecretStr | None = None
    shapes_only: bool = False

    def of(self, requests: Sequence[LeadRequest]) -> "Values":
        """Hide the values of the leads of one HTTP request."""
        return Values(self, requests)


class Values:
    """The values of one HTTP request, which are made ready when the first message asks for it: most need not."""

    def __init__(self, hiding: Hiding, requests: Sequence[LeadRequest]) -> None:
        self._hiding = hiding
        self._requests = requests
        self._lead_ids = frozenset(request.lead_id for request in requests)
        self._labels: dict[str, str] | None = None
        self._lengths: dict[str, set[int]] = {}
        """How long the values are that begin so: many may begin alike, but few lengths are in use."""
        self._words: dict[str, str] = {}
        """What is found only as a whole word: short values, and the words of a longer one."""
        self._is_anyones = False
        self._masked: dict[str, str | None] = {}
        self._characters = self._compared = 0

    def hide(self, message: str, lead_id: str = "") -> str:
        """Give what may be kept of what LeadByte said, of this lead if of any."""
        if all(is_documented(sentence, self._lead_ids) for sentence in message.split("; ")):
            return message
        if message not in self._masked:
            self._masked[message] = self._mask(message[:LONGEST_TEXT])
        masked = self._masked[message]
        return shape_of(message[:LONGEST_TEXT], lead_id)[:LONGEST_SHAPE] if masked is None else masked

    def _mask(self, message: str) -> str | None:
        """Put field names and the like in the place of values; None where the shape alone may be kept."""
        self._characters += len(message)
        if self._hiding.shapes_only or self._characters > _MOST_READ:
            return None
        if self._labels is None:
            self._labels = self._make_ready()
        read = None if self._is_anyones else readings(message)
        if read is None:
            return None
        spans = [span for spelt in read for span in self._find(spelt)]
        return _replaced(message, spans) if self._compared <= _MOST_COMPARED else None

    def _make_ready(self) -> dict[str, str]:
        """Put the values in the one form that they are looked for in, each with what is written in its place."""
        labels: dict[str, str] = {}
        for key in _spell_key(self._hiding.api_key):
            self._learn(labels, key, "[hidden]")
        for request in self._requests:
            for name, value in request.update.items():
                for text in _as_sent(value):
                    self._learn(labels, text, f"[{name}]")
        for form in labels:
            self._lengths.setdefault(form[:_SHORTEST_LOOKED_FOR], set()).add(len(form))
        return labels

    def _learn(self, labels: dict[str, str], text: str, label: str) -> None:
        text = text[:LONGEST_TEXT]
        form = plain(text)
        if form and len(form) < _SHORTEST_LOOKED_FOR and not is_known(form):
            self._words[form] = label
            # A name such as Al may be glued to any word; a figure or a single letter is found as a word.
            self._is_anyones = self._is_anyones or (len(form) > 1 and not form.isdigit())
        for form in spellings(text):
            if len(form) >= _SHORTEST_LOOKED_FOR:
                labels.setdefault(form, label)
        if not text.isalnum():
            for word in map(plain, _WORD.findall(text)):
                if len(word) >= _SHORTEST_LOOKED_FOR and word.isalpha() and not is_known(word):
                    self._words.setdefault(word, label)

    def _find(self, spelt: Spelt) -> Iterator[_Span]:
        """Find what is to be hidden in one reading of a message."""
        yield from self._find_values(spelt)
        if "@" in spelt.text:
            for found in _EMAIL.finditer(spelt.text):
                if "@" in found[0]:
                    yield *spelt.where(*found.span()), "[e-mail]"
        for found in _NUMBER.finditer(spelt.text):
            start, end = found.span()
            if start and spelt.text[start - 1].isalpha() and (ends_name := _END_OF_NAME.match(found[0])):
                start += ends_name.end()
            others = (digits for digits in _DIGITS.findall(spelt.text, start, end) if not self._is_id(digits))
            if sum(map(len, others)) >= _FEWEST_DIGITS:
                yield *spelt.where(start, end), "[number]"

    def _find_values(self, spelt: Spelt) -> Iterator[_Span]:
        labels = self._labels or {}
        for at in range(len(spelt.plain) - _SHORTEST_LOOKED_FOR + 1):
            lengths = self._lengths.get(spelt.plain[at : at + _SHORTEST_LOOKED_FOR], ())
            self._compared += len(lengths)
            for length in lengths if self._compared <= _MOST_COMPARED else ():
                if label := labels.get(spelt.plain[at : at + length], ""):
                    yield *spelt.where_plain(at, min(at + length, len(spelt.plain))), label
        for pattern in (_WORD, _FIGURES) if self._words else ():
            for found in pattern.finditer(spelt.text):
                if (label := self._words.get(plain(found[0]), "")) and found[0] not in self._lead_ids:
                    yield *spelt.where(*found.span()), label

    def _is_id(self, digits: str) -> bool:
        return len(digits) >= _SHORTEST_LOOKED_FOR and digits in self._lead_ids


def _replaced(message: str, spans: Iterable[_Span]) -> str:
    """Put the labels in place; of spans that overlap, that of the longest, and of the first among the equal."""
    parts: list[str] = []
    kept_to, masked_to, longest = 0, 0, 0
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= _LONGEST_KEPT:
            break
        if start >= masked_to:
            parts += [message[kept_to:start], label]
            longest = end - start
        elif end - start > longest:
            parts[-1], longest = label, end - start
        masked_to = kept_to = max(masked_to, end)
    return "".join([*parts, message[kept_to:_LONGEST_KEPT]])


def _as_sent(value: object) -> set[str]:
    """The texts of a value: as the source has it, and as LeadByte was sent it."""
    if value is None:
        return set()
    try:
        return {str(value), str(field_value(value))}
    except ValueError:
        return {str(value)}


def _spell_key(api_key: SecretStr | None) -> Iterator[str]:
    """The key, and what hexadecimal digits and base64 make of it, wherever it begins."""
    if api_key is None:
        return
    key = api_key.get_secret_value()
    yield from (key, key.encode().hex())
    for before in range(3):
        encoded = b64encode(bytes(before) + key.encode()).decode().rstrip("=")
        # The first and last characters depend on what stands beside the key.
        inner = encoded[(before * 8 + 5) // 6 : len(encoded) - 1]
        if len(inner) >= 2 * _SHORTEST_LOOKED_FOR:
            yield inner
