"""Which tables and columns of a database a pipeline file means, guessed by their names, types and keys. No I/O."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from leadgate.model import ColumnType
from leadgate.source.column_types import NativeType
from leadgate.source.ids import IdKind

Certainty = Literal["sure", "likely", "a guess"]


@dataclass(frozen=True, slots=True)
class Found:
    """A table or view: its name as `table:` has it, its columns in order, its keys."""

    name: str
    columns: Mapping[str, NativeType]
    primary_key: tuple[str, ...] = ()
    foreign_keys: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By column: the table and the column that it refers to."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A table or column that was chosen, and how sure that is."""

    name: str
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Guessed:
    """What the file says of the source. The two tables may be one."""

    leads: Found
    enrichment: Found
    leads_table: Guess
    enrichment_table: Guess
    lead_id: Guess
    enrichment_id: Guess
    quarantined_at: Guess
    updated_at: Guess | None
    require: tuple[Guess, ...]
    update: Mapping[str, Guess]
    """By LeadByte field: the column of the enrichment."""


Weights = Mapping[str, float]

_LEADS = {"quarantine": 5, "quarantined": 5, "lead": 3, "leads": 3, "prospect": 2, "prospects": 2}
_LEADS |= {"enquiry": 2, "enquiries": 2, "contact": 1, "contacts": 1}
_ENRICHMENT = {"enrichment": 5, "enrichments": 5, "enriched": 5, "verification": 4, "verifications": 4}
_ENRICHMENT |= dict.fromkeys(("verified", "validation", "validations", "append", "appended", "lookup", "lookups"), 4)
_ENRICHMENT |= dict.fromkeys(("score", "scores", "facts", "checks"), 3)
_ARRIVED = {"quarantined": 6, "quarantine": 6, "received": 4, "created": 4, "submitted": 4, "inserted": 3, "added": 3}
_CHANGED = {"updated": 5, "modified": 5, "changed": 5, "enriched": 4, "verified": 3, "checked": 3}
_IS_A_TIME = frozenset({"at", "on", "date", "time", "datetime", "timestamp", "when", "ts", "utc", "ms"})
_NO_TIME = frozenset({"by", "birth", "dob", "birthday", "user", "id"})
_IDS = {"quarantineid": 6, "leadbyteid": 5, "leadid": 4, "leadnumber": 4, "leadno": 4, "prospectid": 3, "id": 2}
_IDS |= {"enquiryid": 3, "contactid": 2, "quarantineref": 6, "leadbyteref": 5, "leadref": 4, "leadreference": 4}
_LIKELY_ID = 5
_WAITED_FOR = (
    ("postcode", "post code", "zip", "zipcode", "postal"),
    ("phone", "mobile", "telephone"),
    ("email",),
    ("verified", "valid", "validated"),
    ("score",),
)
_NOT_WAITED_FOR = frozenset({"not", "no", "opt", "optin", "optout", "opted", "by", "source", "type", "consent"})
_MOST_REQUIRED = 3
_FIELDS: Mapping[str, str] = {
    "title": "title salutation",
    "firstname": "firstname forename givenname fname",
    "lastname": "lastname surname familyname lname",
    "email": "email emailaddress mail",
    "phone1": "phone1 mobile mobilephone mobilenumber cell cellphone phone phonenumber telephone tel",
    "phone2": "phone2 homephone landline telephone phone phonenumber",
    "phone3": "phone3 workphone officephone",
    "building": "building buildingname housename housenumber",
    "street1": "street1 address1 addressline1 street streetaddress address",
    "street2": "street2 address2 addressline2",
    "towncity": "towncity city town",
    "county": "county state region province",
    "postcode": "postcode zip zipcode postalcode",
    "country": "country countryname",
    "gender": "gender sex",
    "dob": "dob dateofbirth birthdate birthday",
}
"""LeadByte's documented fields, and how columns for them are called, the usual names first."""
_SAME_FOREIGN_KEY, _SAME_NAME, _SAME_ID, _ONE_TABLE = 2.5, 2.0, 1.0, 2.5


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: `Created On`, `created_on` and `createdOn` are two."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower())


