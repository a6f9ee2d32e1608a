"""The words of faults that several modules find in rows of the source."""

import re

from leadgate.model import Fault

_DIGIT, _LETTER, _OTHER = re.compile(r"\d"), re.compile(r"[^\W\d_]"), re.compile(r"[^ -~]")
_LONGEST_SHAPE = 30


def shape_of(value: object) -> str:
    """Show how a value is written, and not what it says: `26/11/2026 08:57` is 99/99/9999 99:99."""
    text = str(value)[:_LONGEST_SHAPE]
    return _OTHER.sub("?", _LETTER.sub("a", _DIGIT.sub("9", text)))


def written_like(value: object) -> str:
    """Say how one of the values of a fault is written."""
    return f" (one is written like {shape_of(value)})"


def odd_ids(where: str) -> Fault:
    """The fault of ids that hold what cannot be seen."""
    return Fault(
        where,
        "with an id that holds what cannot be seen, such as a blank at its end",
        "It is read without, but no index serves such ids: correct them, or give a `query:` that does.",
    )


def several_rows(where: str) -> Fault:
    """What is odd about enrichment that has more than one row of a lead."""
    return Fault(
        where,
        "of leads that have more than one",
        "The newest counts, and rows are never merged: if each is a part, bring them together by a `query:`.",
    )
