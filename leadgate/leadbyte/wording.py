"""What LeadByte's sentences mean: the only place that knows them.

Documented are `Quarantine ID 'ID' queued for processing` (or `rejection`) in the answer to a PUT, and
`Queued for processing` in that to a POST, nothing else; a remark may follow. The sentences that mean *gone* are guesses
that no live account has confirmed: correct them here, and in docs/leadbyte.md, once one has. `leadbyte.sentences`
teaches more for one account. A sentence that fits none proves nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from leadgate.model import Action

_DOCUMENTED = {"processing": Action.PROCESS, "rejection": Action.REJECT}
_QUEUED = re.compile(
    r"(?:quarantine id ?' ?([^']*?) ?' )?queued for (processing|rejection) ?(?:$|[.;,:(])", re.IGNORECASE
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

_VOCABULARY = (
    "a account accepted act action added after again all allowed already an and any are as at away be because "
    "been before by campaign can cannot cap closed could currently daily deleted delivered delivery denied did do "
    "does done due duplicate enough error exist exists expired failed field for found from full gone has have "
    "held hold id if in insufficient invalid is it key later lead leads limit locked longer made may missing "
    "moved must no not notification now of off on only or out passed pending permission permissions please "
    "processed processing progress quarantine quarantined queue queued reached ready received record refused "
    "reject rejected rejection release released releasing removed request requested right rights scheduled sent "
    "sold status submitted success successful successfully such taken that the there this time to too try unable "
    "under unknown update updated valid waiting was were will with within without yet you your"
)
_WORDS = frozenset(_VOCABULARY.split())
"""Words that an unknown sentence is shown with; every other may be a person's."""
_TOKEN = re.compile(r"""['"][^'"]*['"]|\{id\}|\{n\}|[^\W\d_]+(?:'[a-z]+)?|[\d.,]*\d|[^\w\s]|\w+""")
_ELSE = "…"


class Said(Enum):
    """What a sentence says of the act that was asked."""

    TAKEN = "taken"
    OPPOSITE = "opposite"
    """The other act was queued: reject where process was asked, or the reverse."""
    GONE = "gone"
    """Not taken, since the lead is not in quarantine any more."""
    UNKNOWN = "unknown"


def shape_of(sentence: str, lead_id: str = "") -> str:
    """Write a sentence with its known words alone: the lead's id as {id}, numbers as {n}, the rest as `…`.

    Two sentences of one shape are taken to say the same.
    """
    shaped: list[str] = []
    for token in _TOKEN.findall(sentence):
        word = token.lower()
        bare = word.strip("'\"").strip()
        if word == "{id}" or (lead_id and bare == lead_id.lower()) or bare == "{id}":
            shaped.append("{id}")
        elif word == "{n}" or word[0].isdigit():
            shaped.append("{n}")
        elif word in _WORDS:
            shaped.append(word)
        elif (word[0].isalnum() or word[0] in "'\"") and shaped[-1:] != [_ELSE]:
            shaped.append(_ELSE)
    return " ".join(shaped)


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of one account: the documented ones, and the shapes of those that were taught."""

    taken: Mapping[Action, frozenset[str]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()

    @classmethod
    def taught(cls, process: Iterable[str], reject: Iterable[str], gone: Iterable[str]) -> "Sentences":
        """Know these beside the documented ones: plain text with {id} for the lead's id and {n} for numbers."""
        taken = {Action.PROCESS: frozenset(map(shape_of, process)), Action.REJECT: frozenset(map(shape_of, reject))}
        return cls(taken, frozenset(map(shape_of, gone)))

    def of_act(self, text: str, lead_id: str, action: Action) -> Said:
        """What a release result or a detail says of an act on a lead."""
        queued = _QUEUED.match(text)
        if queued and queued[1] in {None, lead_id}:
            return Said.TAKEN if _DOCUMENTED[queued[2].lower()] is action else Said.OPPOSITE
        if self.says_gone(text, of_one_lead=True, lead_id=lead_id):
            return Said.GONE
        return self.of_shape(shape_of(text, lead_id), action)

    def of_shape(self, shape: str, action: Action) -> Said:
        """What was taught of a sentence's shape."""
        for taught, shapes in self.taken.items():
            if shape in shapes:
                return Said.TAKEN if taught is action else Said.OPPOSITE
        return Said.GONE if shape in self.gone else Said.UNKNOWN

    def says_gone(self, text: str, *, of_one_lead: bool, lead_id: str = "") -> bool:
        """Whether `text` says that the lead is not in quarantine; a bare "Not found" counts only if said of one lead.

        Said of a request, a bare "Not found" is rather an address that does not exist.
        """
        if _GONE.search(text) or (of_one_lead and _BARE_NOT_FOUND.fullmatch(text)):
            return True
        return bool(text and self.gone and shape_of(text, lead_id) in self.gone)


def says_key_is_wrong(text: str) -> bool:
    """Whether a refusal of a whole request is about the API key, whatever its status code."""
    return bool(_KEY.search(text))


def quoted(text: str) -> list[str]:
    """What stands in quotes: release results name their lead that way (documented)."""
    return _QUOTED.findall(text)