def may_be_a_time(name: str) -> bool:
    """Whether a column may hold dates by its name alone."""
    words = set(words_of(name))
    return bool(words & (_IS_A_TIME | _ARRIVED.keys() | _CHANGED.keys() | {"dob", "birthday", "birthdate"}))


def guess_source(tables: Iterable[Found]) -> Guessed | None:
    """Choose the two tables and their columns; None if no table could be the one of the leads."""
    found = list(tables)
    pairs = [pair for leads in found for other in found if (pair := _pair(leads, other))]
    pairs.sort(key=lambda pair: -pair[0])
    if not pairs:
        return None
    score, guessed = pairs[0]
    if any(score - other < 1 for other, _ in pairs[1:]):
        leads, enrichment = (Guess(each.name, "a guess") for each in (guessed.leads, guessed.enrichment))
        return replace(guessed, leads_table=leads, enrichment_table=enrichment)
    return guessed


def _pair(leads: Found, enrichment: Found) -> tuple[float, Guessed] | None:
    """How well two tables serve as leads and enrichment, and with which columns; None if they cannot."""
    is_one = leads is enrichment
    named = _weigh(leads.name, _LEADS) - _weigh(leads.name, _ENRICHMENT)
    lead_id = _find_id(leads)
    quarantined_at = _find_time(leads, _ARRIVED, fallback=True)
    if not lead_id or not quarantined_at or (named <= 0 and _id_weight(lead_id.name) < _IDS["prospectid"]):
        return None
    joined = (_ONE_TABLE, lead_id, lead_id) if is_one else _join(leads, enrichment, lead_id)
    if not joined:
        return None
    join, lead_id, enrichment_id = joined
    updated_at = _find_time(enrichment, _CHANGED, fallback=False)
    if updated_at is None and not is_one:
        updated_at = _find_time(enrichment, _ARRIVED, fallback=True)
        updated_at = Guess(updated_at.name, "a guess") if updated_at else None
    apart = {lead_id.name, enrichment_id.name, quarantined_at.name if is_one else "", updated_at and updated_at.name}
    values = [name for name, type_ in enrichment.columns.items() if name not in apart and type_.column_type]
    wanted = _wanted(values)
    if not values and not updated_at:
        return None
    enriching = 0.0 if is_one else _weigh(enrichment.name, _ENRICHMENT)
    rest = [Guess(name, "a guess") for name in [*values, enrichment_id.name][:1]]
    how: Certainty = "sure" if named >= _LEADS["quarantine"] else "likely" if named > 0 else "a guess"
    of_enrichment: Certainty = "sure" if enriching and join > _SAME_ID else "likely" if enriching else "a guess"
    guessed = Guessed(
        leads=leads,
        enrichment=enrichment,
        leads_table=Guess(leads.name, how),
        enrichment_table=Guess(enrichment.name, of_enrichment),
        lead_id=lead_id,
        enrichment_id=enrichment_id,
        quarantined_at=quarantined_at,
        updated_at=updated_at,
        require=tuple(wanted or rest),
        update=_updates(values),
    )
    return named + _id_weight(lead_id.name) / 2 + enriching + join + len(wanted) / 2, guessed


