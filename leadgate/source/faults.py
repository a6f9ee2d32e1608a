"""What is wrong with rows of the source, counted by its kind: one sentence for nine thousand rows."""

import re
from collections import Counter
from collections.abc import Mapping

Faults = Counter[str]
"""How many rows have a fault, by its sentence, in which {rows} stands for their number."""

_DIGIT, _LETTER, _OTHER = re.compile(r"\d"), re.compile(r"[^\W\d_]"), re.compile(r"[^ -~]")
_LONGEST_SHAPE = 30


def name_faults(faults: Mapping[str, int]) -> list[str]:
    """Write faults with their numbers."""
    return [
        sentence.replace("{rows}", f"{count:,} row{'' if count == 1 else 's'}") for sentence, count in faults.items()
    ]


def shape_of(value: object) -> str:
    """Show how a value is written, and not what it says: `26/11/2026 08:57` is 99/99/9999 99:99."""
    text = str(value)[:_LONGEST_SHAPE]
    return _OTHER.sub("?", _LETTER.sub("a", _DIGIT.sub("9", text)))


def odd_ids(where: str) -> str:
    """The sentence for ids that hold what cannot be seen."""
    return (
        f"{where}: {{rows}} with an id that holds what cannot be seen, such as a blank at its end. It is read without, "
        "but no index serves such ids: correct them, or give a `query:` that does."
    )
