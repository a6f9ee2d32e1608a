"""Takes a condition apart at its `&&`, `||`, `!` and brackets: the ways in which it can fail, as texts.

Both the compiler and `explain` number the ways of a text, so that a decision need only keep the number. A condition
with a comment, or whose brackets are inside of something else, stays whole there.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from leadgate.policy.faults import without_strings


class Way(NamedTuple):
    """One way to fail: `text` is not as `wanted`, since each of its parts has the truth that stands beside it."""

    text: str
    wanted: bool
    parts: Sequence[tuple[str, bool]]


class _Piece(NamedTuple):
    """A piece of a condition: `all` of its pieces are needed or one of them (`any`), or it is a `leaf`."""

    kind: str
    text: str
    pieces: Sequence["_Piece"]
    wanted: bool


def ways_to_fail(text: str, *, wanted: bool = True) -> list[Way]:
    """Give each way in which a condition is not as wanted, in the order of the text; the first that is so counts."""
    return [_way(piece) for piece in _needed(_taken_apart(text, wanted=wanted))]


def _needed(piece: _Piece) -> Iterator[_Piece]:
    """The pieces that must each be as wanted."""
    if piece.kind != "all":
        yield piece
        return
    for inner in piece.pieces:
        yield from _needed(inner)


def _way(piece: _Piece) -> Way:
    return Way(piece.text, piece.wanted, [(part.text, not part.wanted) for part in _enough(piece)])


def _enough(piece: _Piece) -> Iterator[_Piece]:
    """The pieces of which one must be as wanted; what is nested deeper stays whole."""
    if piece.kind != "any":
        yield piece
        return
    for inner in piece.pieces:
        yield from _enough(inner)


def _taken_apart(text: str, *, wanted: bool) -> _Piece:
    text = text.strip()
    own = without_strings(text)
    if "//" not in own:
        for sign in ("||", "&&"):
            texts = _split(text, own, sign)
            if len(texts) > 1:
                kind = "all" if (sign == "&&") is wanted else "any"
                return _Piece(kind, text, [_taken_apart(part, wanted=wanted) for part in texts], wanted)
        if _is_bracketed(own):
            return _taken_apart(text[1:-1], wanted=wanted)
        if own.startswith("!") and _is_bracketed(own.lstrip("! ")):
            return _taken_apart(text[1:], wanted=not wanted)
    return _Piece("leaf", text, (), wanted)


def _split(text: str, own: str, sign: str) -> list[str]:
    """Split at the signs outside of all brackets; a text with a `? :` there stays whole."""
    depth, start, found = 0, 0, []
    for at, letter in enumerate(own):
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif depth == 0 and letter == "?":
            return [text]
        elif depth == 0 and own.startswith(sign, at):
            found.append(text[start:at])
            start = at + len(sign)
    return [*found, text[start:]]


def _is_bracketed(own: str) -> bool:
    """Say whether one pair of brackets encloses all."""
    depth = 0
    for at, letter in enumerate(own):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0:
            return letter == ")" and own.startswith("(") and at == len(own) - 1
    return False
