"""What LeadByte's sentences mean: the only place that knows them.

Documented are `Quarantine ID 'ID' queued for processing` (or `rejection`) in the answer to a PUT, and
`Queued for processing` in that to a POST, nothing else; a remark may follow. The sentences that mean *gone* are guesses
that no live account has confirmed: correct them here, and in docs/leadbyte.md, once one has. `leadbyte.sentences`
teaches more for one account. A sentence that fits none proves nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import Enum

from leadgate.config import SentencesConfig
from leadgate.errors import ConfigError
from leadgate.model import Action, normal_id

_DOCUMENTED = {"processing": Action.PROCESS, "rejection": Action.REJECT}
_QUEUED = re.compile(
    r"(?:quarantine id ?' ?([^']*?) ?' )?queued for (processing|rejection) ?(?:$|[.;,:(])", re.IGNORECASE
)
_AS_DOCUMENTED = frozenset(
    {
        "OK",
        "Success",
        "Quarantine lead updated",
        "Quarantined lead(s) processed successfully",
        "Queued for processing",
        "Queued for rejection",
    }
)
_QUOTED = re.compile(r"""['"]([^'"]*)['"]""")

# The lengths are bounded, so that the time to search grows with the text and not with its square.
_LEAD = (
    r"""\b(?:quarantined?(?:\ lead)?|lead|record)s?(?:\ id)?(?:\ ?[:\#]?\ ?(?:['"][^'"]{0,99}['"]|\d[\w-]{0,99}))?"""
)
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
    "a aborted accepted account act action added after again all allowed already an and any are aren't as at away "
    "back be because been before but by campaign can can't canceled cancelled cannot cap closed could couldn't "
    "currently daily deleted delivered delivery denied did didn't do does doesn't don't done due duplicate enough "
    "error except exist exists expired fail failed fails failure field for found from full gone has hasn't have "
    "haven't held hold however id if in insufficient invalid is isn't it key later lead leads limit locked longer "
    "made may missing moved must neither never no none nor not nothing notification now of off on only or out "
    "passed pending permission permissions please processed processing progress quarantine quarantined queue "
    "queued reached ready received record refused reject rejected rejection release released releasing removed "
    "request requested returned right rights scheduled sent sold status stopped submitted success successful "
    "successfully such taken that the there this time to too try twice unable under unknown unless unsuccessful "
    "until update updated valid waiting was wasn't were weren't will with within without won't wouldn't yet you "
    "your"
)
_OF_FORMS = (
    "address birth city code country county date day email first format landline last max maximum min minimum "
    "mobile month must name number phone post postal postcode required short street surname telephone text title town "
    "value year zip"
)
_WORDS = frozenset([*_VOCABULARY.split(), *_OF_FORMS.split()])
"""Words that an unknown sentence is shown with; every other may be a person's."""
_TOKEN = re.compile(r"""['"][^'"]*['"]|\{id\}|\{n\}|\[[\w-]{1,64}\]|[^\W\d_]+(?:'[a-z]+)?|\d[\d.,]*|…|[^\w\s]|\w+""")
_ELSE = "…"
LONGEST_SHAPE = 200
"""Characters of a shape that are kept."""
_FEWEST_WORDS = 3
"""Known words that a taught sentence has at least, if it says nothing of the others."""


class Said(Enum):
    """What a sentence says of the act that was asked."""

    TAKEN = "taken"
    OPPOSITE = "opposite"
    """The other act was queued: reject where process was asked, or the reverse."""
    GONE = "gone"
    """Not taken, since the lead is not in quarantine any more."""
    UNKNOWN = "unknown"


def shape_of(sentence: str, lead_id: str = "") -> str:
    """Write a sentence with its known words alone: the lead's id as {id}, numbers as {n}, the rest as `…`."""
    shaped: list[str] = []
    for token in _tokens(sentence, lead_id):
        is_known = token in _WORDS or token in {"{id}", "{n}"}
        if is_known or shaped[-1:] != [_ELSE]:
            shaped.append(token if is_known else _ELSE)
    return " ".join(shaped)


