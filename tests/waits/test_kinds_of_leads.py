"""Which leads count where: by age, by deadline, after they left, and where nobody can tell."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadgate.ledger import Ledger, absent, waiting
from leadgate.ledger.source_health import keep_reading
from leadgate.ledger.source_progress import Mark, Relation, keep_mark
from leadgate.model import Arrivals, Lead, Look, SourceReading
from leadgate.waits import Waits, count_waits
from leadgate.waits.count import Group
from leadgate.waits.words import about_ages, about_ranges, headline, kept_share, regrets, rows, without
from tests.delivery.world import NOON, config_with
from tests.support.ledgers import new_engine

NOW = NOON + timedelta(days=3)


@pytest.fixture
def ledger(database_url: str, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of leads that were quarantined at noon, read three days later."""
    opened = Ledger(new_engine(database_url, base_dir=tmp_path), pipeline="acme", owner="run")
    yield opened
    opened.close()


def read(ledger: Ledger, *, forward: bool = True) -> None:
    """Let the source have been read now; not `forward`: its stamps cannot be compared."""
    position = NOW if forward else None
    mark = Mark(read_at=NOW, position=position, moved_at=position, compared_at=NOW)
    keep_mark(ledger, Relation.ENRICHMENT, mark)


def at(hours: float) -> int:
    """An instant after noon, as it is kept."""
    return int((NOON + timedelta(hours=hours)).timestamp())


def note(ledger: Ledger, found: dict[str, Arrivals], *, own: float = 0, quarantined_at: datetime = NOON) -> None:
    """Let leads have these arrivals; `own`: the hours of a deadline of their own."""
    waiting.register(ledger, [Lead(lead_id, quarantined_at) for lead_id in found], now=NOON)
    deadline = timedelta(hours=own) if own else None
    looks = [Look(lead_id, ["x"], None, due=False, deadline=deadline) for lead_id in found]
    waiting.note_looks(ledger, looks, now=NOON, arrivals=found)


def count(ledger: Ledger, **wait: Any) -> Waits:  # noqa: ANN401 - as a file has it
    """Count with this wait; a day for a postcode, unless told."""
    return count_waits(ledger, config_with(wait=wait), since=NOON - timedelta(days=9), now=NOW)


def points(found: Waits, hours: float) -> tuple[int, int, int]:
    """Of the only deadline: the leads that old, and how many had all and had not."""
    (group,) = found.groups
    point = next(each for each in group.whole if each.span == timedelta(hours=hours))
    return point.leads, point.had, point.had_not


def many(count: int, arrivals: Arrivals, first: int = 0) -> dict[str, Arrivals]:
    """As many leads with the same arrivals."""
    return {str(first + number): arrivals for number in range(count)}


def test_a_longer_deadline_with_a_smaller_share_is_explained(ledger: Ledger) -> None:
    """It is judged by older leads alone, and those of ten hours ago were quicker."""
    read(ledger)
    note(ledger, many(150, {"postcode": (at(1), at(2))}))
    assert about_ages(count(ledger)) == ""
    note(ledger, many(50, {"postcode": (at(90), at(91))}, first=150))
    quick = many(100, {"postcode": (at(63), at(64))}, first=200)
    note(ledger, quick, quarantined_at=NOW - timedelta(hours=10))
    assert about_ages(count(ledger)).startswith("A longer deadline is judged by older leads alone")


def test_only_leads_that_are_old_enough_count(ledger: Ledger) -> None:
    """One of ten hours ago says nothing of 24 hours, though its data is there."""
    read(ledger)
    note(ledger, {"1": {"postcode": (at(1), at(2))}})
    note(ledger, {"2": {"postcode": (at(63), at(64))}}, quarantined_at=NOW - timedelta(hours=10))
    found = count(ledger)
    assert points(found, 6) == (2, 2, 0)
    assert points(found, 24) == (1, 1, 0)


def test_what_came_between_two_looks_is_open_between_them(ledger: Ledger) -> None:
    """In time by the later one, missing at the earlier one."""
    read(ledger)
    note(ledger, {"1": {"postcode": (at(5), at(13))}})
    found = count(ledger)
    assert [points(found, hours) for hours in (4, 6, 12, 18)] == [(1, 0, 1), (1, 0, 0), (1, 0, 0), (1, 1, 0)]
    assert about_ranges(found).startswith("Ranges: ")


def test_what_was_there_at_the_first_look_is_open_before_it(ledger: Ledger) -> None:
    """Nobody had looked."""
    read(ledger)
    note(ledger, {"1": {"postcode": (None, at(13))}})
    assert [points(count(ledger), hours) for hours in (1, 12, 18)] == [(1, 0, 0), (1, 0, 0), (1, 1, 0)]


