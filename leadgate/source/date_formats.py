"""In which form a column of text or whole numbers writes its dates, judged by a sample of its values. No I/O."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from leadgate.model.times import EPOCH_MS, EPOCH_S, TimeForm

ISO = "ISO 8601"

_DAYS = ["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d"]
_DAYS += ["%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"]
_TIMES = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S"]
_FORMATS = [day + time for day in _DAYS for time in _TIMES]
"""Where two fit equally well, the first is taken: the day before the month, as in most of the world."""
_DIGITS = ["%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S"]
_FORMS = {code: TimeForm(code) for code in (EPOCH_S, EPOCH_MS, *_DIGITS, *_FORMATS)}
_FIRST_YEAR, _LAST_YEAR, _FIRST_COUNTED = 1900, 2100, 2000
_LOOKS_LIKE = 5
"""Values by which the forms are chosen that are tried on all of them."""
_LONGEST = 40
_ENOUGH = 0.9
"""The share of the values that must fit: exports hold a `-` or `n/a` here and there."""


@dataclass(frozen=True, slots=True)
class DateForm:
    """How a column writes its dates: `ISO`, `EPOCH_MS`, `EPOCH_S` or a format of strptime."""

    form: str
    is_sure: bool = True
    """False if no value decides which is the day and which the month."""


def guess_form(values: Iterable[object], *, may_be_digits: bool) -> DateForm | None:
    """Judge a column by its texts and whole numbers; None if they are no dates in a form that is known here.

    Digits alone are phone numbers as well: they count as dates only if `may_be_digits`, by the column's name.
    """
    texts = {text for value in values if (text := str(value).strip()) and value is not None}
    counts: dict[str, int] = {}
    for form in _candidates(texts, may_be_digits=may_be_digits):
        counts[form] = sum(_fits(text, form) for text in texts)
    if not counts:
        return None
    most = max(counts.values())
    if most < _ENOUGH * len(texts):
        return None
    best = [form for form, count in counts.items() if count == most]
    return DateForm(best[0], is_sure=len(best) == 1)


def _candidates(texts: set[str], *, may_be_digits: bool) -> list[str]:
    """The forms that fit one of the first values that look like dates, in the order of preference."""
    like_dates = [text for text in sorted(texts) if re.search(r"\d", text) and len(text) <= _LONGEST][:_LOOKS_LIKE]
    digits = [EPOCH_S, EPOCH_MS, *_DIGITS] if may_be_digits else []
    return [form for form in [ISO, *digits, *_FORMATS] if any(_fits(text, form) for text in like_dates)]


def _fits(text: str, form: str) -> bool:
    if form == ISO:
        return bool(re.match(r"\d{4}-\d\d-\d\d", text)) and _is_iso(text)
    found = _FORMS[form].read(text, UTC)
    first = _FIRST_COUNTED if _FORMS[form].is_count else _FIRST_YEAR
    return found is not None and first <= found[0].year < _LAST_YEAR


def _is_iso(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False