def _tokens(sentence: str, lead_id: str) -> Iterator[str]:
    """The words of a sentence in small letters, the lead's id as {id} and numbers as {n}; without punctuation."""
    for token in _TOKEN.findall(sentence):
        word = token.lower()
        bare = word.strip("'\"").strip()
        if bare == "{id}" or (lead_id and bare == lead_id.lower()):
            yield "{id}"
        elif word in {"{n}", "[number]"} or word[0].isdigit():
            yield "{n}"
        elif word[0] == "[" and word != "[":
            # What hiding has put for a value.
            yield _ELSE
        elif word[0].isalnum() or word[0] in "'\"" or word == _ELSE:
            yield word


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of one account: the documented ones, and those that were taught, in all their words."""

    taken: Mapping[Action, frozenset[str]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()

    @classmethod
    def taught(cls, process: Iterable[str], reject: Iterable[str], gone: Iterable[str]) -> "Sentences":
        """Know these beside the documented ones: plain text with {id} for the lead's id and {n} for numbers.

        A `…` stands for whatever words, as unknown sentences are shown; raises ConfigError where little else is left.
        """
        taken = {Action.PROCESS: frozenset(map(_taught, process)), Action.REJECT: frozenset(map(_taught, reject))}
        return cls(taken, frozenset(map(_taught, gone)))

    @classmethod
    def of_account(cls, config: SentencesConfig) -> "Sentences":
        """Know those that a pipeline file teaches; raises as `taught`."""
        return cls.taught(config.taken.process, config.taken.reject, config.gone)

    def learn_gone(self, shapes: Iterable[str]) -> "Sentences":
        """Know these shapes too as words for *gone*, but for those that would fit many other sentences."""
        return replace(self, gone=self.gone | {shape for shape in shapes if _says_enough(shape.split())})

    @property
    def has_taught(self) -> bool:
        """Whether any were taught."""
        return bool(self.gone or any(self.taken.values()))

    def of_act(self, text: str, lead_id: str, action: Action, *, names_lead: bool = True) -> Said:
        """What a release result says of an act on a lead; or a detail, which need not name it."""
        queued = _QUEUED.match(text)
        named = normal_id(queued[1]) if queued and queued[1] is not None else None
        if queued and (named == lead_id or (queued[1] is None and not names_lead)):
            return Said.TAKEN if _DOCUMENTED[queued[2].lower()] is action else Said.OPPOSITE
        if self.says_gone(text, of_one_lead=True, lead_id=lead_id):
            return Said.GONE
        return self._said({shape_of(text, lead_id), " ".join(_tokens(text, lead_id))}, action)

    def of_shape(self, shape: str, action: Action) -> Said:
        """What was taught of a sentence of which the shape alone is known."""
        return self._said({shape}, action)

    def _said(self, forms: AbstractSet[str], action: Action) -> Said:
        for taught, sentences in self.taken.items():
            if forms & sentences:
                return Said.TAKEN if taught is action else Said.OPPOSITE
        return Said.GONE if forms & self.gone else Said.UNKNOWN

    def says_gone(self, text: str, *, of_one_lead: bool, lead_id: str = "") -> bool:
        """Whether `text` says that the lead is not in quarantine; a bare "Not found" counts only if said of one lead.

        Said of a request, a bare "Not found" is rather an address that does not exist.
        """
        if _GONE.search(text) or (of_one_lead and _BARE_NOT_FOUND.fullmatch(text)):
            return True
        return bool(text and self.gone & {shape_of(text, lead_id), " ".join(_tokens(text, lead_id))})


def _taught(sentence: str) -> str:
    """A taught sentence as others are compared with it."""
    tokens = list(_tokens(sentence, ""))
    if not _says_enough(tokens):
        raise ConfigError(
            f"leadbyte.sentences: {sentence!r} has fewer than {_FEWEST_WORDS} words beside …, and would fit many "
            "others: write the sentence as LeadByte says it, with {id} for the lead's id and {n} for numbers"
        )
    return shape_of(sentence) if _ELSE in tokens else " ".join(tokens)


def _says_enough(tokens: Sequence[str]) -> bool:
    """Whether a sentence is told from others by the words that are known of it."""
    return _ELSE not in tokens or len(_WORDS.intersection(tokens)) >= _FEWEST_WORDS


def says_key_is_wrong(text: str) -> bool:
    """Whether a refusal of a whole request is about the API key, whatever its status code."""
    return bool(_KEY.search(text))


def is_known(word: str) -> bool:
    """Whether a word is one that every sentence may have."""
    return word.casefold() in _WORDS


def is_documented(sentence: str, lead_ids: AbstractSet[str]) -> bool:
    """Whether a sentence stands in LeadByte's documentation, word for word, of one of these leads if of any."""
    if sentence in _AS_DOCUMENTED:
        return True
    start, _, rest = sentence.partition("'")
    lead_id, _, end = rest.partition("' ")
    return start == "Quarantine ID " and lead_id in lead_ids and end[:1].upper() + end[1:] in _AS_DOCUMENTED


def quoted(text: str) -> list[str]:
    """What stands in quotes: release results name their lead that way (documented)."""
    return [normal_id(inside) or "" for inside in _QUOTED.findall(text)]
