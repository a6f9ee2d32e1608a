"""From where to read the source forward, and how far that has brought us. Pure.

A row is stamped when it is written and seen when its transaction commits, which may be later, so reading on from the
newest stamp seen would miss it. Three things keep it found: the mark never passes the start of a transaction that is
still open, where the database tells; each reading begins an overlap before the mark, until a whole overlap has passed
since the mark moved; and everything is compared now and then.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from leadgate.ledger.source_progress import Mark

PAGE = 1000
"""Rows a statement reads or writes at most, so that memory stays flat however many leads wait."""
KEEP_EVERY = 10
"""Pages between two marks of a comparison: what a crash makes it do again."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def read_from(mark: Mark, newest: datetime | None, overlap: timedelta) -> datetime | None:
    """The stamp to read on from; None where there is nothing new, since the newest row was seen long enough ago."""
    if mark.position is None or mark.moved_at is None:
        return BEGINNING
    if mark.read_at - mark.moved_at < overlap:
        return max(mark.position - overlap, BEGINNING)
    return None if newest is not None and newest <= mark.position else mark.position


def advance(mark: Mark, newest: datetime | None, horizon: datetime | None, now: datetime) -> Mark:
    """Move the mark to the newest stamp there is, but not past an open transaction, nor into the future.

    It moves back where the newest rows were removed, or the table was exchanged for an older copy.
    """
    if newest is None:
        return replace(mark, read_at=now)
    position = min(newest, horizon or now, now)
    if mark.position is not None and newest >= mark.position >= position:
        return replace(mark, read_at=now)
    return replace(mark, read_at=now, position=position, moved_at=now)
