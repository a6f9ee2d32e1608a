"""Texts and numbers that are times: what a form reads, and whether its order is that of time."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.model.times import TimeForm

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("code", "raw", "instant", "own"),
    [
        ("%d/%m/%Y %H:%M", " 26/07/2026 08:57 ", "2026-07-26T07:57", datetime(2026, 7, 26, 8, 57)),  # noqa: DTZ001
        ("%d/%m/%Y", "26/11/2026", "2026-11-26T00:00", date(2026, 11, 26)),
        ("%Y%m%d", 20261126, "2026-11-26T00:00", date(2026, 11, 26)),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-07-26T08:57:00+01:00", "2026-07-26T07:57", None),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-07-26T08:57:00Z", "2026-07-26T08:57", None),
        ("%Y%m%d%H%M%S%z", "20260726085700Z", "2026-07-26T08:57", None),
        ("%Y%m%d %H%M%S.%f", "20261126 085700.5", "2026-11-26T08:57:00.500", datetime(2026, 11, 26, 8, 57, 0, 500000)),  # noqa: DTZ001
        ("%d/%m/%Y %I:%M%p", "1/3/2026 9:05am", "2026-03-01T09:05", datetime(2026, 3, 1, 9, 5)),  # noqa: DTZ001
        ("%d/%m/%Y %I:%M %p", "01/03/2026 12:30 AM", "2026-03-01T00:30", datetime(2026, 3, 1, 0, 30)),  # noqa: DTZ001
        ("%d%b%Y", "26NOV2026", "2026-11-26T00:00", date(2026, 11, 26)),
        ("%d %b %Y", "05 Jul 2026", "2026-07-04T23:00", date(2026, 7, 5)),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-07-26T08:57:00-0500", "2026-07-26T13:57", None),
        ("epoch_ms", 1790000000000, "2026-09-21T14:13:20", None),
        ("epoch_ms", "1790000000000", "2026-09-21T14:13:20", None),
        ("epoch_ms", Decimal(1790000000000), "2026-09-21T14:13:20", None),
        ("epoch_s", "1790000000", "2026-09-21T14:13:20", None),
        ("epoch_ms", -1000, "1969-12-31T23:59:59", None),
    ],
)
def test_what_a_form_reads(code: str, raw: object, instant: str, own: date | None) -> None:
    """The instant, by the zone of the file where none is named; and the date or local time as it was written."""
    expected = datetime.fromisoformat(f"{instant}+00:00")
    assert TimeForm(code).read(raw, LONDON) == (expected, own or expected)


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("%d/%m/%Y", "2026-11-26"),
        ("%d/%m/%Y", "31/02/2026"),
        # Without a sign between them: 2 November, or 12 January.
        ("%Y%m%d", "2026112"),
        ("%Y%m%d", 2026112),
        ("%d/%m/%Y", ""),
        ("%d/%m/%Y", 5),
        ("%d/%m/%Y", True),
        ("epoch_ms", "yesterday"),
        ("epoch_ms", True),
        ("epoch_ms", 10**30),
        ("epoch_ms", float("nan")),
        ("epoch_ms", float("inf")),
        ("epoch_ms", b"1"),
    ],
)
def test_what_cannot_be_read_is_nothing(code: str, raw: object) -> None:
    """Whatever stands in a row, nothing is raised."""
    assert TimeForm(code).read(raw, UTC) is None


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("%H:%M", "gives no whole date"),
        ("DD/MM/YYYY", "gives no whole date"),
        ("%Q", "is no format of Python's codes"),
        ("%d/%m/%Y %", "is no format of Python's codes"),
        ("%Y-%m-%d %Y", "is no format of Python's codes"),
        ("%d/%m/%y", "has a year of two digits, whose century nobody can tell"),
        ("%Y-%m-%d %H:%M %Z", "has %Z, a zone by its letters"),
        ("%Y-%m-%d %I:%M", "does not say the hour"),
        ("%d/%m/%Y %H:%M %p", "does not say the hour"),
        ("%x %H:%M", "has %x, a date as the machine's language has it"),
    ],
)
def test_a_form_that_reads_no_date_is_a_fault(code: str, told: str) -> None:
    """The message says what to write."""
    fault = TimeForm(code).fault()
    assert fault
    assert fault.startswith(told)


@pytest.mark.parametrize(
    ("code", "sorts"),
    [
        ("%Y-%m-%d %H:%M:%S", True),
        ("%Y%m%d", True),
        ("%Y/%m/%d %H:%M", True),
        ("epoch_ms", True),
        ("%d/%m/%Y", False),
        ("%m/%d/%Y", False),
        ("%Y-%m-%d %I:%M %p", False),
        ("%Y-%b-%d", False),
        ("%Y-%m-%dT%H:%M:%S%z", False),
    ],
)
def test_whether_the_order_of_texts_is_that_of_time(code: str, sorts: bool) -> None:
    """Only then can the newest be found by comparing texts."""
    assert TimeForm(code).fault() is None
    assert TimeForm(code).sorts is sorts


@given(
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y%m%d", "%Y/%m/%d %H:%M"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(0), timedelta(days=900)),
)
def test_an_instant_is_written_never_later_than_it_is(code: str, instant: datetime, gap: timedelta) -> None:
    """So that no row at or after it is passed over when texts are compared."""
    form = TimeForm(code)
    bound, text = form.write(instant, "", UTC), (instant + gap).strftime(code)
    assert str(bound) <= text
