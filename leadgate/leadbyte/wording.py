"""What LeadByte's prose means: the only place that knows its sentences.

Documented are "queued for processing" and "queued for rejection", nothing else. Every other pattern here is
a guess that no live account has confirmed; correct it here, and in docs/leadbyte.md, once one has.
A wrong guess must not cost a lead: sentences that fit no pattern are UNCLEAR, never a success or a refusal.
"""

import re
from enum import Enum

from leadgate.model import Action

_DOCUMENTED = {"processing": Action.PROCESS, "rejection": Action.REJECT}
_QUEUED = re.compile(
    r"""(?:quarantined?\ (?:id|lead)\ )?            # Quarantine ID
        (?:['"][^'"]*['"]\ ?:?\ )?                  # '2932682'
        (?:(?:has\ been|was|is)\ )?(?:successfully\ )?
        queued\ for\ (processing|rejection)[.!]?""",
    re.IGNORECASE | re.VERBOSE,
)
_QUOTED = re.compile(r"""['"]\s*([^'"]*?)\s*['"]""")

_LEAD = r"""\b(?:quarantined?(?:\ lead)?|lead|record)s?(?:\ id)?(?:\ ?[:\#]?\ ?(?:['"][^'"]*['"]|\d[\w-]*))?"""
_GONE = re.compile(
    rf"""{_LEAD}\ (?:(?:was|is|could|can)\ )?(?:not|no\ longer)\ (?:be\ )?(?:found|there)\b
      |  {_LEAD}\ (?:does\ not|doesn't|no\ longer)\ exists?\b
      |  \b(?:not|no\ longer|isn't)\ (?:currently\ |found\ )?(?:in\ (?:the\ )?quarantine|quarantined)\b
      |  (?:^|[.;:]\ |{_LEAD}\ )(?:(?:has|was|is)\ )?already\ (?:been\ )?
         (?:processed|rejected|released|removed|deleted|queued\ for\ (?:processing|rejection))\b
      |  \bno\ (?:such\ )?quarantined?(?:\ lead)?s?\b
      |  \bunknown\ quarantine\ id\b""",
    re.IGNORECASE | re.VERBOSE,
)
_BARE_NOT_FOUND = re.compile(r"not found[.!]?", re.IGNORECASE)
# "invalid key" alone is not enough: it may be about a field.
_KEY = re.compile(r"\b(?:api|access)[ _-]?key\b|\bx[_-]key\b|^(?:invalid|wrong|unknown) key[.!]?$", re.IGNORECASE)

_DONE = r"\b(?:queued|process(?:ed|ing)|releas(?:ed|ing)|reject(?:ed|ing|ion)|accepted|success\w*|sent|ok|done|true)\b"
_SAYS_DONE = re.compile(_DONE, re.IGNORECASE)
_SAYS_NOT_DONE = re.compile(
    rf"(?:\b(?:not|cannot|unable|fail\w*)\b|n't\b).*?{_DONE}"
    r"|\b(?:processing|rejection|release) (?:failed|denied|refused)\b",
    re.IGNORECASE,
)


class Told(Enum):
    """What a sentence says of the act that was asked."""

    TAKEN = "taken"
    OPPOSITE = "opposite"
    """The other act was queued: reject where process was asked, or the reverse."""
    NOT_TAKEN = "not taken"
    GONE = "gone"
    """Not taken, since the lead is not in quarantine any more."""
    UNCLEAR = "unclear"


def told_of_act(text: str, action: Action) -> Told:
    """What a release result or a detail says of `action`; UNCLEAR when it might be a success in other words."""
    if queued := _QUEUED.fullmatch(text):
        return Told.TAKEN if _DOCUMENTED[queued[1].lower()] is action else Told.OPPOSITE
    if says_gone(text, of_one_lead=True):
        return Told.GONE
    if text and (_SAYS_NOT_DONE.search(text) or not _SAYS_DONE.search(text)):
        return Told.NOT_TAKEN
    return Told.UNCLEAR


def says_gone(text: str, *, of_one_lead: bool) -> bool:
    """Whether `text` says that the lead is not in quarantine; a bare "Not found" counts only if said of one lead.

    Said of a request, a bare "Not found" is rather an address that does not exist.
    """
    return bool(_GONE.search(text) or (of_one_lead and _BARE_NOT_FOUND.fullmatch(text)))


def says_key_is_wrong(text: str) -> bool:
    """Whether a refusal of a whole request is about the API key, whatever its status code."""
    return bool(_KEY.search(text))


def quoted(text: str) -> list[str]:
    """What stands in quotes: release results name their lead that way (documented)."""
    return _QUOTED.findall(text)
