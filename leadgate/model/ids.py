"""A lead's id as text: one normal form, whoever writes it, be it the source, LeadByte or somebody at the keyboard."""

import re

from leadgate.errors import ConfigError

HIDDEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
"""Characters that are never seen, as a regular expression writes them in brackets."""
BLANK = r"\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000"
"""Blanks and control characters, which are not seen at the ends of a text; likewise."""
UNSEEN = f"[{HIDDEN}]|^[{BLANK}{HIDDEN}]+|[{BLANK}{HIDDEN}]+$"
"""What the normal form of an id leaves out."""

_LONGEST = 200
"""Letters of an id that the ledger keeps: one row with a longer one must not stop all the others."""
_READ_AT_MOST = 10 * _LONGEST
_UNSEEN = re.compile(UNSEEN)
_BETWEEN = re.compile(r"[\s,;]+")


def normal_id(text: str) -> str | None:
    """Give an id without what cannot be seen: inside it, and blanks around it; None for what is no id.

    No id are: nothing, more than 200 characters, a NUL, which PostgreSQL has not in text, and half characters.
    """
    if len(text) > _READ_AT_MOST or "\0" in text:
        return None
    if not (text.isascii() and text.isalnum()):  # as nearly every id
        text = _UNSEEN.sub("", text)
        if any("\ud800" <= character <= "\udfff" for character in text):
            return None
    return text if 0 < len(text) <= _LONGEST else None


def read_ids(text: str) -> list[str]:
    """Read ids between commas, semicolons, blanks or line breaks, each once; raise ConfigError for what is none."""
    found: dict[str, None] = {}
    for number, part in enumerate(filter(None, _BETWEEN.split(text)), 1):
        lead_id = normal_id(part)
        if lead_id is None:
            raise ConfigError(
                f"number {number} of the ids is none: it is longer than {_LONGEST} characters, or holds what is no text"
            )
        found[lead_id] = None
    return list(found)