def _join(leads: Found, enrichment: Found, lead_id: Guess) -> tuple[float, Guess, Guess] | None:
    """How the rows of two tables belong together: by a foreign key, a shared name or the name of the leads' table."""
    usable = {name for name, type_ in enrichment.columns.items() if type_.id_kind}
    keys = {
        name: column
        for name, (table, column) in enrichment.foreign_keys.items()
        if table == leads.name and name in usable and column in leads.columns and leads.columns[column].id_kind
    }
    if name := next((name for name, column in keys.items() if column == lead_id.name), None):
        return _SAME_FOREIGN_KEY, lead_id, Guess(name, "sure")
    same = {"".join(words_of(name)): name for name in sorted(usable)}.get("".join(words_of(lead_id.name)))
    if same and lead_id.name.lower() != "id":
        return _SAME_NAME, lead_id, Guess(same, "sure" if same == lead_id.name else "likely")
    if name := next(iter(keys), None):
        # What the two share is another number than the one that looks like LeadByte's.
        return _SAME_NAME, Guess(keys[name], "a guess"), Guess(name, "likely")
    alike = [name for name in usable if _id_weight(name) >= _IDS["prospectid"]]
    if alike and lead_id.name.lower() == "id":
        return _SAME_NAME, lead_id, Guess(max(sorted(alike), key=_id_weight), "likely")
    return (_SAME_ID, lead_id, Guess(same, "a guess")) if same else None


def _find_id(table: Found) -> Guess | None:
    def weight(name: str) -> float:
        whole = table.columns[name].id_kind in {IdKind.INTEGER, IdKind.NUMBER, IdKind.ANY}
        return _id_weight(name) + (0.5 if name in table.primary_key else 0) + (0.5 if whole else 0)

    usable = [name for name, type_ in table.columns.items() if type_.id_kind and _id_weight(name)]
    if not usable:
        return None
    best = max(usable, key=weight)
    sure = _id_weight(best) >= _LIKELY_ID
    return Guess(best, "sure" if sure else "likely" if best in table.primary_key else "a guess")


def _id_weight(name: str) -> float:
    words = words_of(name)
    return _IDS.get("".join(words), 1.0 if words[-1:] == ["id"] else 0.0)


def _find_time(table: Found, weights: Weights, *, fallback: bool) -> Guess | None:
    """The column whose name says best that it holds such an instant; with a `fallback` any instant at all."""

    def weight(name: str) -> float:
        type_ = table.columns[name]
        words, is_instant = set(words_of(name)), type_.column_type is ColumnType.TIMESTAMP
        may_hold = is_instant or type_.column_type in {ColumnType.STRING, ColumnType.INT} or type_.id_kind is IdKind.ANY
        if not may_hold or words & _NO_TIME or not (is_instant or words & _IS_A_TIME):
            return 0
        named = max((weights.get(word, 0) for word in words), default=0)
        others = words & (_ARRIVED.keys() | _CHANGED.keys()) - weights.keys()
        return named + (0.5 if is_instant else 0) if named else 0.5 if fallback and not others else 0

    best = max(table.columns, key=weight, default=None)
    if best is None or not weight(best):
        return None
    named = weight(best)
    return Guess(best, "sure" if named > _LIKELY_ID else "likely" if named >= min(weights.values()) else "a guess")


def _wanted(columns: list[str]) -> list[Guess]:
    """The columns that people wait for, one of a kind."""

    def fits(name: str, kind: tuple[str, ...]) -> bool:
        words = words_of(name)
        padded = f" {' '.join(words)} "
        return any(f" {word} " in padded for word in kind) and not _NOT_WAITED_FOR & set(words)

    chosen: list[Guess] = []
    for kind in _WAITED_FOR:
        taken = {guess.name for guess in chosen}
        fitting = [name for name in columns if name not in taken and fits(name, kind)]
        chosen += [Guess(name, "likely") for name in fitting[:1]]
    return chosen[:_MOST_REQUIRED]


def _updates(columns: list[str]) -> dict[str, Guess]:
    by_name = {"".join(words_of(name)): name for name in reversed(columns)}
    updates: dict[str, Guess] = {}
    for field_, synonyms in _FIELDS.items():
        names = [name for name in synonyms.split() if name in by_name]
        if names:
            updates[field_] = Guess(by_name.pop(names[0]), "sure" if names[0] == field_ else "likely")
    return updates


def _weigh(name: str, weights: Weights) -> float:
    """The weight of the heaviest word of a table's name, without its schema."""
    return max((weights.get(word, 0) for word in words_of(name.rpartition(".")[2])), default=0)
