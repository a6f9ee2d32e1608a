"""What LeadByte's words may not carry into the ledger and the logs: values, whoever's they are.

A complaint likes to quote what it complains about, and may quote another lead of the same request, or one that was
never asked about. What was sent is known and is named by its field; beyond that, what looks like an e-mail address or
a phone number is left out. A name or a street that was never sent cannot be told from any other word.
"""

import re
from collections.abc import Iterable

from leadgate.leadbyte.wire import field_value
from leadgate.model import LeadRequest

_SHORTEST_HIDDEN = 3
"""Values shorter than this say nothing about a person, and hiding them would spoil messages."""
_FEWEST_DIGITS = 9
"""Of a phone number; ids and codes are mostly shorter."""
_EMAIL = re.compile(r"""[^\s'"<>()\[\]{},;:=]+@[^\s'"<>()\[\]{},;:=@]+""")
_NUMBER = re.compile(r"(?<!\w)\+?\(?\d(?:[ ()./-]{0,2}\d){8,}(?!\w)")
_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")


def without_values(message: str, requests: Iterable[LeadRequest]) -> str:
    """Put field names for the sent values a message repeats, and `[e-mail]` and `[number]` for others' contacts."""
    ids = set()
    folded = message.casefold()
    for request in requests:
        ids.add(request.lead_id)
        for name, value in request.update.items():
            for shown in (value,) if isinstance(value, str) else {str(value), _as_sent(value)}:
                if len(shown) >= _SHORTEST_HIDDEN and shown.casefold() in folded:
                    message = re.sub(rf"(?<!\w){re.escape(shown)}(?!\w)", f"[{name}]", message, flags=re.IGNORECASE)
    if "@" in message:
        message = _EMAIL.sub("[e-mail]", message)
    return _NUMBER.sub(lambda found: _hidden(found[0], ids), message)


def _hidden(number: str, ids: set[str]) -> str:
    """Give the number itself where it is the id of a lead that was asked about, or begins with a date."""
    return number if number in ids or _DATE.match(number) else "[number]"


def _as_sent(value: object) -> str:
    try:
        return str(field_value(value))
    except ValueError:
        return ""
