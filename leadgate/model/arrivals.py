"""When the columns that a lead waits for came: for each of them between which two readings of the source. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

Arrived = tuple[int | None, int]
"""When a column was last not there, and when it was first seen, in seconds since 1970.

The first is None if nobody had looked for it before; then the second may be the stamp of its row: it was there by then.
"""

Arrivals = Mapping[str, Arrived | None]
"""By column as `wait.require` names it, or condition; None: it was looked for, and has not come."""


def note_arrivals(
    before: Arrivals | None,
    watched: Iterable[str],
    present: Mapping[str, datetime | None],
    *,
    after: int | None,
    by: int,
) -> Arrivals:
    """Give what is known when a look finds of what is `watched` that it is `present`; a first sight stays.

    Present things have the stamp of their row, if it has one. The look was at `by`; until `after` nothing had come that
    was not noted. Both are in seconds since 1970.
    """
    known = dict(before or {})
    for key in watched:
        if key not in known:
            known[key] = (None, min(by, _seconds(present[key], by))) if key in present else None
        elif known[key] is None and key in present:
            known[key] = (after, by)
    return known


def _seconds(stamp: datetime | None, by: int) -> int:
    return by if stamp is None else int(stamp.timestamp())