def test_a_lead_that_left_the_source_counts_as_old_as_it_was_then(ledger: Ledger) -> None:
    """What would have come is not known."""
    read(ledger)
    note(ledger, {"1": {"postcode": None}})
    for minutes in (0, 30):
        absent.note_presence(ledger, present=[], absent=["1"], now=NOON + timedelta(hours=7, minutes=minutes))
    absent.withdraw(ledger, left="withdraw", now=NOON + timedelta(hours=8))
    assert [points(count(ledger), hours) for hours in (6, 12)] == [(1, 0, 1), (0, 0, 0)]


def test_deadlines_of_their_own_have_a_table_of_their_own(ledger: Ledger) -> None:
    """Each with its own other deadlines."""
    read(ledger)
    note(ledger, many(3, {"postcode": (at(1), at(2))}))
    note(ledger, many(2, {"postcode": (at(7), at(8))}, 10), own=6)
    short, usual = count(ledger).groups
    assert [(group.deadline, group.is_own, group.leads) for group in (short, usual)] == [
        (timedelta(hours=6), True, 2),
        (timedelta(hours=24), False, 3),
    ]
    assert (short.now.had, short.now.had_not) == (0, 2)
    assert [int(point.span.total_seconds() / 1800) for point in short.others(short.whole)] == [3, 6, 9, 12, 18, 24, 36]


def test_the_clock_stands_still_while_the_source_is_down(ledger: Ledger) -> None:
    """Data that was seen after 26 hours, six of which the source was down, came in time."""
    for hours, healthy in ((4, False), (10, True)):
        instant = NOON + timedelta(hours=hours)
        keep_reading(ledger, SourceReading(instant, None, healthy=healthy, problem=None if healthy else "down"))
    read(ledger)
    note(ledger, {"1": {"postcode": (at(25.5), at(26))}})
    assert [points(count(ledger), hours) for hours in (18, 24)] == [(1, 0, 1), (1, 1, 0)]


def test_a_column_that_nobody_looked_for_is_open(ledger: Ledger) -> None:
    """It was not required when the lead was looked at."""
    read(ledger)
    note(ledger, many(120, {"postcode": (at(1), at(2))}))
    found = count(ledger, require=["postcode", "score"])
    assert points(found, 24) == (120, 0, 0)
    assert kept_share(found.groups[0].now) == "0 to 100 %"


def test_of_two_things_that_are_late_neither_is_late_alone(ledger: Ledger) -> None:
    """Only leads that lack one thing count for it; a choice is one thing."""
    read(ledger)
    here, missing = (at(1), at(2)), None
    note(ledger, many(100, {"postcode": here, "mobile": here, "score": here}))
    note(ledger, many(30, {"postcode": missing, "mobile": here, "score": missing}, 200))
    note(ledger, many(20, {"postcode": missing, "mobile": missing, "score": missing}, 300))
    note(ledger, many(50, {"postcode": here, "mobile": missing, "score": missing}, 400))
    found = count(ledger, require=["postcode", {"any": ["mobile", "score"]}])
    (group,) = found.groups
    assert {each.need: (each.alone, each.point.had) for each in group.without} == {
        "postcode": (30, 130),
        "one of mobile, score": (50, 150),
    }
    assert (
        headline(group) == "6h keeps 50 %, 18h keeps 50 %, 24h (now) 50 %; one of mobile, score alone holds back 25 %"
    )
    assert list(without(group)) == [
        "without one of mobile, score 24h keeps 75 %: 50 leads, 25 %, were late for it alone",
        "without postcode 24h keeps 65 %: 30 leads, 15 %, were late for it alone",
    ]
    assert rows(group)[1][0] == "all that is required"


def test_where_stamps_cannot_be_compared_nothing_is_said_of_later(ledger: Ledger) -> None:
    """What comes for leads that are decided is not seen."""
    read(ledger, forward=False)
    note(ledger, {"1": {"postcode": None}})
    found = count(ledger)
    assert not found.sees_later
    assert points(found, 24) == (1, 0, 1)  # it waits, and was compared now
    assert "what comes for leads that are decided is not seen" in list(regrets(found))[-1]


def test_one_thing_alone_cannot_be_left_out(ledger: Ledger) -> None:
    """Without it nothing would be waited for."""
    read(ledger)
    note(ledger, many(120, {"postcode": None}))
    (group,) = count(ledger).groups
    assert isinstance(group, Group)
    assert list(without(group)) == []
    assert headline(group) == "6h keeps 0 %, 18h keeps 0 %, 24h (now) 0 %"
